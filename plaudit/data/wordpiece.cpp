#include "plaudit/data/wordpiece.h"

#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/unicode.h"

namespace plaudit {

WordPieceModel::WordPieceModel(WordPieceOptions options, const std::string& where)
    : options_(std::move(options)) {
  const auto limit = static_cast<int64_t>(options_.vocab.size()) * 2 + (1 << 20);
  for (const auto& [token, id] : options_.vocab) {
    if (id < 0 || id > limit)
      fail(ErrorKind::value, where,
           fmt::format("the id of '{}' must be in [0, {}], got {}", token, limit, id));
    if (id >= vocab_size()) tokens_.resize(static_cast<size_t>(id) + 1);
    tokens_[static_cast<size_t>(id)] = token;
    ids_[token] = id;
  }
  options_.vocab = {};
  const auto unk = find(options_.unk_token);
  if (!unk) fail(ErrorKind::value, where, "the vocabulary lacks the unk_token '" + options_.unk_token + "'");
  unk_id_ = *unk;
}

// The longest token that starts at `begin`; `end` becomes the byte behind it.
std::optional<int64_t> WordPieceModel::longest(std::string_view word, size_t begin, size_t& end) const {
  std::string candidate = begin > 0 ? options_.continuing_prefix : "";
  const size_t prefix = candidate.size();
  candidate += word.substr(begin);
  for (end = word.size(); end > begin;) {
    if (const auto found = ids_.find(candidate); found != ids_.end()) return found->second;
    do --end;  // back over one whole character
    while (end > begin && (static_cast<uint8_t>(word[end]) & 0xC0) == 0x80);
    candidate.resize(prefix + end - begin);
  }
  return std::nullopt;
}

void WordPieceModel::encode(std::string_view piece, std::vector<int64_t>& ids) const {
  const size_t start = ids.size();
  bool known = static_cast<int64_t>(count_code_points(piece)) <= options_.max_characters;
  for (size_t begin = 0, end = 0; known && begin < piece.size(); begin = end) {
    const auto id = longest(piece, begin, end);
    known = id.has_value();
    if (known) ids.push_back(*id);
  }
  if (known) return;
  ids.resize(start);
  ids.push_back(unk_id_);
}

std::string WordPieceModel::token_bytes(int64_t id) const {
  if (id < 0 || id >= vocab_size()) return "";
  const auto& token = tokens_[static_cast<size_t>(id)];
  const auto& prefix = options_.continuing_prefix;
  const bool inside = !prefix.empty() && token.size() > prefix.size() && token.starts_with(prefix);
  return inside ? token.substr(prefix.size()) : " " + token;
}

std::optional<int64_t> WordPieceModel::find(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? std::nullopt : std::optional<int64_t>(found->second);
}

void WordPieceModel::describe(Fingerprint& fingerprint) const {
  fingerprint.add("wordpiece");
  for (const auto& token : tokens_) fingerprint.add(token);
  fingerprint.add(options_.continuing_prefix);
  fingerprint.add(options_.max_characters);
  fingerprint.add(unk_id_);
}

}  // namespace plaudit
