#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/jinja_expression.h"
#include "plaudit/data/jinja_lexer.h"
#include "plaudit/data/jinja_syntax.h"

namespace plaudit::jinja {
namespace {

// Builds the tree of statements; expressions are ExpressionParser's work.
class Parser {
 public:
  explicit Parser(std::vector<Chunk> chunks) : chunks_(std::move(chunks)) {}

  Block run() {
    auto block = parse_block({});
    if (pos_ < chunks_.size()) refuse(chunks_[pos_], "nothing is open that '" + word() + "' could end");
    return block;
  }

 private:
  [[noreturn]] static void refuse(const Chunk& chunk, const std::string& message) {
    fail(ErrorKind::value, place(chunk.line), message);
  }

  // The first word of the current statement; "" when the current chunk is none.
  std::string word() const {
    if (pos_ >= chunks_.size() || chunks_[pos_].kind != Chunk::Kind::statement) return "";
    return chunks_[pos_].tokens.front().text;
  }

  // Everything up to a statement that starts with one of `ends`, which is not consumed.
  Block parse_block(const std::vector<std::string>& ends) {
    if (++depth_ > kDeepest) refuse(chunks_[std::min(pos_, chunks_.size() - 1)], "is nested too deeply");
    Block block;
    for (; pos_ < chunks_.size();) {
      const auto& chunk = chunks_[pos_];
      const auto first = word();
      const bool closes = first.starts_with("end") || first == "else" || first == "elif";
      if (closes && (ends.empty() || std::find(ends.begin(), ends.end(), first) != ends.end())) break;
      if (closes) refuse(chunk, "expected '" + ends.back() + "', got '" + first + "'");
      if (first == "generation") {  // marks the model's own turns; renders as what it holds
        auto inner = parse_body("endgeneration");
        std::move(inner.begin(), inner.end(), std::back_inserter(block));
        continue;
      }
      block.push_back(parse_node());
    }
    --depth_;
    return block;
  }

  // The block behind the current statement, whose end is consumed.
  Block parse_body(const std::string& end) {
    const auto& start = chunks_[pos_++];
    auto block = parse_block({end});
    expect(end, start);
    return block;
  }

  void expect(const std::string& end, const Chunk& start) {
    if (word() != end) refuse(start, "'" + start.tokens.front().text + "' has no '" + end + "'");
    ++pos_;
  }

  std::unique_ptr<const Node> parse_node() {
    const auto& chunk = chunks_[pos_];
    auto node = std::make_unique<Node>();
    node->line = chunk.line;
    if (chunk.kind == Chunk::Kind::text) {
      node->text = chunk.text;
      ++pos_;
    } else if (chunk.kind == Chunk::Kind::output) {
      node->kind = Node::Kind::output;
      ExpressionParser parser(chunk.tokens);
      node->expr = parser.expression();
      parser.expect_end();
      ++pos_;
    } else {
      parse_statement(*node);
    }
    return node;
  }

  void parse_statement(Node& node) {
    const auto first = word();
    if (first == "for") {
      parse_loop(node);
    } else if (first == "if") {
      parse_branch(node);
    } else if (first == "set") {
      parse_set(node);
    } else if (first == "break" || first == "continue") {
      node.kind = first == "break" ? Node::Kind::leave : Node::Kind::next;
      if (loops_ == 0) refuse(chunks_[pos_], "'" + first + "' stands outside a loop");
      ++pos_;
    } else {
      refuse(chunks_[pos_], "does not know the statement '" + first + "'" +
                                suggestion(first, {"for", "if", "set", "break", "continue", "generation"}));
    }
  }

  void parse_loop(Node& node) {
    const auto& start = chunks_[pos_++];
    node.kind = Node::Kind::loop;
    ExpressionParser parser(start.tokens);
    parser.take("for");
    const bool bracket = parser.accept("(");
    do node.names.push_back(parser.name());
    while (parser.accept(","));
    if (bracket) parser.take(")");
    parser.take("in");
    node.expr = parser.expression_without_condition();
    if (parser.accept("if")) node.filter = parser.expression();
    if (parser.accept("recursive")) refuse(start, "does not know 'recursive' loops");
    parser.expect_end();
    ++loops_;
    node.blocks.push_back(parse_block({"else", "endfor"}));
    --loops_;
    if (word() == "else") {
      ++pos_;
      node.blocks.push_back(parse_block({"endfor"}));
    }
    expect("endfor", start);
  }

  void parse_branch(Node& node) {
    const auto start = pos_;
    node.kind = Node::Kind::branch;
    while (word() == "if" || word() == "elif" || word() == "else") {
      const auto& chunk = chunks_[pos_++];
      ExpressionParser parser(chunk.tokens);
      const bool last = parser.accept("else");
      if (!last) {
        parser.take(chunk.tokens.front().text);
        node.conditions.push_back(parser.expression());
      } else {
        node.conditions.push_back(nullptr);
      }
      parser.expect_end();
      node.blocks.push_back(last ? parse_block({"endif"}) : parse_block({"elif", "else", "endif"}));
    }
    expect("endif", chunks_[start]);
  }

  void parse_set(Node& node) {
    const auto& start = chunks_[pos_];
    ExpressionParser parser(start.tokens);
    parser.take("set");
    node.text = parser.name();
    if (parser.accept(".")) node.member = parser.name();
    if (parser.accept("=")) {
      node.kind = Node::Kind::set;
      node.expr = parser.tuple();
      parser.expect_end();
      ++pos_;
    } else {
      node.kind = Node::Kind::set_block;
      parser.expect_end();
      node.blocks.push_back(parse_body("endset"));
    }
  }

  static constexpr int kDeepest = 100;
  std::vector<Chunk> chunks_;
  size_t pos_ = 0;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

std::string place(int line) {
  return fmt::format("chat template: line {}", line);
}

void refuse(int line, const std::string& message) {
  fail(ErrorKind::value, place(line), message);
}

Block parse(std::string_view source) {
  return Parser(cut(source)).run();
}

}  // namespace plaudit::jinja
