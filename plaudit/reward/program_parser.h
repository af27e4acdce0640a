// From tokens to the tree of a reward program.
#pragma once

#include <string_view>
#include <vector>

#include "plaudit/reward/program_lexer.h"
#include "plaudit/reward/program_syntax.h"

namespace plaudit::program {

// All of Python that a language model may write is parsed, so that what lies outside the language is named
// instead of being a syntax error; it is appended to `forbidden`. Throws ProgramFault (syntax).
std::vector<Stmt> program_parse(std::string_view source, ProgramFaults& forbidden);

}  // namespace plaudit::program
