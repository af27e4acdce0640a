// Checking the answer to a grade-school problem: the last number of the text.
//
// Source: the GSM8K verifier of Lambert et al., "Tulu 3", 2024, arXiv 2411.15124 (open-instruct), with the
// sign belonging to whole numbers, too.
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

struct Gsm8kVerdict {
  double score;           // 1 when `extracted` is the label, else 0
  std::string extracted;  // the last number, or the whole text when it holds none
};

// Commas between digits are deleted in one pass from the left ("1,234" is 1234; "1,2,3" becomes "12,3"); then
// the last number (optional sign, digits with a decimal part or plain digits) is compared with `label` as a
// string, letter case ignored: 3.50 is not 3.5. The label is used as it is: strip its thousands commas first.
Gsm8kVerdict check_gsm8k(std::string_view prediction, std::string_view label);

}  // namespace plaudit
