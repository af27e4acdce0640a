// Labels and scores in the replies of annotators.
//
// Every parser takes any text; what it cannot read is a tie, the default or an error of kind empty, as
// stated, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plaudit {

struct LabelReply {
  int64_t label;  // 1 positive, 0 negative, or the default
  bool matched;   // false when neither token occurs
};

// The positive token anywhere gives 1, else the negative one 0, else `fallback`; letter case matters.
// Zheng et al., "Online Intrinsic Rewards" (ONI), 2024, arXiv 2410.23022.
LabelReply parse_label_reply(std::string_view text, std::string_view positive, std::string_view negative,
                             int64_t fallback = 0);

// Which of two was called best: 0 first, 1 second, 2 tie. The first match, letter case ignored, of the words
// of `key` (its underscores may be missing or be spaces), non-word characters, at most one word, then 1, 2 or
// none; no match is a tie. Klissarov et al., "Motif" and its successors.
int64_t parse_ranking_reply(std::string_view text, std::string_view key = "best_description");

// The last line that is not blank must be exactly 0 (first image better), 1 or -1, after quotes, backticks,
// stars, dots, blanks and a colon in front are stripped. Gives 1 (first preferred), 0 (second) or -1.
int64_t parse_preference_reply(std::string_view reply);

// The score in a reply. With `key`: the first "key : number", quotes optional, letter case ignored, '=' for
// ':' accepted; without: the last number that touches no letter, digit, dot or underscore. Errors: none found
// (empty), outside [low, high] (value).
double parse_score_reply(std::string_view text, double low, double high,
                         const std::optional<std::string>& key = std::nullopt);

}  // namespace plaudit
