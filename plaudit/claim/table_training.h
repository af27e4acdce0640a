// Training of policies and rewards that are tables, by the one training loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/train/loop.h"

namespace plaudit {

// How a stage trains a table: Adam without clipping.
struct TableTraining {
  int64_t steps = 400;
  int64_t batch = 128;  // 0: all examples at each step
  double learning_rate = 0.05;
  std::string schedule = "constant";
  double warmup = 0;
  double min_learning_rate = 0;
  double weight_decay = 0;
  std::string draw = "shuffle";           // or "replacement"
  std::vector<int64_t> evaluate_at = {};  // steps
};

template <>
void describe(OptionTable<TableTraining>& table);

// The loss of some examples (numbers below the count); of all of them, given as an empty list, with batch 0.
using TableLoss = std::function<StepLoss(const std::vector<int64_t>& examples)>;
// Called after the update with that 1-based number.
using TableEvaluation = std::function<void(int64_t step)>;

// An Objective made of functions.
class TableObjective : public Objective {
 public:
  TableObjective(std::string name, std::vector<Parameter> parameters, int64_t size, TableLoss loss)
      : name_(std::move(name)), parameters_(std::move(parameters)), size_(size), loss_(std::move(loss)) {}

  std::string name() const override { return name_; }
  int64_t size() const override { return size_; }
  int64_t tokens(int64_t) const override { return 1; }
  StepLoss loss(const std::vector<int64_t>& examples) override { return loss_(examples); }
  std::vector<Parameter> parameters() const override { return parameters_; }
  void after_step(int64_t step) override {
    if (after_step_) after_step_(step);
  }
  std::string show(int64_t example) const override { return std::to_string(example); }

  void set_after_step(std::function<void(int64_t)> f) { after_step_ = std::move(f); }

 private:
  std::string name_;
  std::vector<Parameter> parameters_;
  int64_t size_;
  TableLoss loss_;
  std::function<void(int64_t)> after_step_;
};

// Trains `parameters` on `count` examples; evaluates at the steps that the options name.
void train_table(const std::string& name, const std::vector<Parameter>& parameters, int64_t count,
                 const TableTraining& options, const Rng& rng, const TableLoss& loss,
                 const TableEvaluation& evaluate = nullptr);

// A loss over one value per example.
StepLoss mean_loss(const at::Tensor& losses);

// Example numbers as a tensor.
at::Tensor index_tensor(const std::vector<int64_t>& examples);

}  // namespace plaudit
