#include "plaudit/train/loop.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "plaudit/core/errors.h"
#include "plaudit/train/adamw.h"
#include "plaudit/train/bad_batch.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/checkpoint.h"
#include "plaudit/train/schedule.h"

namespace plaudit {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sums over the examples of one update: loss and weight, then each metric and its weight.
class StepSums {
 public:
  StepSums(const std::vector<std::string>& names, at::Device device) : names_(names) {
    sums_ = at::zeros({static_cast<int64_t>(2 + names.size())}, at::dtype(at::kDouble).device(device));
    weights_.assign(names.size(), 0);
  }

  void add(const StepLoss& loss) {
    std::vector<at::Tensor> found(names_.size() + 2);
    found[0] = loss.loss_sum.detach().to(at::kDouble);
    found[1] = at::full({}, loss.weight, sums_.options());
    for (const auto& [name, metric] : loss.sums) {
      const auto place = std::find(names_.begin(), names_.end(), name) - names_.begin();
      if (place == static_cast<ptrdiff_t>(names_.size()))
        bug("train", "the objective does not list its metric " + name);
      found[2 + place] = metric.sum.detach().to(at::kDouble);
      weights_[place] += metric.weight;
    }
    for (auto& sum : found) {
      if (!sum.defined()) sum = at::zeros({}, sums_.options());
    }
    sums_.add_(at::stack(found));
  }

  // What must be summed over the ranks: the sums, their weights, and one flag.
  at::Tensor pack(bool flag) const {
    auto weights = weights_;
    weights.push_back(flag ? 1 : 0);
    return at::cat({sums_, at::tensor(weights, at::kDouble).to(sums_.device())});
  }

 private:
  const std::vector<std::string>& names_;
  at::Tensor sums_;  // [2 + metrics] f64, on the device of the loss: no stall inside a step
  std::vector<double> weights_;
};

// The same on the host, after the sum over the ranks.
struct StepTotals {
  double loss_sum = 0, weight = 0;
  bool flag = false;  // some rank raised it
  std::map<std::string, double> metrics;

  StepTotals(const at::Tensor& packed, const std::vector<std::string>& names) {
    const auto host = packed.cpu();
    const auto* values = host.const_data_ptr<double>();
    loss_sum = values[0];
    weight = values[1];
    flag = values[2 + 2 * names.size()] > 0;
    for (size_t i = 0; i < names.size(); ++i) {
      const double sum = values[2 + i], total = values[2 + names.size() + i];
      if (total > 0) metrics[names[i]] = sum / total;
    }
  }
};

// The loss of some examples; one that is NaN where the objective refuses them for a NaN inside.
StepLoss loss_or_nan(Objective& objective, const std::vector<int64_t>& examples) {
  try {
    return objective.loss(examples);
  } catch (const UserError& error) {
    if (error.kind() != ErrorKind::nan) throw;
    return {at::full({}, std::numeric_limits<double>::quiet_NaN()), 1, {}};
  }
}

// Options that may differ when a run is resumed: they do not change what it computes.
bool may_change(const std::string& key) {
  return key == "checkpoint_every" || key == "evaluate_every" || key == "tokens_per_batch";
}

class Trainer {
 public:
  Trainer(Objective& objective, const TrainOptions& options, TrainContext& context)
      : objective_(objective),
        options_(options),
        context_(context),
        where_("train." + objective.name()),
        plan_(checked_size(), options, context.rng),
        metric_names_(objective.metric_names()),
        optimizer_(objective.parameters(),
                   {options.beta1, options.beta2, options.eps, options.weight_decay}) {
    if (objective.parameters().empty())
      fail(ErrorKind::empty, where_, "the model has no trainable parameters");
    // max_steps counts updates, epochs count examples.
    result_.total_steps =
        options.max_steps > 0 ? options.max_steps : plan_.steps() * objective.updates_per_batch();
  }

  TrainResult run() {
    const auto checkpoints =
        context_.folder.empty() ? std::vector<CheckpointFile>{} : list_checkpoints(context_.folder);
    if (!objective_.prepare(options_, context_)) {
      result_.interrupted = true;
      return result_;
    }
    if (!checkpoints.empty()) resume(checkpoints.front().path);
    while (result_.steps < result_.total_steps) {
      const bool stop = update();
      const bool last = result_.steps == result_.total_steps;
      const bool due = options_.checkpoint_every > 0 && result_.steps % options_.checkpoint_every == 0;
      if (last || stop || due) save();
      if (stop && !last) {
        result_.interrupted = true;
        break;
      }
    }
    return result_;
  }

 private:
  bool leads() const { return context_.collective.rank == 0; }

  int64_t checked_size() const {
    if (objective_.size() == 0) fail(ErrorKind::empty, where_, "there are no examples to train on");
    return objective_.size();
  }

  // One update; true when the user wants to stop.
  bool update() {
    const auto start = Clock::now();
    const auto batch = plan_.batch(result_.steps / objective_.updates_per_batch());
    const auto totals = forward_backward(batch);
    const double norm = optimizer_.gradient_norm().item<double>() / totals.weight;
    const double rate = learning_rate_at(options_, result_.steps, result_.total_steps);
    ++result_.steps;
    if (std::isfinite(totals.loss_sum) && std::isfinite(norm)) {
      // Torch's clip_grad_norm_ has the same small constant.
      const double shrink = options_.clip > 0 ? std::min(1.0, options_.clip / (norm + 1e-6)) : 1.0;
      optimizer_.step(rate, totals.weight / shrink);
    } else {
      refuse_batch({result_.steps, totals.loss_sum / totals.weight, norm, batch}, totals.weight);
    }
    objective_.after_step(result_.steps);
    report(batch, totals, rate, norm, seconds_since(start));
    return totals.flag;
  }

  // Sums of loss, metrics and gradients over all passes and ranks.
  StepTotals forward_backward(const std::vector<int64_t>& batch) {
    const auto tokens = [this](int64_t example) { return objective_.tokens(example); };
    const auto& ranks = context_.collective;
    const auto passes = micro_batches(share_of_rank(batch, tokens, ranks.rank, ranks.world), tokens,
                                      options_.tokens_per_batch);
    const auto dropout = context_.rng.child("dropout").child(result_.steps).child(ranks.rank);
    objective_.begin_update(batch, options_.tokens_per_batch, ranks);
    StepSums sums(metric_names_, optimizer_.device());
    for (size_t i = 0; i < passes.size(); ++i) {
      objective_.begin_pass(dropout.child(static_cast<int64_t>(i)).next());
      const auto loss = loss_or_nan(objective_, passes[i]);
      if (loss.loss_sum.requires_grad()) loss.loss_sum.backward();
      if (i + 1 < passes.size() || ranks.world > 1) optimizer_.collect();
      sums.add(loss);
    }
    objective_.begin_pass(std::nullopt);
    auto reduced = optimizer_.gradients();
    reduced.push_back(sums.pack(context_.interrupt && context_.interrupt()));
    ranks.all_reduce_sum(reduced);
    return {reduced.back(), metric_names_};
  }

  // A batch whose loss, gradient or weight allows no update: nothing of it reaches a weight.
  void refuse_batch(const BadBatch& batch, double weight) {
    optimizer_.clear();
    ++result_.skipped;
    if (weight == 0 || options_.on_nan == "skip") return;
    std::string message = fmt::format("step {} is not finite on another rank's examples", batch.step);
    if (leads()) message = save_bad_batch(objective_, batch, context_.folder);
    fail(ErrorKind::nan, where_, message);
  }

  void report(const std::vector<int64_t>& batch, const StepTotals& totals, double rate, double norm,
              double seconds) {
    int64_t tokens = 0;
    for (const auto example : batch) tokens += objective_.tokens(example);
    result_.tokens += tokens;
    result_.seconds += seconds;
    result_.metrics = totals.metrics;
    result_.metrics["loss"] = totals.loss_sum / totals.weight;
    result_.metrics["gradient_norm"] = norm;
    result_.metrics["learning_rate"] = rate;
    result_.metrics["epoch"] = plan_.epochs_after(result_.steps / objective_.updates_per_batch());
    result_.metrics["tokens_per_second"] = static_cast<double>(tokens) / seconds;
    result_.metrics["skipped_updates"] = static_cast<double>(result_.skipped);
    evaluate();
    if (!leads()) return;
    if (context_.metrics) context_.metrics(result_.steps, result_.metrics);
    if (context_.progress)
      context_.progress(result_.steps, result_.total_steps,
                        fmt::format("{} loss {:.4f}", objective_.name(), result_.metrics["loss"]));
  }

  void evaluate() {
    const bool last = result_.steps == result_.total_steps;
    const bool due = options_.evaluate_every > 0 && result_.steps % options_.evaluate_every == 0;
    if (!context_.evaluate || !(last || due)) return;
    for (const auto& [name, value] : context_.evaluate(result_.steps)) result_.metrics[name] = value;
  }

  // Everything that changes during training.
  std::vector<Parameter> tensors() const {
    auto out = optimizer_.state();
    for (const auto& [name, tensor] : objective_.parameters()) out.push_back({"weight/" + name, tensor});
    for (const auto& [name, tensor] : objective_.state()) out.push_back({"state/" + name, tensor});
    return out;
  }

  void save() {
    if (context_.folder.empty() || !leads()) return;
    Json info = {
        {"objective", objective_.name()}, {"fingerprint", fmt::format("{:016x}", objective_.fingerprint())},
        {"rng", context_.rng.save()},     {"options", option_table<TrainOptions>().write(options_)},
        {"step", result_.steps},          {"skipped", result_.skipped},
        {"metrics", result_.metrics}};
    if (context_.save_state) info["state"] = context_.save_state();
    result_.checkpoint = save_checkpoint(context_.folder, result_.steps, tensors(), info);
  }

  void resume(const std::string& path) {
    const auto info = read_checkpoint_info(path);
    check_same(path, info);
    load_checkpoint(path, tensors());
    optimizer_.restored();
    result_.steps = result_.resumed_from = info.at("step").get<int64_t>();
    result_.skipped = info.at("skipped").get<int64_t>();
    result_.checkpoint = path;
    for (const auto& [name, value] : info.at("metrics").items())
      result_.metrics[name] = value.is_number() ? value.get<double>() : std::nan("");
    if (context_.load_state && info.contains("state")) context_.load_state(info["state"]);
  }

  // Refuses a checkpoint of another run.
  void check_same(const std::string& path, const Json& info) const {
    const auto same = [&](const std::string& what, const Json& saved, const Json& now) {
      if (saved == now) return;
      fail(ErrorKind::value, path,
           fmt::format("belongs to another run: {} was {}, is now {}; use another run folder, or delete the "
                       "checkpoints to start afresh",
                       what, saved.dump(), now.dump()));
    };
    same("the objective", info.value("objective", ""), objective_.name());
    const auto now = option_table<TrainOptions>().write(options_);
    const auto saved = info.value("options", Json::object());
    for (const auto& [key, value] : now.items()) {
      if (!may_change(key)) same(key, saved.contains(key) ? saved.at(key) : Json(), value);
    }
    same("the random stream", info.value("rng", ""), context_.rng.save());
    same("the fingerprint of data and model", info.value("fingerprint", ""),
         fmt::format("{:016x}", objective_.fingerprint()));
  }

  Objective& objective_;
  const TrainOptions& options_;
  TrainContext& context_;
  std::string where_;
  BatchPlan plan_;
  std::vector<std::string> metric_names_;
  AdamW optimizer_;
  TrainResult result_;
};

}  // namespace

TrainResult train(Objective& objective, const TrainOptions& options, TrainContext& context) {
  return Trainer(objective, options, context).run();
}

std::map<std::string, double> evaluate_objective(Objective& objective, int64_t tokens_per_batch) {
  if (objective.size() == 0) fail(ErrorKind::empty, "evaluate." + objective.name(), "there are no examples");
  const at::NoGradGuard no_grad;
  objective.begin_pass(std::nullopt);
  std::vector<int64_t> all(static_cast<size_t>(objective.size()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  objective.begin_update(all, tokens_per_batch, {});
  std::map<std::string, std::pair<double, double>> sums;
  for (const auto& pass : micro_batches(
           all, [&](int64_t example) { return objective.tokens(example); }, tokens_per_batch)) {
    const auto loss = objective.loss(pass);
    sums["loss"].first += loss.loss_sum.item<double>();
    sums["loss"].second += loss.weight;
    for (const auto& [name, metric] : loss.sums) {
      sums[name].first += metric.sum.item<double>();
      sums[name].second += metric.weight;
    }
  }
  std::map<std::string, double> out;
  for (const auto& [name, sum] : sums) {
    if (sum.second > 0) out[name] = sum.first / sum.second;
  }
  return out;
}

}  // namespace plaudit
