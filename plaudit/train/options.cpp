#include "plaudit/train/options.h"

namespace plaudit {

template <>
void describe(OptionTable<TrainOptions>& t) {
  t.field("epochs", &TrainOptions::epochs, "passes over the examples", at_least(1));
  t.field("max_steps", &TrainOptions::max_steps,
          "updates to make, over as many epochs as that takes; 0: epochs decide", at_least(0));
  t.field("batch", &TrainOptions::batch, "examples per update, over all ranks", at_least(1));
  t.field("tokens_per_batch", &TrainOptions::tokens_per_batch,
          "most tokens in one forward pass; a batch with more is accumulated, with equal gradients",
          at_least(1));
  t.field("learning_rate", &TrainOptions::learning_rate, "peak learning rate", greater_than(0));
  t.field("schedule", &TrainOptions::schedule, "course of the learning rate after the warm-up",
          one_of({"constant", "linear", "cosine", "inverse-sqrt"}));
  t.field("warmup", &TrainOptions::warmup, "share of the steps over which the rate rises to its peak",
          between(0, 1));
  t.field("min_learning_rate", &TrainOptions::min_learning_rate,
          "where the schedule ends, as a share of the peak", between(0, 1));
  t.field("weight_decay", &TrainOptions::weight_decay, "decoupled decay of all trained tensors (AdamW)",
          at_least(0));
  t.field("beta1", &TrainOptions::beta1, "AdamW: decay of the mean gradient", from_to_below(0, 1));
  t.field("beta2", &TrainOptions::beta2, "AdamW: decay of the mean squared gradient", from_to_below(0, 1));
  t.field("eps", &TrainOptions::eps, "AdamW: added to the root of the mean squared gradient", at_least(0));
  t.field("clip", &TrainOptions::clip, "largest norm of the whole gradient; 0: off", at_least(0));
  t.field("on_nan", &TrainOptions::on_nan,
          "a loss or gradient that is not finite: stop with the batch saved, or skip the update and count it",
          one_of({"stop", "skip"}));
  t.field("checkpoint_every", &TrainOptions::checkpoint_every,
          "steps between checkpoints; 0: only at the end", at_least(0));
  t.field("evaluate_every", &TrainOptions::evaluate_every, "steps between evaluations; 0: only at the end",
          at_least(0));
}

}  // namespace plaudit
