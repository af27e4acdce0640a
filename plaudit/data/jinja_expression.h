// Parses the expressions of a chat template's tags.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/jinja_lexer.h"
#include "plaudit/data/jinja_syntax.h"

namespace plaudit::jinja {

class ExpressionParser {
 public:
  // `tokens` must outlive the parser.
  explicit ExpressionParser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  ExprPtr expression();                    // with "a if b else c"
  ExprPtr expression_without_condition();  // the list of a loop, which an "if" may follow
  ExprPtr tuple();                         // one expression, or several with commas (a list)

  std::string name();
  bool accept(std::string_view text);  // consumes that name or symbol when it comes next
  void take(std::string_view text);    // consumes it, or refuses what comes instead
  void expect_end();

 private:
  const Token& token() const { return tokens_[pos_]; }
  bool is(std::string_view text) const;
  [[noreturn]] void refuse(const std::string& message) const;
  std::unique_ptr<Expr> make(Expr::Kind kind, std::string text = "") const;
  ExprPtr binary(std::string text, ExprPtr left, ExprPtr right) const;

  ExprPtr disjunction();
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr unary();
  ExprPtr primary();
  ExprPtr number(const Token& token) const;
  ExprPtr bracketed();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr expr);
  ExprPtr subscript(ExprPtr expr);
  ExprPtr filters(ExprPtr expr);
  ExprPtr test(ExprPtr expr);
  void arguments(Expr& call);

  const std::vector<Token>& tokens_;
  size_t pos_ = 0;
  int depth_ = 0;
};

}  // namespace plaudit::jinja
