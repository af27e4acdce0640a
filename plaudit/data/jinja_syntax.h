// The syntax tree of chat templates, and the parser that makes it.
//
// Statements: for (with unpacking, if and else), if/elif/else, set (of a name, of a namespace's member, of a
// block), break, continue, generation. Expressions: literals, names, members, subscripts, slices, calls,
// filters, tests, conditionals and the operators of Jinja. White space is handled as transformers does:
// trim_blocks, lstrip_blocks, and the - and + signs. Anything else is a UserError that names it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plaudit::jinja {

using Json = nlohmann::ordered_json;

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

struct Expr {
  enum class Kind {
    literal,      // value
    name,         // text
    list,         // args
    dict,         // args: key, value, key, value, ...
    member,       // args[0].text
    subscript,    // args[0][args[1]]
    slice,        // args[0][args[1]:args[2]:args[3]], absent ones are null
    call,         // text(args, named)
    method,       // args[0].text(args[1..], named)
    filter,       // args[0] | text(args[1..], named)
    test,         // args[0] is text(args[1..])
    unary,        // text is "not", "-" or "+"
    binary,       // args[0] text args[1]
    conditional,  // args[0] if args[1] else args[2] (may be null)
  };
  Kind kind = Kind::literal;
  int line = 1;
  std::string text;
  Json value;
  std::vector<ExprPtr> args;
  std::vector<std::pair<std::string, ExprPtr>> named;
};

struct Node;
using Block = std::vector<std::unique_ptr<const Node>>;

struct Node {
  enum class Kind { text, output, loop, branch, set, set_block, leave, next };
  Kind kind = Kind::text;
  int line = 1;
  std::string text;                // of text; the name that set assigns
  std::string member;              // of a namespace, when set assigns one
  std::vector<std::string> names;  // of loop
  ExprPtr expr;                    // output, set: the value; loop: the list
  ExprPtr filter;                  // loop: if
  // branch: one condition per block, null for else. loop: blocks[0] the body, blocks[1] the else.
  std::vector<ExprPtr> conditions;
  std::vector<Block> blocks;
};

// `source` is valid UTF-8.
Block parse(std::string_view source);

// "chat template: line 3"
std::string place(int line);
// A UserError of that place.
[[noreturn]] void refuse(int line, const std::string& message);

}  // namespace plaudit::jinja
