#include "plaudit/data/clip_tokenizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "plaudit/core/registry.h"
#include "plaudit/data/byte_level.h"
#include "plaudit/data/html_entities.h"
#include "plaudit/data/regex.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

constexpr std::string_view kWordEnd = "</w>";
constexpr std::string_view kStart = "<|startoftext|>", kEnd = "<|endoftext|>";

// Unescaped twice as the code does, white space collapsed, lower case.
std::string cleaned(const std::string& raw) {
  const auto text = unescape_html(unescape_html(repair_utf8(raw)));
  std::string out;
  bool space = false;
  for (size_t pos = 0; pos < text.size();) {
    const auto c = next_code_point(text, pos);
    if (is_white_space(c)) {
      space = !out.empty();
      continue;
    }
    if (std::exchange(space, false)) out.push_back(' ');
    append_lower(out, c);
  }
  return out;
}

class ClipVocabulary {
 public:
  explicit ClipVocabulary(const ClipMerges& merges) {
    std::vector<std::string> characters;
    for (const bool printable : {true, false}) {
      for (int byte = 0; byte < 256; ++byte) {
        const bool shown = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        if (shown == printable)
          characters.push_back(characters_of_bytes(std::string(1, static_cast<char>(byte))));
      }
    }
    for (const auto& c : characters) ids_.emplace(c, static_cast<int64_t>(ids_.size()));
    for (const auto& c : characters)
      ids_.emplace(c + std::string(kWordEnd), static_cast<int64_t>(ids_.size()));
    for (size_t i = 0; i < merges.size(); ++i) {
      ids_.emplace(merges[i].first + merges[i].second, static_cast<int64_t>(512 + i));
      ranks_.emplace(merges[i], i);
    }
    start_ = static_cast<int64_t>(512 + merges.size());
  }

  int64_t start() const { return start_; }
  int64_t end() const { return start_ + 1; }

  void encode_word(std::string_view word, std::vector<int64_t>& out) const {
    std::vector<std::string> parts;
    for (const char byte : word) parts.push_back(characters_of_bytes(std::string(1, byte)));
    parts.back() += kWordEnd;
    while (parts.size() > 1) {
      size_t best = ranks_.size(), place = 0;
      for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto found = ranks_.find({parts[i], parts[i + 1]});
        if (found == ranks_.end() || found->second >= best) continue;
        best = found->second;
        place = i;
      }
      if (best == ranks_.size()) break;
      parts[place] += parts[place + 1];
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
    for (const auto& part : parts) {
      const auto found = ids_.find(part);
      if (found == ids_.end())
        Check("contrastive.clip_tokenize")
            .refuse(ErrorKind::value, "merges", "make '" + part + "', which has no id");
      out.push_back(found->second);
    }
  }

 private:
  std::unordered_map<std::string, int64_t> ids_;
  std::map<std::pair<std::string, std::string>, size_t> ranks_;
  int64_t start_ = 512;
};

}  // namespace

Tensor clip_tokenize(const std::vector<std::string>& texts, const ClipMerges& merges,
                     int64_t context_length) {
  const Check check("contrastive.clip_tokenize");
  if (texts.empty()) check.refuse(ErrorKind::empty, "texts", "holds no text");
  check.that(context_length >= 2, "context_length", ">= 2", context_length);
  static const Regex pieces(
      "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+",
      "contrastive.clip_tokenize");
  const ClipVocabulary vocabulary(merges);
  const auto length = static_cast<size_t>(context_length);
  std::vector<int64_t> all;
  for (const auto& raw : texts) {
    const auto text = cleaned(raw);
    std::vector<Regex::Match> matches;
    pieces.find_all(text, matches);
    std::vector<int64_t> ids = {vocabulary.start()};
    for (const auto& match : matches) {
      const auto piece = std::string_view(text).substr(match.begin, match.end - match.begin);
      if (piece == kStart || piece == kEnd) {
        ids.push_back(piece == kStart ? vocabulary.start() : vocabulary.end());
      } else {
        vocabulary.encode_word(piece, ids);
      }
      if (ids.size() > length) break;
    }
    ids.push_back(vocabulary.end());
    if (ids.size() > length) {
      ids.resize(length);
      ids.back() = vocabulary.end();
    }
    ids.resize(length, 0);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return at::tensor(all, at::kLong).view({-1, context_length});
}

PLAUDIT_FUNCTIONS(contrastive, m) {
  m.def("clip_tokenize(str[] texts, str[][] merges, int context_length=77) -> (Tensor ids)",
        [](const std::vector<std::string>& texts, const std::vector<std::vector<std::string>>& merges,
           int64_t context_length) {
          ClipMerges pairs;
          for (const auto& merge : merges) {
            if (merge.size() != 2)
              Check("contrastive.clip_tokenize").refuse(ErrorKind::shape, "merges", "must hold pairs");
            pairs.emplace_back(merge[0], merge[1]);
          }
          return clip_tokenize(texts, pairs, context_length);
        },
        "Token ids of texts for CLIP.", {"03"});
}

}  // namespace plaudit
