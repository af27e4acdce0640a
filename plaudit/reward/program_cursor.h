// Walking over the tokens of a reward program: what both halves of the parser share.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "plaudit/reward/program_lexer.h"
#include "plaudit/reward/program_syntax.h"

namespace plaudit::program {

class ProgramCursor {
 public:
  ProgramCursor(std::string_view source, ProgramFaults& forbidden);

  const Token& peek(size_t ahead = 0) const;
  Token next();
  bool at_op(std::string_view text) const;
  bool at_word(std::string_view text) const;
  bool at_any_op(std::initializer_list<std::string_view> texts) const;
  bool at_kind(TokenKind kind) const { return peek().kind == kind; }
  bool take_op(std::string_view text);
  bool take_word(std::string_view text);
  void expect_op(std::string_view text);
  void expect_word(std::string_view text);
  // A name that is no keyword; one that starts with two underscores is forbidden.
  Token expect_name();

  // A syntax error here, or at the bracket that was never closed.
  [[noreturn]] void fail(const std::string& message = "invalid syntax") const;
  [[noreturn]] void fail_at(int line, int column, const std::string& message) const;
  void forbid(const Token& at, const std::string& message);
  void forbid(int line, int column, const std::string& message);

  // Counts one level of an expression while it lives (the lexer counts those of blocks).
  class Level {
   public:
    explicit Level(ProgramCursor& cursor);
    ~Level() { --cursor_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    ProgramCursor& cursor_;
  };

  static bool is_keyword(std::string_view word);

 private:
  TokenList list_;
  ProgramFaults& forbidden_;
  size_t at_ = 0;
  int depth_ = 0;
};

// program_expressions.cpp
ExprPtr parse_expression(ProgramCursor& cursor);       // conditional, lambda
ExprPtr parse_expression_list(ProgramCursor& cursor);  // a, b, c is a tuple
ExprPtr parse_target_list(ProgramCursor& cursor);      // of a for
// Python's own rule: a name, attribute, subscript, or a tuple or list of these. Writes to attributes are
// forbidden.
void check_target(ProgramCursor& cursor, const Expr& target, bool augmented);
std::vector<Parameter> parse_parameters(ProgramCursor& cursor, std::string_view end, bool annotated);

}  // namespace plaudit::program
