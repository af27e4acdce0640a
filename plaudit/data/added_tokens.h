// Tokens that are recognised in text before anything else: special tokens such as <|im_end|>, and further
// ones that were added to a vocabulary ("added_tokens" of tokenizer.json).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plaudit/data/normalizer.h"

namespace plaudit {

struct AddedToken {
  int64_t id = 0;
  std::string content;
  bool special = false;      // a control token: not recognised in text that users typed, not shown to them
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // takes the white space behind it along
  bool single_word = false;  // only where no word character touches it
  bool normalized = false;   // looked for in the normalised text, else in the raw text
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // Of equal ids or contents the last counts. Empty contents are left out.
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer& normalizer);

  // A stretch of plain text (id -1), or a token.
  struct Part {
    std::string_view text;
    int64_t id = -1;
  };

  // Cuts `text` at the tokens: leftmost first, of those the longest. `normalized` says whether this is the
  // normalised text; special tokens count as text unless `parse_special`.
  std::vector<Part> split(std::string_view text, bool normalized, bool parse_special) const;

  // The token with that id, or that content; nullptr when there is none.
  const AddedToken* find(int64_t id) const;
  const AddedToken* find(std::string_view content) const;
  const std::map<int64_t, AddedToken>& all() const { return by_id_; }

 private:
  // A byte trie; node 0 is the root.
  struct Trie {
    struct Node {
      std::vector<std::pair<uint8_t, int32_t>> edges;
      int64_t id = -1;
    };
    std::vector<Node> nodes{1};

    void add(std::string_view text, int64_t id);
    int32_t step(int32_t node, char byte) const;  // -1 when there is no such edge
  };

  // The longest token that starts at `pos` and may stand there; nullptr when there is none.
  const AddedToken* match(const Trie& trie, std::string_view text, size_t pos, bool parse_special,
                          size_t& end) const;

  std::map<int64_t, AddedToken> by_id_;
  std::unordered_map<std::string, int64_t> by_content_;
  Trie raw_, normalized_;
};

}  // namespace plaudit
