#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/chat_template.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

namespace fs = std::filesystem;

LanguageModel LanguageModel::load(const std::string& path, at::ScalarType dtype, at::Device device) {
  const auto source = resolve_model(path);
  // The tokenizer first: it is small, and without it the weights are of no use here.
  auto tokenizer = Tokenizer::load(source);
  auto transformer = Transformer::load(source, dtype, device);
  if (tokenizer->vocab_size() > transformer->config().vocab)
    fail(ErrorKind::value, source,
         fmt::format("the tokenizer has {} tokens, but the model embeds only {}", tokenizer->vocab_size(),
                     transformer->config().vocab));
  return {std::move(transformer), std::move(tokenizer), "", path};
}

namespace {

// The settings of generation that the model came with, and what ends it.
Json generation_config(const Tokenizer& tokenizer) {
  const auto beside = fs::path(tokenizer.source()).parent_path() / "generation_config.json";
  const bool folder = !tokenizer.source().empty() && fs::path(tokenizer.source()).extension() != ".gguf";
  Json out = folder && fs::exists(beside) ? read_json(beside.string()) : Json::object();
  if (tokenizer.bos_id() >= 0) out["bos_token_id"] = tokenizer.bos_id();
  if (tokenizer.pad_id() >= 0) out["pad_token_id"] = tokenizer.pad_id();
  const auto& stop = tokenizer.stop_ids();
  if (!stop.empty()) out["eos_token_id"] = stop.size() == 1 ? Json(stop[0]) : Json(stop);
  return out;
}

}  // namespace

void LanguageModel::save(const std::string& folder) const {
  create_folder(folder);
  const auto generation = generation_config(*tokenizer);  // before `folder`, which may be the source, changes
  tokenizer->save(folder);
  if (!chat_family.empty())
    write_file_atomic(folder + "/chat_template.jinja", chat_template_source(chat_family));
  transformer->save(folder);
  write_json(folder + "/generation_config.json", generation);
}

}  // namespace plaudit
