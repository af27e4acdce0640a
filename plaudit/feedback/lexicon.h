// A graded sentiment lexicon and how a text is scored with it.
//
// Source of the file format, the normalisation and the weight of negations: Hutto and Gilbert, "VADER: A
// Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text", ICWSM 2014.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace plaudit {

// What one text holds of a lexicon.
struct LexiconScore {
  double sum = 0;      // graded means of the words found, negated ones times -0.74
  int64_t words = 0;   // words and emoticons of the text
  int64_t graded = 0;  // of these, how many the lexicon grades

  // sum / sqrt(sum^2 + 15), in (-1, 1): bounded, so that a long answer gains ever less from one more kind
  // word.
  double normalised() const;
};

class Lexicon {
 public:
  // A file of lines "token TAB mean [TAB ...]"; later lines win. UserError: io, or type with the line that
  // has no token and number.
  static Lexicon load(const std::string& path);

  // Grades by lower-case token.
  explicit Lexicon(std::unordered_map<std::string, double> grades) : grades_(std::move(grades)) {}

  size_t size() const { return grades_.size(); }

  // Lower-cases (ASCII) and splits at white space; a piece that is in the lexicon (an emoticon) stays whole,
  // also without closing punctuation; any other piece is cut into words of letters, digits, apostrophes and
  // hyphens, and a hyphenated word that is not graded into its parts. A word is negated when one of the three
  // words before it in the same clause (no . , ; : ! ? between) is a negation such as "not", "never",
  // "isn't".
  LexiconScore score(std::string_view text) const;

 private:
  std::unordered_map<std::string, double> grades_;
};

}  // namespace plaudit
