#include "plaudit/reward/program_lexer.h"

#include <cstdlib>

#include "plaudit/data/unicode.h"

namespace plaudit::program {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_high(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

struct Bracket {
  char open;
  int line;
  int column;
};

class Lexer {
 public:
  Lexer(std::string_view source, ProgramFaults& forbidden) : source_(source), forbidden_(forbidden) {}

  TokenList run() {
    if (source_.size() > kProgramMaxSource) fail("the program is longer than 64 KiB");
    if (!is_valid_utf8(source_)) fail("the program is not UTF-8");
    if (source_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;
    while (at_ < source_.size()) {
      if (line_begins_ && brackets_.empty()) {
        line_begins_ = false;
        if (!indentation()) continue;
      }
      token();
    }
    if (!out_.tokens.empty() && out_.tokens.back().kind != TokenKind::newline &&
        out_.tokens.back().kind != TokenKind::dedent)
      push(TokenKind::newline);
    for (; indents_.size() > 1; indents_.pop_back()) push(TokenKind::dedent);
    push(TokenKind::end);
    if (!brackets_.empty()) {
      out_.open = brackets_.back().open;
      out_.open_line = brackets_.back().line;
      out_.open_column = brackets_.back().column;
    }
    return std::move(out_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  int column() const { return static_cast<int>(at_ - line_start_) + 1; }

  [[noreturn]] void fail(std::string message) const {
    throw ProgramFault{ProgramErrorKind::syntax, line_, column(), std::move(message)};
  }
  void forbid(int line, int column, std::string message) {
    forbidden_.push_back({ProgramErrorKind::forbidden, line, column, std::move(message)});
  }

  Token& push(TokenKind kind) {
    out_.tokens.push_back({kind, line_, column(), {}});
    return out_.tokens.back();
  }

  void next_line() {
    ++at_;
    ++line_;
    line_start_ = at_;
  }

  // False on a line without code.
  bool indentation() {
    int width = 0;
    for (;; ++at_) {
      if (peek() == ' ') {
        ++width;
      } else if (peek() == '\t') {
        width = (width / 8 + 1) * 8;
      } else if (peek() == '\f') {
        width = 0;
      } else {
        break;
      }
    }
    if (peek() == '#') skip_comment();
    if (peek() == '\r' && peek(1) == '\n') ++at_;
    if (at_ >= source_.size()) return false;
    if (peek() == '\n') {
      next_line();
      line_begins_ = true;
      return false;
    }
    if (width > indents_.back()) {
      indents_.push_back(width);
      if (static_cast<int>(indents_.size()) > kProgramMaxNesting) fail("blocks are nested more than 64 deep");
      push(TokenKind::indent);
    }
    while (width < indents_.back()) {
      indents_.pop_back();
      push(TokenKind::dedent);
    }
    if (width != indents_.back()) fail("unindent does not match any outer indentation level");
    return true;
  }

  void skip_comment() {
    while (at_ < source_.size() && peek() != '\n') ++at_;
  }

  void token() {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\f') {
      ++at_;
    } else if (c == '\r' && (peek(1) == '\n' || at_ + 1 == source_.size())) {
      ++at_;
    } else if (c == '#') {
      skip_comment();
    } else if (c == '\n') {
      if (brackets_.empty()) {
        push(TokenKind::newline);
        line_begins_ = true;
      }
      next_line();
    } else if (c == '\\') {
      if (peek(1) == '\r' && peek(2) == '\n') ++at_;
      if (peek(1) != '\n') fail("unexpected character after line continuation character");
      ++at_;
      next_line();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (is_letter(c) || is_high(c)) {
      name();
    } else if (c == '"' || c == '\'') {
      string("");
    } else {
      operation();
    }
  }

  void name() {
    const size_t start = at_;
    const int start_column = column();
    bool high = false;
    while (is_letter(peek()) || is_digit(peek()) || is_high(peek())) {
      if (is_high(peek())) {
        size_t end = at_;
        if (!is_word_character(next_code_point(source_, end))) fail("invalid character");
        high = true;
        at_ = end;
      } else {
        ++at_;
      }
    }
    const auto text = source_.substr(start, at_ - start);
    if ((peek() == '"' || peek() == '\'') && text.size() <= 2) {
      std::string prefix;
      for (const char c : text) prefix += lower(c);
      if (prefix == "r" || prefix == "u" || prefix == "f" || prefix == "b" || prefix == "rf" ||
          prefix == "fr" || prefix == "rb" || prefix == "br") {
        at_ = start;
        if (prefix.find('f') != std::string::npos) forbid(line_, start_column, "f-strings are not allowed");
        if (prefix.find('b') != std::string::npos)
          forbid(line_, start_column, "byte strings are not allowed");
        at_ = start + text.size();
        return string(prefix);
      }
    }
    if (high) forbid(line_, start_column, "names must be ASCII letters, digits and underscores");
    auto& token = push(TokenKind::name);
    token.column = start_column;
    token.text = text;
  }

  void digits(bool (*accept)(char), std::string& out) {
    bool last_digit = false;
    while (accept(peek()) || (peek() == '_' && last_digit)) {
      last_digit = peek() != '_';
      if (last_digit) out += peek();
      ++at_;
    }
    if (!last_digit && !out.empty()) fail("invalid decimal literal");
  }

  void number() {
    const int start_column = column();
    std::string text;
    double value = 0;
    bool integer = true;
    const char radix = lower(peek(1));
    if (peek() == '0' && (radix == 'x' || radix == 'o' || radix == 'b')) {
      at_ += 2;
      const int base = radix == 'x' ? 16 : radix == 'o' ? 8 : 2;
      bool any = false;
      for (;; ++at_) {
        if (peek() == '_') continue;
        const char c = lower(peek());
        const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (digit >= base) break;
        value = value * base + digit;
        any = true;
      }
      if (!any) fail("invalid number");
    } else {
      digits(is_digit, text);
      const bool zero_led =
          text.size() > 1 && text[0] == '0' && text.find_first_not_of('0') != std::string::npos;
      if (peek() == '.') {
        integer = false;
        text += '.';
        ++at_;
        std::string fraction;
        digits(is_digit, fraction);
        text += fraction;
      }
      const char sign = peek(1);
      if (lower(peek()) == 'e' && (is_digit(sign) || ((sign == '-' || sign == '+') && is_digit(peek(2))))) {
        integer = false;
        text += 'e';
        ++at_;
        if (!is_digit(peek())) text += source_[at_++];
        std::string exponent;
        digits(is_digit, exponent);
        text += exponent;
      }
      if (integer && zero_led && lower(peek()) != 'j')
        fail("leading zeros in decimal integer literals are not permitted");
      value = std::strtod(text.c_str(), nullptr);
    }
    if (lower(peek()) == 'j') {
      forbid(line_, start_column, "complex numbers are not allowed");
      ++at_;
    }
    if (is_letter(peek()) && !keyword_follows()) fail("invalid decimal literal");
    auto& token = push(TokenKind::number);
    token.column = start_column;
    token.number = value;
    token.integer = integer;
  }

  // `1if x else 2` is Python.
  bool keyword_follows() const {
    for (const std::string_view word : {"if", "else", "and", "or", "in", "is", "for", "not"}) {
      if (source_.substr(at_).starts_with(word)) return true;
    }
    return false;
  }

  void string(const std::string& prefix) {
    const bool raw = prefix.find('r') != std::string::npos;
    const int start_line = line_, start_column = column();
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    at_ += triple ? 3 : 1;
    std::string value;
    for (;; ++at_) {
      if (at_ >= source_.size() || (!triple && peek() == '\n'))
        throw ProgramFault{ProgramErrorKind::syntax, start_line, start_column, "unterminated string literal"};
      if (peek() == quote && (!triple || (peek(1) == quote && peek(2) == quote))) break;
      if (peek() == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
      if (peek() == '\\' && at_ + 1 < source_.size()) {
        const char escaped = peek(1);
        if (escaped == '\n') {
          ++line_;
          line_start_ = at_ + 2;
        }
        if (raw) {
          value += '\\';
          value += escaped;
        } else if (escaped != '\n') {
          value += unescape(escaped);
        }
        ++at_;
        continue;
      }
      value += peek();
    }
    at_ += triple ? 3 : 1;
    auto& token = push(TokenKind::string);
    token.line = start_line;
    token.column = start_column;
    token.text = std::move(value);
  }

  // Strings are dictionary keys: the rarer escapes stay as written.
  static std::string unescape(char c) {
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
        return "\r";
      case '0':
        return std::string(1, '\0');
      case '\\':
        return "\\";
      case '\'':
        return "'";
      case '"':
        return "\"";
      default:
        return std::string("\\") + c;
    }
  }

  void operation() {
    static constexpr std::string_view operators[] = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=",
        "*=",  "/=",  "%=",  "@=",  "&=",  "|=", "^=", ":=", "+",  "-",  "*",  "/",  "%",  "@",  "&",  "|",
        "^",   "~",   "<",   ">",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  ";",  "="};
    for (const auto text : operators) {
      if (!source_.substr(at_).starts_with(text)) continue;
      push(TokenKind::op).text = text;
      bracket(text);
      at_ += text.size();
      return;
    }
    fail("invalid character");
  }

  void bracket(std::string_view text) {
    if (text == "(" || text == "[" || text == "{") {
      brackets_.push_back({text[0], line_, column()});
      if (static_cast<int>(brackets_.size()) > kProgramMaxNesting)
        fail("brackets are nested more than 64 deep");
    } else if (text == ")" || text == "]" || text == "}") {
      if (brackets_.empty()) fail("unmatched '" + std::string(text) + "'");
      const char open = brackets_.back().open;
      if (text[0] != (open == '(' ? ')' : open == '[' ? ']' : '}'))
        fail("closing '" + std::string(text) + "' does not match opening '" + open + "'");
      brackets_.pop_back();
    }
  }

  std::string_view source_;
  ProgramFaults& forbidden_;
  TokenList out_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int line_ = 1;
  bool line_begins_ = true;
  std::vector<int> indents_ = {0};
  std::vector<Bracket> brackets_;
};

}  // namespace

TokenList program_tokens(std::string_view source, ProgramFaults& forbidden) {
  return Lexer(source, forbidden).run();
}

}  // namespace plaudit::program
