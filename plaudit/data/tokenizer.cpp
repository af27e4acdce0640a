#include "plaudit/data/tokenizer.h"

#include <filesystem>

#include "plaudit/core/errors.h"
#include "plaudit/core/gguf.h"
#include "plaudit/data/chat_template.h"
#include "plaudit/data/jinja.h"
#include "plaudit/data/tokenizer_gguf.h"
#include "plaudit/data/tokenizer_json.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

// What transformers passes to a template, except strftime_now: the same messages always give the same text.
Json template_variables(const Tokenizer& tokenizer, const std::vector<Message>& messages,
                        bool add_generation_prompt) {
  Json list = Json::array();
  for (const auto& message : messages)
    list.push_back({{"role", message.role}, {"content", repair_utf8(message.content)}});
  Json out = {{"messages", list},
              {"add_generation_prompt", add_generation_prompt},
              {"tools", nullptr},
              {"documents", nullptr}};
  const auto put = [&](const std::string& name, int64_t id) {
    if (id >= 0) out[name] = tokenizer.token_bytes(id, false);
  };
  put("bos_token", tokenizer.bos_id());
  put("eos_token", tokenizer.eos_id());
  put("pad_token", tokenizer.pad_id());
  put("unk_token", tokenizer.unk_id());
  return out;
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::string& path) {
  namespace fs = std::filesystem;
  if (fs::is_directory(path)) {
    const auto file = fs::path(path) / "tokenizer.json";
    if (!fs::exists(file)) fail(ErrorKind::io, path, "has no tokenizer.json");
    return load_tokenizer_json(file.string());
  }
  if (!fs::exists(path))
    fail(ErrorKind::io, path, "does not exist; expected a folder, a tokenizer.json or a .gguf file");
  if (fs::path(path).extension() == ".gguf") return from_gguf(*GgufFile::open(path));
  return load_tokenizer_json(path);
}

std::shared_ptr<const Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
  return tokenizer_from_gguf(file);
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids, bool skip_special) const {
  std::string bytes;
  for (const int64_t id : ids) bytes += token_bytes(id, skip_special);
  if (strips_leading_space_ && bytes.starts_with(' ')) bytes.erase(0, 1);
  return is_valid_utf8(bytes) ? bytes : repair_utf8(bytes);
}

std::string Tokenizer::apply_chat(const std::vector<Message>& messages, bool add_generation_prompt,
                                  const std::string& family) const {
  if (!family.empty()) return apply_chat_template(messages, family, add_generation_prompt);
  if (chat_template_.empty()) {
    std::string names;
    for (const auto& name : chat_families()) names += (names.empty() ? "" : ", ") + name;
    fail(ErrorKind::value, "chat template", "the model has none; name a family, one of " + names);
  }
  if (messages.empty()) fail(ErrorKind::empty, "chat template", "messages must not be empty");
  const auto known = family_of_template(chat_template_);
  if (!known.empty()) return apply_chat_template(messages, known, add_generation_prompt);
  return render_jinja(chat_template_, template_variables(*this, messages, add_generation_prompt));
}

std::vector<int64_t> Tokenizer::encode_prompt(const Prompt& prompt, const std::string& family) const {
  auto ids = encode(prompt.is_chat() ? apply_chat(prompt.messages, true, family) : prompt.text);
  if (add_bos_ && (ids.empty() || ids.front() != bos_id_)) ids.insert(ids.begin(), bos_id_);
  return ids;
}

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string StreamDecoder::push(int64_t id) {
  pending_ += tokenizer_->token_bytes(id, skip_special_);
  if (pending_.empty()) return "";
  if (at_start_ && tokenizer_->strips_leading_space() && pending_.front() == ' ') pending_.erase(0, 1);
  at_start_ = false;
  const size_t held = incomplete_tail(pending_);
  const auto text = repair_utf8(std::string_view(pending_).substr(0, pending_.size() - held));
  pending_.erase(0, pending_.size() - held);
  return text;
}

std::string StreamDecoder::finish() {
  auto text = repair_utf8(pending_);
  pending_.clear();
  at_start_ = true;
  return text;
}

}  // namespace plaudit
