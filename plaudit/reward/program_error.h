// What is wrong with a reward program, in the words that a language model needs to repair it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

enum class ProgramErrorKind {
  none,
  syntax,     // not Python, nested too deeply, or too long
  forbidden,  // Python, but outside the language: a construct, an import, a dunder, a write to a binding
  name,       // unknown name, binding, function or attribute; a local read before it is assigned
  signature,  // the entry is missing or has wrong parameters
  type,       // an operand, an argument or a number of arguments that does not fit
  shape,      // broadcasting, products, reshaping, stacking
  value,      // index range, missing key, division by zero, domain of a function, result not finite
  returned,   // "return": not a number or (number, dict of numbers), or no return at all
  fuel,       // too many steps, or calls nested too deeply
  memory      // an array too large, or too many of them
};

// "syntax", "forbidden", ..., "return", ...; "none" when nothing is wrong.
std::string_view to_string(ProgramErrorKind kind);

struct ProgramError {
  ProgramErrorKind kind = ProgramErrorKind::none;
  int line = 0;    // counts from 1
  int column = 0;  // counts from 1
  std::string message;
  std::vector<std::string> nearest;  // legal names near an unknown one, at most 3
  std::string source_line;

  explicit operator bool() const { return kind != ProgramErrorKind::none; }

  // "ERROR name at line 3", the source line with a caret, the sentence, and the nearest legal names.
  std::string text() const;
};

// What the front end throws inside; compile() and eval() turn it into a result.
struct ProgramFault {
  ProgramErrorKind kind;
  int line;
  int column;
  std::string message;
  std::vector<std::string> nearest = {};
};

// The line of `source` that counts as `line` (from 1), without its end.
std::string_view program_source_line(std::string_view source, int line);

// At most three of the candidates within a third of the length of `word` (at least 2 edits), nearest first.
std::vector<std::string> program_nearest(std::string_view word, std::vector<std::string> candidates);

}  // namespace plaudit
