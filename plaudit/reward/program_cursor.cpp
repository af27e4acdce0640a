#include "plaudit/reward/program_cursor.h"

#include <algorithm>

namespace plaudit::program {

ProgramCursor::ProgramCursor(std::string_view source, ProgramFaults& forbidden)
    : list_(program_tokens(source, forbidden)), forbidden_(forbidden) {}

const Token& ProgramCursor::peek(size_t ahead) const {
  return list_.tokens[std::min(at_ + ahead, list_.tokens.size() - 1)];
}

Token ProgramCursor::next() {
  Token token = peek();
  if (at_ + 1 < list_.tokens.size()) ++at_;
  return token;
}

bool ProgramCursor::at_op(std::string_view text) const {
  return peek().kind == TokenKind::op && peek().text == text;
}

bool ProgramCursor::at_word(std::string_view text) const {
  return peek().kind == TokenKind::name && peek().text == text;
}

bool ProgramCursor::at_any_op(std::initializer_list<std::string_view> texts) const {
  return std::any_of(texts.begin(), texts.end(), [&](auto text) { return at_op(text); });
}

bool ProgramCursor::take_op(std::string_view text) {
  if (!at_op(text)) return false;
  next();
  return true;
}

bool ProgramCursor::take_word(std::string_view text) {
  if (!at_word(text)) return false;
  next();
  return true;
}

void ProgramCursor::expect_op(std::string_view text) {
  if (!take_op(text)) fail("expected '" + std::string(text) + "'");
}

void ProgramCursor::expect_word(std::string_view text) {
  if (!take_word(text)) fail("expected '" + std::string(text) + "'");
}

Token ProgramCursor::expect_name() {
  if (!at_kind(TokenKind::name) || is_keyword(peek().text)) fail("expected a name");
  if (peek().text.starts_with("__")) forbid(peek(), "names that start with two underscores are not allowed");
  return next();
}

void ProgramCursor::fail(const std::string& message) const {
  const auto& token = peek();
  if (list_.open_line > 0 && (token.line > list_.open_line || token.kind == TokenKind::end ||
                              token.kind == TokenKind::newline || token.kind == TokenKind::dedent))
    fail_at(list_.open_line, list_.open_column, std::string("'") + list_.open + "' was never closed");
  fail_at(token.line, token.column, message);
}

void ProgramCursor::fail_at(int line, int column, const std::string& message) const {
  throw ProgramFault{ProgramErrorKind::syntax, line, column, message};
}

void ProgramCursor::forbid(const Token& at, const std::string& message) {
  forbid(at.line, at.column, message);
}

void ProgramCursor::forbid(int line, int column, const std::string& message) {
  forbidden_.push_back({ProgramErrorKind::forbidden, line, column, message});
}

ProgramCursor::Level::Level(ProgramCursor& cursor) : cursor_(cursor) {
  if (++cursor_.depth_ > kProgramMaxNesting + 1) {
    --cursor_.depth_;
    cursor_.fail_at(cursor_.peek().line, cursor_.peek().column, "nested more than 64 deep");
  }
}

bool ProgramCursor::is_keyword(std::string_view word) {
  static constexpr std::string_view keywords[] = {
      "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
      "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
      "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
      "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
  return std::find(std::begin(keywords), std::end(keywords), word) != std::end(keywords);
}

}  // namespace plaudit::program
