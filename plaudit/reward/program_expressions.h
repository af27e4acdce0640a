// What the two files that parse expressions of reward programs share.
#pragma once

#include <memory>

#include "plaudit/reward/program_cursor.h"

namespace plaudit::program {

// A node at a token, or where another node starts.
template <class At>
ExprPtr node(ExprKind kind, const At& at) {
  return std::unique_ptr<Expr>(new Expr{kind, at.line, at.column});
}

// program_expressions.cpp: operators, from the loosest to the tightest.
ExprPtr parse_disjunction(ProgramCursor& cursor);
// | ^ & << >>: Python, but not of the language. Their precedences among each other do not matter.
ExprPtr parse_bits(ProgramCursor& cursor);

// program_atoms.cpp: literals, names, displays and comprehensions.
ExprPtr parse_atom(ProgramCursor& cursor);
// An element of a display. A starred or a named expression is Python in many places, and nowhere allowed.
ExprPtr parse_element(ProgramCursor& cursor);
bool at_comprehension(const ProgramCursor& cursor);
// The for and if of a comprehension, behind its element.
void parse_clauses(ProgramCursor& cursor, Expr& out);

}  // namespace plaudit::program
