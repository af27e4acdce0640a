// Verifiable instructions: does a text satisfy a constraint that a program can check?
//
// Source: the training checks of Lambert et al., "Tulu 3", 2024, arXiv 2411.15124 (open-instruct), after the
// taxonomy of Zhou et al., "IFEval", 2023, arXiv 2311.07911. They are substring-based and differ from the
// IFEval evaluator: a score that is reported as IFEval needs that one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plaudit/core/call.h"

namespace plaudit {

// The names of all constraints, sorted.
std::vector<std::string> constraint_names();

// True when `text` satisfies the constraint; `args` is a JSON object. Errors: unknown name or quantifier
// (value), a missing argument (value) or one of another type (type).
//
//   keywords             keyword_list: all of them occur, letter case ignored
//   keyword_frequency    word, N: exactly N words (runs of letters, digits, _) equal it, case ignored
//   forbidden_words      forbidden_words: none occurs as a substring, case ignored
//   letter_frequency     letter, N: exactly N times, case-sensitive
//   word_count           N, quantifier: words between white space
//   capital_words        N, quantifier: words of A-Z only
//   paragraph_count      N: parts between "* * *", none empty
//   paragraph_first_word N, i, first_word: exactly N parts between "\n\n", part i (from 1) starts with it
//   postscript           marker: occurs, with text after it
//   placeholders         N: at least N [..] on one line
//   bullets              N: exactly N lines start with * or -
//   title                <<..>> on one line
//   choice               options: one of them occurs
//   highlights           N: at least N *..* on one line
//   json                 the text is JSON
//   repeat_prompt        prompt: the text starts with it
//   two_responses        exactly one ******, its two sides differ
//   uppercase, lowercase no letter in the other case
//   end_phrase           phrase: the text ends with it
//   quotation            the text starts and ends with "
//   no_commas            no comma
//
// Quantifiers: "at least", "at most", "around" (|count - N| <= max(round(N/10), 1), halves to even).
bool satisfies_constraint(std::string_view text, const std::string& name, const Json& args);

}  // namespace plaudit
