#include "plaudit/data/jinja_lexer.h"

#include <cctype>

#include "plaudit/core/errors.h"
#include "plaudit/data/jinja_syntax.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"

namespace plaudit::jinja {
namespace {

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c));
}

// Reads the tokens of one tag.
class TokenReader {
 public:
  TokenReader(std::string_view source, size_t pos, int line) : source_(source), pos_(pos), line_(line) {}

  // Reads up to the closing `close`; afterwards position() is at it, before its sign.
  std::vector<Token> read(std::string_view close) {
    int depth = 0;  // of brackets: {{ {'a': 1} }} does not end at the first }
    while (true) {
      skip_space();
      if (pos_ >= source_.size()) fail(ErrorKind::value, place(line_), "a tag has no end");
      if (depth == 0 && at_close(close)) break;
      read_token();
      const auto& text = tokens_.back().text;
      if (tokens_.back().kind != Token::Kind::symbol) continue;
      if (text == "(" || text == "[" || text == "{") ++depth;
      if (text == ")" || text == "]" || text == "}") depth = std::max(0, depth - 1);
    }
    tokens_.push_back({Token::Kind::end, "(end)", line_});
    return std::move(tokens_);
  }
  size_t position() const { return pos_; }
  int line() const { return line_; }

 private:
  bool at_close(std::string_view close) const {
    const bool sign = source_[pos_] == '-' || source_[pos_] == '+';
    return source_.substr(pos_ + (sign ? 1 : 0), close.size()) == close;
  }

  void skip_space() {
    for (; pos_ < source_.size() && std::isspace(static_cast<unsigned char>(source_[pos_])); ++pos_)
      line_ += source_[pos_] == '\n';
  }

  void read_token() {
    const char c = source_[pos_];
    const size_t begin = pos_;
    if (is_name_start(c)) {
      while (pos_ < source_.size() && is_name(source_[pos_])) ++pos_;
      tokens_.push_back({Token::Kind::name, std::string(source_.substr(begin, pos_ - begin)), line_});
    } else if (is_digit(c)) {
      read_number();
    } else if (c == '\'' || c == '"') {
      read_text(c);
    } else {
      read_symbol();
    }
  }

  void read_number() {
    const size_t begin = pos_;
    while (pos_ < source_.size() && is_digit(source_[pos_])) ++pos_;
    auto kind = Token::Kind::integer;
    if (pos_ + 1 < source_.size() && source_[pos_] == '.' && is_digit(source_[pos_ + 1])) {
      kind = Token::Kind::number;
      for (++pos_; pos_ < source_.size() && is_digit(source_[pos_]);) ++pos_;
    }
    tokens_.push_back({kind, std::string(source_.substr(begin, pos_ - begin)), line_});
  }

  void read_text(char quote) {
    Token token{Token::Kind::text, "", line_};
    for (++pos_;; ++pos_) {
      if (pos_ >= source_.size()) fail(ErrorKind::value, place(token.line), "a text has no closing quote");
      const char c = source_[pos_];
      if (c == quote) break;
      line_ += c == '\n';
      if (c == '\\' && pos_ + 1 < source_.size())
        token.text += unescape(source_[++pos_]);
      else
        token.text += c;
    }
    ++pos_;
    tokens_.push_back(std::move(token));
  }

  std::string unescape(char c) const {
    switch (c) {
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'r':
        return "\r";
      case '\\':
      case '\'':
      case '"':
        return std::string(1, c);
      default:
        fail(ErrorKind::value, place(line_), std::string("does not know the escape '\\") + c + "'");
    }
  }

  void read_symbol() {
    static constexpr std::string_view kTwo[] = {"==", "!=", "<=", ">=", "//", "**"};
    static constexpr std::string_view kOne = "+-*/%~<>=.,:|()[]{}";
    for (const auto symbol : kTwo) {
      if (source_.substr(pos_, 2) != symbol) continue;
      tokens_.push_back({Token::Kind::symbol, std::string(symbol), line_});
      pos_ += 2;
      return;
    }
    if (kOne.find(source_[pos_]) == std::string_view::npos)
      fail(ErrorKind::value, place(line_),
           std::string("does not know the character '") + source_[pos_] + "'");
    tokens_.push_back({Token::Kind::symbol, std::string(1, source_[pos_]), line_});
    ++pos_;
  }

  std::string_view source_;
  size_t pos_;
  int line_;
  std::vector<Token> tokens_;
};

class Cutter {
 public:
  explicit Cutter(std::string_view source) : source_(source) {}

  std::vector<Chunk> run() {
    while (pos_ < source_.size()) {
      const size_t tag = next_tag();
      add_text(source_.substr(pos_, tag - pos_), tag);
      pos_ = tag;
      if (pos_ < source_.size()) read_tag();
    }
    return std::move(chunks_);
  }

 private:
  size_t next_tag() const {
    for (size_t at = pos_; (at = source_.find('{', at)) != std::string_view::npos; ++at) {
      if (at + 1 < source_.size() && std::string_view("{%#").find(source_[at + 1]) != std::string_view::npos)
        return at;
    }
    return source_.size();
  }

  // White space in front of a tag goes with {%-, and up to the start of the line with any statement or
  // comment.
  void add_text(std::string_view text, size_t tag) {
    const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    if (tag + 2 < source_.size() && source_[tag + 2] == '-') {
      text = strip_right(text);
    } else if (tag < source_.size() && source_[tag + 1] != '{' &&
               !(tag + 2 < source_.size() && source_[tag + 2] == '+')) {
      const auto newline = text.rfind('\n');
      const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
      const bool starts_line = line_start > 0 || at_line_start_;
      if (starts_line && strip(text.substr(line_start)).empty()) text = text.substr(0, line_start);
    }
    if (!text.empty()) chunks_.push_back({Chunk::Kind::text, std::string(text), {}, line_});
    line_ += lines;
  }

  void read_tag() {
    const char kind = source_[pos_ + 1];
    const size_t sign = pos_ + 2 < source_.size() && (source_[pos_ + 2] == '-' || source_[pos_ + 2] == '+');
    if (kind == '#') {
      const auto end = source_.find("#}", pos_ + 2);
      if (end == std::string_view::npos) fail(ErrorKind::value, place(line_), "a comment has no end");
      line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(pos_),
                                           source_.begin() + static_cast<ptrdiff_t>(end), '\n'));
      const bool minus = end > pos_ + 2 && source_[end - 1] == '-';
      const bool plus = end > pos_ + 2 && source_[end - 1] == '+';
      return close(end + 2, minus, !plus);
    }
    TokenReader reader(source_, pos_ + 2 + sign, line_);
    Chunk chunk{kind == '{' ? Chunk::Kind::output : Chunk::Kind::statement, "", {}, line_};
    chunk.tokens = reader.read(kind == '{' ? "}}" : "%}");
    chunks_.push_back(std::move(chunk));
    line_ = reader.line();
    size_t end = reader.position();
    const bool minus = source_[end] == '-', plus = source_[end] == '+';
    end += 2 + (minus || plus ? 1 : 0);
    close(end, minus, kind == '%' && !plus);
  }

  // -%} takes all white space behind it along, any other statement or comment one line break.
  void close(size_t end, bool minus, bool trims_line_break) {
    const size_t before = end;
    if (minus) {
      end = source_.size() - strip_left(source_.substr(end)).size();
    } else if (trims_line_break && end < source_.size() && source_[end] == '\n') {
      ++end;
    }
    const auto taken = source_.substr(before, end - before);
    line_ += static_cast<int>(std::count(taken.begin(), taken.end(), '\n'));
    at_line_start_ = !taken.empty() && taken.back() == '\n';
    pos_ = end;
  }

  std::string_view source_;
  size_t pos_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;
  std::vector<Chunk> chunks_;
};

}  // namespace

std::vector<Chunk> cut(std::string_view source) {
  auto text = replace_all(replace_all(source, "\r\n", "\n"), "\r", "\n");
  if (!text.empty() && text.back() == '\n') text.pop_back();  // as Jinja does by default
  return Cutter(text).run();
}

}  // namespace plaudit::jinja
