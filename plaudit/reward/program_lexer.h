// Tokens of a reward program: Python's, with INDENT and DEDENT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plaudit/reward/program_error.h"

namespace plaudit::program {

enum class TokenKind : uint8_t { name, number, string, op, newline, indent, dedent, end };

struct Token {
  TokenKind kind;
  int line;
  int column;
  std::string text;   // name, operator, or the value of a string
  double number = 0;  // value of a number
  bool integer = false;
};

// Constructs that are Python but outside the language, found on the way.
using ProgramFaults = std::vector<ProgramFault>;

struct TokenList {
  std::vector<Token> tokens;  // the last is `end`
  int open_line = 0;          // of the innermost bracket that is never closed; 0 when all are
  int open_column = 0;
  char open = 0;
};

inline constexpr size_t kProgramMaxSource = 64 * 1024;
inline constexpr int kProgramMaxNesting = 64;

// Throws ProgramFault (syntax); appends what is forbidden to `forbidden`.
TokenList program_tokens(std::string_view source, ProgramFaults& forbidden);

}  // namespace plaudit::program
