#include "plaudit/data/added_tokens.h"

#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

char32_t last_code_point(std::string_view text) {
  size_t pos = text.size() - 1;
  while (pos > 0 && (static_cast<uint8_t>(text[pos]) & 0xC0) == 0x80) --pos;
  return next_code_point(text, pos);
}

bool touches_word(std::string_view before, std::string_view after) {
  size_t pos = 0;
  return (!before.empty() && is_word_character(last_code_point(before))) ||
         (!after.empty() && is_word_character(next_code_point(after, pos)));
}

}  // namespace

void AddedTokens::Trie::add(std::string_view text, int64_t id) {
  int32_t node = 0;
  for (const char c : text) {
    int32_t next = step(node, c);
    if (next < 0) {
      next = static_cast<int32_t>(nodes.size());
      nodes.emplace_back();
      nodes[static_cast<size_t>(node)].edges.emplace_back(static_cast<uint8_t>(c), next);
    }
    node = next;
  }
  nodes[static_cast<size_t>(node)].id = id;
}

int32_t AddedTokens::Trie::step(int32_t node, char byte) const {
  for (const auto& [label, next] : nodes[static_cast<size_t>(node)].edges) {
    if (label == static_cast<uint8_t>(byte)) return next;
  }
  return -1;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer& normalizer) {
  for (auto& token : tokens) {
    if (token.content.empty()) continue;
    by_content_[token.content] = token.id;
    by_id_[token.id] = std::move(token);
  }
  for (const auto& [id, token] : by_id_) {
    if (token.normalized)
      normalized_.add(normalizer(token.content), id);
    else
      raw_.add(token.content, id);
  }
}

const AddedToken* AddedTokens::match(const Trie& trie, std::string_view text, size_t pos, bool parse_special,
                                     size_t& end) const {
  const AddedToken* best = nullptr;
  int32_t node = 0;
  for (size_t at = pos; at < text.size();) {
    node = trie.step(node, text[at++]);
    if (node < 0) break;
    const int64_t id = trie.nodes[static_cast<size_t>(node)].id;
    if (id < 0) continue;
    const auto& token = by_id_.at(id);
    if (token.special && !parse_special) continue;
    if (token.single_word && touches_word(text.substr(0, pos), text.substr(at))) continue;
    best = &token;
    end = at;
  }
  return best;
}

std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, bool normalized,
                                                  bool parse_special) const {
  std::vector<Part> parts;
  const auto& trie = normalized ? normalized_ : raw_;
  bool starts[256] = {};  // bytes with which a token can start
  for (const auto& [label, next] : trie.nodes[0].edges) starts[label] = true;
  size_t done = 0;  // everything before is in `parts`
  for (size_t pos = 0; pos < text.size();) {
    size_t end = 0;
    const AddedToken* token = nullptr;
    if (starts[static_cast<uint8_t>(text[pos])]) token = match(trie, text, pos, parse_special, end);
    if (token == nullptr) {
      ++pos;
      continue;
    }
    auto before = text.substr(done, pos - done);
    if (token->lstrip) before = strip_right(before);
    if (token->rstrip) end = text.size() - strip_left(text.substr(end)).size();
    if (!before.empty()) parts.push_back({before});
    parts.push_back({text.substr(pos, end - pos), token->id});
    pos = done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done)});
  return parts;
}

const AddedToken* AddedTokens::find(int64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  return found == by_content_.end() ? nullptr : find(found->second);
}

}  // namespace plaudit
