// Cuts a chat template into text and tags, and tags into tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plaudit::jinja {

struct Token {
  enum class Kind { name, integer, number, text, symbol, end };
  Kind kind = Kind::end;
  std::string text;  // of a text: with its escapes undone
  int line = 1;
};

struct Chunk {
  enum class Kind { text, output, statement };
  Kind kind = Kind::text;
  std::string text;           // of text, white space control applied
  std::vector<Token> tokens;  // of a tag; the last is `end`
  int line = 1;
};

std::vector<Chunk> cut(std::string_view source);

}  // namespace plaudit::jinja
