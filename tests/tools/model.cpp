// Runs a model on given ids, for tests that compare with what others wrote.
//
//   tool_model job.json
//
// The job: {"model": path, "dtype": "f32|f64|bf16", "precision": "f32|bf16_autocast|bf16", "adapter": folder,
//  "lora": {"rank", "alpha", "targets", "noise"}, "segments": [{"ids", "parent"}], "checkpointing": bool,
//  "targets": [[row, id], ...], "train": bool, "out": file.safetensors,
//  "save": folder, "save_gguf": file, "save_adapter": folder}.
// `out` receives hidden, logits; with targets logps, entropy and, when training, the gradient of -mean(logps)
// by parameter name.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdio>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/model/transformer.h"

namespace plaudit {
namespace {

at::ScalarType dtype_of(const std::string& name) {
  return name == "bf16" ? at::kBFloat16 : name == "f64" ? at::kDouble : at::kFloat;
}

std::shared_ptr<Transformer> load_model(const Json& job) {
  auto model = Transformer::load(job.at("model"), dtype_of(job.value("dtype", "f32")));
  const auto precision = job.value("precision", "");
  if (precision == "bf16") model->set_precision(Precision::bf16);
  if (precision == "bf16_autocast") model->set_precision(Precision::bf16_autocast);
  if (job.contains("adapter")) model->load_adapter(job["adapter"]);
  if (job.contains("lora")) {
    const auto& lora = job["lora"];
    LoraOptions options{.rank = lora.value("rank", 4), .alpha = lora.value("alpha", 8.0)};
    if (lora.contains("targets")) options.targets = lora["targets"].get<std::vector<std::string>>();
    model->add_lora(options, 7);
    // B starts at zero: without noise the adapter changes nothing.
    int64_t i = 0;
    for (auto& p : model->trainable())
      p.tensor.detach().add_(Rng(7, "noise").child(i++).normal_tensor(p.tensor.sizes()) *
                             lora.value("noise", 0.05));
  }
  model->set_gradient_checkpointing(job.value("checkpointing", false));
  if (job.value("train", false) && !model->has_lora()) model->set_trainable(true);
  return model;
}

PackedBatch read_batch(const Json& segments) {
  PackedBuilder builder;
  for (const auto& s : segments) builder.add(s.at("ids").get<std::vector<int64_t>>(), s.value("parent", -1));
  return builder.build();
}

void evaluate(const Transformer& model, const Json& job) {
  std::map<std::string, at::Tensor> out;
  const auto hidden = model.hidden(read_batch(job.at("segments")));
  out["hidden"] = hidden.detach();
  out["logits"] = model.logits(hidden.detach()).detach();
  if (job.contains("targets")) {
    std::vector<int64_t> rows, ids;
    for (const auto& pair : job["targets"]) {
      rows.push_back(pair[0]);
      ids.push_back(pair[1]);
    }
    const auto [logps, entropy] =
        model.token_logps(hidden.index_select(0, at::tensor(rows)), at::tensor(ids));
    out["logps"] = logps.detach();
    out["entropy"] = entropy.detach();
    if (job.value("train", false)) {
      const auto parameters = model.trainable();
      std::vector<at::Tensor> leaves;
      for (const auto& p : parameters) leaves.push_back(p.tensor);
      const auto grads = torch::autograd::grad({-logps.mean()}, leaves);
      for (size_t i = 0; i < grads.size(); ++i) out["grad." + parameters[i].name] = grads[i];
    }
  }
  save_safetensors(job.at("out"), out);
}

void run(const Json& job) {
  const auto model = load_model(job);
  if (job.contains("segments")) evaluate(*model, job);
  if (job.contains("save")) model->save(job["save"]);
  if (job.contains("save_gguf")) model->save_gguf(job["save_gguf"]);
  if (job.contains("save_adapter")) model->save_adapter(job["save_adapter"]);
}

}  // namespace
}  // namespace plaudit

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tool_model job.json\n");
    return 2;
  }
  try {
    plaudit::run(plaudit::read_json(argv[1]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", plaudit::message_of(error).c_str());
    return 2;
  }
}
