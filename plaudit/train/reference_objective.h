// What all objectives share whose policy learns beside a reference that does not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/train/loop.h"
#include "plaudit/train/reference_logps.h"

namespace plaudit {

class ReferenceObjective : public Objective {
 public:
  std::vector<Parameter> parameters() const override { return policy_.transformer->trainable(); }
  void begin_pass(std::optional<uint64_t> key) override { policy_.transformer->set_dropout_key(key); }
  void after_step(int64_t step) override { reference_.after_step(step); }
  std::vector<Parameter> state() const override { return reference_.state(); }
  uint64_t fingerprint() const override { return fingerprint_; }
  std::map<std::string, int64_t> counts() const override { return counts_; }

 protected:
  // As ReferenceLogps has it.
  ReferenceObjective(LanguageModel policy, ReferenceOptions options, bool needed,
                     std::shared_ptr<Transformer> reference)
      : policy_(std::move(policy)), reference_(policy_, std::move(options), needed, std::move(reference)) {}

  LanguageModel policy_;
  ReferenceLogps reference_;
  // For the constructor of the method to fill in.
  std::map<std::string, int64_t> counts_;
  uint64_t fingerprint_ = 0;
};

}  // namespace plaudit
