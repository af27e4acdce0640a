// `plaudit convert`: a model from one format into another, adapter merged in on request.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/gguf.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/tokenizer_files.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/transformer.h"
#include "plaudit/run/export_control_policy.h"

namespace plaudit::cli {
namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
  std::string from, to, adapter, dtype = "auto";
  bool merge = false, force = false;
};

bool is_gguf(const std::string& path) {
  return fs::path(path).extension() == ".gguf";
}

void check_paths(const ConvertOptions& options, const std::string& source) {
  std::error_code error;
  if (fs::equivalent(source, options.to, error))
    fail(ErrorKind::value, options.to, "is the model itself; name another place");
  if (fs::is_directory(options.to) && is_gguf(options.to))
    fail(ErrorKind::io, options.to, "is a folder, expected a file");
  if (fs::exists(options.to) && !fs::is_directory(options.to) && !is_gguf(options.to))
    fail(ErrorKind::io, options.to, "is a file, expected a folder or a path that ends in .gguf");
  const bool taken =
      is_gguf(options.to) ? fs::exists(options.to) : fs::exists(options.to) && !fs::is_empty(options.to);
  if (taken && !options.force)
    fail(ErrorKind::io, options.to, "exists already; give --force to write over it");
  if (options.adapter.empty() && options.merge) fail(ErrorKind::value, "--merge", "needs --adapter FOLDER");
  if (!options.adapter.empty() && !options.merge)
    fail(ErrorKind::value, "--adapter",
         "needs --merge: a converted model has its adapter folded in; the adapter's own folder works as it "
         "is");
}

// bf16 when that holds every matrix of the source exactly, else f32.
at::ScalarType dtype_that_holds(const std::string& source) {
  bool bf16 = true;
  if (is_gguf(source)) {
    const auto file = GgufFile::open(source);
    for (const auto& name : file->names())
      bf16 = bf16 && (file->sizes(name).size() < 2 || file->type(name) == "BF16");
  } else {
    for (const auto& [name, tensor] : load_safetensors_folder(source).tensors)
      bf16 = bf16 && tensor.scalar_type() == at::kBFloat16;
  }
  return bf16 ? at::kBFloat16 : at::kFloat;
}

at::ScalarType dtype_of(const std::string& name, const std::string& source) {
  if (name == "f32") return at::kFloat;
  if (name == "bf16") return at::kBFloat16;
  if (name != "auto")
    fail(ErrorKind::value, "--dtype",
         "'" + name + "' is not known" + suggestion(name, {"auto", "f32", "bf16"}));
  return dtype_that_holds(source);
}

void convert_control_policy(const ConvertOptions& options) {
  if (!options.adapter.empty() || options.merge || options.dtype != "auto")
    fail(ErrorKind::value, options.from,
         "is a control policy: --adapter, --merge and --dtype are of language models");
  if (is_gguf(options.to)) fail(ErrorKind::io, options.to, "must be a folder for a control policy");
  check_paths(options, options.from);
  export_control_policy(options.from, options.to);
  fmt::print("{}: policy.safetensors, and policy.py with Policy().act(observation)\n", options.to);
}

void convert(const ConvertOptions& options) {
  if (is_control_policy(options.from)) return convert_control_policy(options);
  const auto source = resolve_model(options.from);
  check_paths(options, source);
  const auto dtype = dtype_of(options.dtype, source);
  const auto model = LanguageModel::load(source, dtype);
  if (!options.adapter.empty()) model.transformer->load_adapter(options.adapter);
  if (is_gguf(options.to))
    model.transformer->save_gguf(options.to, tokenizer_to_gguf(source, model.transformer->config().vocab));
  else
    model.save(options.to);
  int64_t count = 0;
  for (const auto& [name, weight] : model.transformer->weights()) count += weight.numel();
  fmt::print("{}: {}, {:.1f} million weights in {}{}\n", options.to,
             is_gguf(options.to) ? "GGUF file" : "Hugging Face folder", static_cast<double>(count) / 1e6,
             dtype == at::kFloat ? "f32" : "bf16", options.adapter.empty() ? "" : ", adapter merged in");
}

}  // namespace

void add_convert(CLI::App& app, int&) {
  auto* command = app.add_subcommand(
      "convert", "turn a GGUF file into a Hugging Face folder or back, or a control policy into Python");
  command->footer(
      "Example:\n  plaudit convert smollm2-135m /tmp/smollm2 --dtype bf16\n"
      "  plaudit convert /tmp/smollm2 /tmp/smollm2.gguf\n"
      "  plaudit convert runs/46-srl-1/stages/00-sac/control_policy /tmp/pendulum");
  auto options = std::make_shared<ConvertOptions>();
  command
      ->add_option("from", options->from,
                   "name (smollm2-135m), Hugging Face folder, .gguf file, or folder of a control policy")
      ->required();
  command->add_option("to", options->to, "a path that ends in .gguf, or a folder")->required();
  command->add_option("--dtype", options->dtype,
                      "f32, bf16, or auto: bf16 when that holds all weights exactly, else f32");
  command->add_option("--adapter", options->adapter, "folder of a LoRA adapter (plaudit's or peft's)");
  command->add_flag("--merge", options->merge, "fold the adapter into the weights");
  command->add_flag("--force", options->force, "write over what is there");
  command->callback([options] { convert(*options); });
}

}  // namespace plaudit::cli
