// Losses, gradients and short runs of the training objectives, for tests that compare with what others wrote.
//
//   tool_train job.json          (or under torchrun: then "train" runs on all ranks, rank 0 writes)
//
// The job: {"objective": "sft|dpo|kto|reward", "model": path or "tiny", "lora": {"rank", "alpha", "dropout",
//  "noise"}, "save_adapter": folder, "eos": id, "records": [{"prompt": [ids], "chosen": [ids], "rejected":
//  [ids]} or {"prompt", "completion", "desirable"}], "beta", "reference", "head": every weight of the reward
//  head, "gradients": [parameter, ...] (absent: all), "train": {options}, "folder": run folder, "out": file}.
// `out` receives loss and grad.<parameter>, or after training weight.<parameter>.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "plaudit/core/distributed.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/train/preference.h"
#include "plaudit/train/reward.h"
#include "plaudit/train/supervised.h"
#include "plaudit/train/unpaired.h"

namespace plaudit {
namespace {

// "12 5 7" is those three tokens, so that a test decides about every id.
class NumberTokenizer : public Tokenizer {
 public:
  NumberTokenizer(int64_t vocab, int64_t eos) : vocab_(vocab) { stop_ids_ = {eos}; }
  std::vector<int64_t> encode(std::string_view text, const EncodeOptions&) const override {
    std::vector<int64_t> ids;
    const std::string copy(text);
    for (const char* at = copy.c_str(); *at != 0;) {
      char* end = nullptr;
      ids.push_back(std::strtoll(at, &end, 10));
      at = *end == ' ' ? end + 1 : end;
    }
    return ids;
  }
  std::string token_bytes(int64_t id, bool) const override { return fmt::format("{} ", id); }
  int64_t vocab_size() const override { return vocab_; }
  uint64_t fingerprint() const override { return 0; }

 private:
  int64_t vocab_;
};

std::string text_of(const Json& ids) {
  std::string out;
  for (const auto& id : ids) out += fmt::format("{}{}", out.empty() ? "" : " ", id.get<int64_t>());
  return out;
}

LanguageModel load_model(const Json& job) {
  const auto path = job.at("model").get<std::string>();
  TransformerConfig tiny;
  tiny.family = "llama";
  tiny.vocab = 64;
  tiny.hidden = 32;
  tiny.layers = 2;
  tiny.heads = 4;
  tiny.kv_heads = 2;
  tiny.head_dim = 8;
  tiny.ffn = 64;
  tiny.context = 512;
  auto model = path == "tiny" ? Transformer::random(tiny, 0) : Transformer::load(path);
  model->set_trainable(!job.contains("lora"));
  if (job.contains("lora")) {
    const auto& lora = job["lora"];
    model->add_lora({.rank = lora.value("rank", int64_t{4}),
                     .alpha = lora.value("alpha", 8.0),
                     .dropout = lora.value("dropout", 0.0)},
                    7);
    const Rng noise(7, "noise");
    for (const auto& [name, tensor] : model->trainable())
      tensor.detach().add_(noise.child(name).normal_tensor(tensor.sizes()) * lora.value("noise", 0.0));
  }
  if (job.contains("save_adapter")) model->save_adapter(job["save_adapter"]);
  const auto vocab = model->config().vocab;
  return {std::move(model), std::make_shared<NumberTokenizer>(vocab, job.at("eos")), "", path};
}

std::unique_ptr<Objective> make_objective(const Json& job, const LanguageModel& model) {
  const auto kind = job.at("objective").get<std::string>();
  const auto reference = job.value("reference", "auto");
  std::vector<Demonstration> demonstrations;
  std::vector<PreferencePair> pairs;
  std::vector<UnpairedFeedback> feedback;
  for (const auto& record : job.at("records")) {
    const Prompt prompt{text_of(record.at("prompt")), {}};
    if (kind == "kto") {
      feedback.push_back({prompt, text_of(record.at("completion")), record.at("desirable").get<bool>()});
      continue;
    }
    demonstrations.push_back({prompt, text_of(record.at("chosen"))});
    PreferencePair pair;
    pair.prompt = prompt;
    pair.chosen = text_of(record.at("chosen"));
    pair.rejected = text_of(record.at("rejected"));
    pairs.push_back(std::move(pair));
  }
  if (kind == "sft") return std::make_unique<SupervisedObjective>(model, demonstrations);
  if (kind == "kto")
    return std::make_unique<UnpairedObjective>(
        model, feedback, UnpairedOptions{.beta = job.value("beta", 0.1), .reference = reference});
  if (kind == "reward") {
    auto reward = std::make_shared<RewardModel>(model, RewardModelOptions{}, 0);
    if (job.contains("head")) reward->head()[0].tensor.detach().fill_(job["head"].get<double>());
    return std::make_unique<RewardObjective>(std::move(reward), pairs);
  }
  PreferenceOptions options;
  options.loss = kind;
  options.settings.beta = job.value("beta", 0.1);
  options.reference = reference;
  return std::make_unique<PreferenceObjective>(model, pairs, options);
}

void compare(const Json& job, Objective& objective) {
  TrainContext context{.rng = Rng(0, "train")};
  objective.prepare({}, context);
  std::vector<int64_t> all(static_cast<size_t>(objective.size()));
  std::iota(all.begin(), all.end(), 0);
  objective.begin_update(all, 100000, {});
  const auto loss = objective.loss(all);
  loss.loss_sum.backward();
  std::map<std::string, at::Tensor> out = {{"loss", loss.loss_sum.detach() / loss.weight}};
  const auto wanted = job.value("gradients", std::vector<std::string>{});
  for (const auto& [name, tensor] : objective.parameters()) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end())
      out["grad." + name] = tensor.grad() / loss.weight;
  }
  save_safetensors(job.at("out"), out);
}

void run_training(const Json& job, Objective& objective) {
  const auto options = read_options<TrainOptions>(YAML::Load(job["train"].dump()), {});
  const auto group = Distributed::from_environment(60);
  TrainContext context{.rng = Rng(0, "train"), .folder = job.value("folder", "")};
  context.collective = {group->rank(), group->world(),
                        [&](std::vector<at::Tensor>& tensors) { group->all_reduce_sum(tensors); }};
  train(objective, options, context);
  if (group->rank() != 0) return;
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, tensor] : objective.parameters()) out["weight." + name] = tensor.detach();
  save_safetensors(job.at("out"), out);
}

}  // namespace
}  // namespace plaudit

int main(int argc, char** argv) {
  try {
    if (argc != 2) plaudit::fail(plaudit::ErrorKind::value, "tool_train", "expected one job file");
    const auto job = plaudit::read_json(argv[1]);
    const auto model = plaudit::load_model(job);
    const auto objective = plaudit::make_objective(job, model);
    if (job.contains("train"))
      plaudit::run_training(job, *objective);
    else
      plaudit::compare(job, *objective);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", plaudit::message_of(error).c_str());
    return 2;
  }
}
