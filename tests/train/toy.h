// A small regression for tests of the loop: y = tanh(x A) b on points drawn from a seed, squared error, each
// example with its own weight and number of tokens.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/train/loop.h"

namespace plaudit {

struct ToyOptions {
  int64_t examples = 40;
  at::ScalarType dtype = at::kFloat;
  double dropout = 0;
  uint64_t data_seed = 7;
  std::vector<int64_t> nan_at = {};  // examples whose target is NaN
};

class ToyObjective : public Objective {
 public:
  explicit ToyObjective(const ToyOptions& options = {}) : options_(options) {
    Rng data(options.data_seed, "toy");
    x_ = data.normal_tensor({options.examples, 3}, at::kDouble);
    y_ = at::tanh(x_.sum(1)) + 0.1 * data.normal_tensor({options.examples}, at::kDouble);
    for (const auto example : options.nan_at) y_[example].fill_(std::nan(""));
    Rng start(1, "start");
    a_ = (0.5 * start.normal_tensor({3, 8}, at::kDouble)).to(options.dtype).requires_grad_();
    b_ = (0.5 * start.normal_tensor({8}, at::kDouble)).to(options.dtype).requires_grad_();
  }

  std::string name() const override { return "toy"; }
  int64_t size() const override { return options_.examples; }
  int64_t tokens(int64_t example) const override { return 3 + example % 5; }
  std::vector<Parameter> parameters() const override { return {{"a", a_}, {"b", b_}}; }
  std::vector<std::string> metric_names() const override { return {"error"}; }
  uint64_t fingerprint() const override { return options_.data_seed; }
  std::string show(int64_t example) const override { return "point " + std::to_string(example); }

  void begin_pass(std::optional<uint64_t> key) override {
    if (key) at::manual_seed(*key);
  }

  // Example i weighs 1 + i % 3.
  StepLoss loss(const std::vector<int64_t>& examples) override {
    const auto index = at::tensor(examples, at::kLong);
    const auto weights = (1 + index.remainder(3)).to(options_.dtype);
    auto hidden = at::tanh(x_.index_select(0, index).to(options_.dtype).matmul(a_));
    if (options_.dropout > 0) hidden = at::dropout(hidden, options_.dropout, true);
    const auto error = hidden.matmul(b_) - y_.index_select(0, index).to(options_.dtype);
    StepLoss out{(weights * error.square()).sum(), weights.sum().item<double>(), {}};
    out.sums["error"] = {error.detach().abs().sum(), static_cast<double>(examples.size())};
    ++passes;
    return out;
  }

  // All weights in one vector, f64.
  at::Tensor flat() const { return at::cat({a_.detach().flatten(), b_.detach().flatten()}).to(at::kDouble); }

  int64_t passes = 0;  // calls of loss()

 private:
  ToyOptions options_;
  at::Tensor x_, y_, a_, b_;
};

// The options of the toy runs: 30 updates.
inline TrainOptions toy_train_options() {
  TrainOptions options;
  options.epochs = 6;
  options.batch = 8;
  options.learning_rate = 0.02;
  options.checkpoint_every = 3;
  return options;
}

}  // namespace plaudit
