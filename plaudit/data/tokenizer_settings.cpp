#include "plaudit/data/tokenizer_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "plaudit/core/files.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

std::optional<JsonFile> read_beside(const fs::path& folder, const std::string& name) {
  const auto path = folder / name;
  if (!fs::exists(path)) return std::nullopt;
  return JsonFile::read(path.string());
}

// A special token is written as a text or as an object with its "content".
const std::string& token_text(const JsonView& view) {
  return view.is_object() ? view.at("content").text() : view.text();
}

// The id of the special token that the first of `files` with the key `name` gives; -1 when none does.
int64_t special_token(const std::vector<const JsonFile*>& files, const std::string& name,
                      TokenizerParts& parts) {
  for (const auto* file : files) {
    const auto view = file->view().find(name);
    if (!view) continue;
    const auto& content = token_text(*view);
    if (content.empty()) return -1;
    const int64_t id = token_id(parts, content);
    if (id < 0) view->refuse(ErrorKind::value, "the vocabulary lacks the token '" + content + "'");
    const bool known = std::any_of(parts.added.begin(), parts.added.end(),
                                   [&](const AddedToken& token) { return token.id == id; });
    if (!known) parts.added.push_back({.id = id, .content = content, .special = true});
    return id;
  }
  return -1;
}

// One id or a list of ids.
std::vector<int64_t> ids_of(const JsonView& view) {
  std::vector<int64_t> out;
  if (!view.is_list()) return {view.integer()};
  for (const auto& element : view.list()) out.push_back(element.integer());
  return out;
}

void read_stop_ids(const std::optional<JsonFile>& generation, const std::optional<JsonFile>& config,
                   TokenizerParts& parts) {
  for (const auto* file : {&generation, &config}) {
    if (!*file) continue;
    auto view = (*file)->view().find("eos_token_id");
    const auto text_config = (*file)->view().find("text_config");  // multi-modal models
    if (!view && text_config) view = text_config->find("eos_token_id");
    if (!view) continue;
    for (const int64_t id : ids_of(*view)) add_stop_id(parts, id);
    return;
  }
}

std::string read_chat_template(const fs::path& folder, const std::optional<JsonFile>& config) {
  const auto path = folder / "chat_template.jinja";
  if (fs::exists(path)) return repair_utf8(read_file(path.string()));
  const auto view = config ? config->view().find("chat_template") : std::nullopt;
  if (!view) return "";
  if (!view->is_list()) return view->text();
  for (const auto& element : view->list()) {
    if (element.at("name").text() == "default") return element.at("template").text();
  }
  view->refuse(ErrorKind::value, "has no template named 'default'");
}

// BOS and EOS by flags, for a tokenizer.json whose post-processor puts nothing around the text.
void read_flags(const JsonFile& config, TokenizerParts& parts) {
  const auto view = config.view();
  if (!parts.prefix.empty() || !parts.suffix.empty()) return;
  if (view.flag_or("add_bos_token", false)) {
    if (parts.bos_id < 0) view.at("add_bos_token").refuse(ErrorKind::value, "is true without a bos_token");
    parts.prefix.push_back(parts.bos_id);
  }
  if (view.flag_or("add_eos_token", false)) {
    if (parts.stop_ids.empty())
      view.at("add_eos_token").refuse(ErrorKind::value, "is true without an eos_token");
    parts.suffix.push_back(parts.stop_ids.front());
  }
}

void read_max_length(const std::optional<JsonFile>& config, TokenizerParts& parts) {
  if (!config) return;
  parts.max_length = config->view().integer_or("max_seq_length", 0);
  const auto around = static_cast<int64_t>(parts.prefix.size() + parts.suffix.size());
  if (parts.max_length != 0 && parts.max_length <= around)
    config->view()
        .at("max_seq_length")
        .refuse(ErrorKind::value, fmt::format("must be > {}, got {}", around, parts.max_length));
}

}  // namespace

int64_t token_id(const TokenizerParts& parts, const std::string& content) {
  for (const auto& token : parts.added) {
    if (token.content == content) return token.id;
  }
  return parts.model->find(content).value_or(-1);
}

void add_stop_id(TokenizerParts& parts, int64_t id) {
  auto& ids = parts.stop_ids;
  if (id >= 0 && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

void read_model_settings(const std::string& file, TokenizerParts& parts) {
  const auto folder = fs::path(file).parent_path();
  const auto tokenizer = read_beside(folder, "tokenizer_config.json");
  const auto special = read_beside(folder, "special_tokens_map.json");
  std::vector<const JsonFile*> files;
  for (const auto* candidate : {&tokenizer, &special}) {
    if (*candidate) files.push_back(&**candidate);
  }
  parts.bos_id = special_token(files, "bos_token", parts);
  parts.pad_id = special_token(files, "pad_token", parts);
  parts.unk_id = special_token(files, "unk_token", parts);
  add_stop_id(parts, special_token(files, "eos_token", parts));
  for (const std::string name : {"cls_token", "sep_token", "mask_token"}) special_token(files, name, parts);
  if (tokenizer) read_flags(*tokenizer, parts);
  read_stop_ids(read_beside(folder, "generation_config.json"), read_beside(folder, "config.json"), parts);
  parts.chat_template = read_chat_template(folder, tokenizer);
  read_max_length(read_beside(folder, "sentence_bert_config.json"), parts);
}

}  // namespace plaudit
