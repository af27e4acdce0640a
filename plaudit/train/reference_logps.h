// The reference of preference training: what a model that does not learn says about every answer.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/data/answers.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/model/transformer.h"
#include "plaudit/train/loop.h"

namespace plaudit {

// Where the reference's log-probabilities come from:
//   cached       the policy as it is before the first step: computed once for all answers and kept in a file,
//                keyed by model, tokenizer, data, lengths and precision; what another run computed under the
//                same key in the same way is copied (SharedReferences)
//   adapter_off  the policy without its adapter, at each step
//   copy         a second frozen model, at each step; the only mode in which it may move: every
//                ref_sync_steps it becomes mix * policy + (1-mix) * reference (TR-DPO)
//   free         none: its log-probabilities count as 0
//   auto         cached where the loss needs a reference, else free
struct ReferenceOptions {
  std::string reference = "auto";
  std::string reference_file = "";  // of cached; "": reference.safetensors in the run folder
  int64_t ref_sync_steps = 0;       // with copy: steps between moves; 0: never
  double ref_sync_mix = 0.6;        // share of the policy in a move
};

class ReferenceLogps {
 public:
  // `model` takes the place of the starting policy in the modes copy and cached. `needed`: whether the loss
  // uses a reference. UserErrors (value): options that contradict each other or the policy.
  ReferenceLogps(const LanguageModel& policy, ReferenceOptions options, bool needed,
                 std::shared_ptr<Transformer> model);

  // The mode, with auto resolved.
  const std::string& mode() const { return options_.reference; }
  bool free() const { return mode() == "free"; }

  // Computes or loads what is cached; false when it stopped because of context.interrupt. Examples may have
  // different numbers of answers.
  bool prepare(const std::vector<TokenizedAnswers>& examples, const TrainOptions& options,
               TrainContext& context);
  // The log-probabilities of the answers `columns` of some examples, [B, columns], without gradient. `batch`
  // holds exactly these answers.
  at::Tensor logps(const std::vector<int64_t>& examples, const std::vector<int64_t>& columns,
                   const AnswerLogpBatch& batch) const;
  // Moves a reference that moves.
  void after_step(int64_t step);
  // The weights of a reference that moves.
  std::vector<Parameter> state() const;

 private:
  void check() const;
  bool compute(const std::vector<TokenizedAnswers>& examples, const TrainOptions& options,
               TrainContext& context);
  bool take_from(const SharedReferences& others, const std::string& key,
                 const std::vector<TokenizedAnswers>& examples, const Collective& collective);

  LanguageModel policy_;
  ReferenceOptions options_;
  std::shared_ptr<Transformer> model_;  // copy, or what fills the cache; null: the policy itself
  at::Tensor cache_;                    // [examples, most answers] f32, 0 where an example has fewer
};

// The fields of ReferenceOptions in an aggregate of an objective, which names them alike.
template <class T>
void describe_reference(OptionTable<T>& t) {
  t.field(
      "reference", &T::reference,
      "where the reference's log-probabilities come from: cached (computed once), adapter_off, copy, free "
      "(none), or auto (cached where the loss needs them)",
      one_of({"auto", "cached", "adapter_off", "copy", "free"}));
  t.field("reference_file", &T::reference_file,
          "with reference cached: a file that runs on the same data and model share; one of other data or "
          "another model is refused; empty: the run's own, copied from a run beside it that has computed it");
  t.field("ref_sync_steps", &T::ref_sync_steps,
          "with reference copy: updates between its moves towards the policy (TR-DPO); 0: never",
          at_least(0));
  t.field("ref_sync_mix", &T::ref_sync_mix, "share of the policy in such a move", between(0, 1));
}

template <class T>
ReferenceOptions reference_options(const T& options) {
  return {options.reference, options.reference_file, options.ref_sync_steps, options.ref_sync_mix};
}

}  // namespace plaudit
