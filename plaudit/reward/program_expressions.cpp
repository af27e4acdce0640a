// Expressions of reward programs, from the loosest operator to the tightest.
#include <algorithm>
#include <utility>

#include "plaudit/reward/program_expressions.h"

namespace plaudit::program {
namespace {

ExprPtr parse_unary(ProgramCursor& c);

ExprPtr parent_of(ExprPtr child, ExprKind kind) {
  auto parent = node(kind, *child);
  parent->children.push_back(std::move(child));
  return parent;
}

// The operators of one level, and how Python writes them.
using Level = std::vector<std::pair<std::string_view, Op>>;

ExprPtr parse_chain(ProgramCursor& c, const Level& level, ExprPtr (*operand)(ProgramCursor&)) {
  auto chain = operand(c);
  bool is_chain = false;
  for (;;) {
    const auto found =
        std::find_if(level.begin(), level.end(), [&](const auto& entry) { return c.at_op(entry.first); });
    if (found == level.end()) return chain;
    c.next();
    if (!std::exchange(is_chain, true)) chain = parent_of(std::move(chain), ExprKind::binary);
    chain->ops.push_back(found->second);
    chain->children.push_back(operand(c));
  }
}

ExprPtr parse_product(ProgramCursor& c) {
  static const Level level = {
      {"*", Op::mul}, {"/", Op::div}, {"//", Op::floordiv}, {"%", Op::mod}, {"@", Op::matmul}};
  return parse_chain(c, level, parse_unary);
}

ExprPtr parse_sum(ProgramCursor& c) {
  static const Level level = {{"+", Op::add}, {"-", Op::sub}};
  return parse_chain(c, level, parse_product);
}

ExprPtr parse_comparison(ProgramCursor& c) {
  static const Level level = {{"<", Op::lt},  {"<=", Op::le}, {">", Op::gt},
                              {">=", Op::ge}, {"==", Op::eq}, {"!=", Op::ne}};
  auto chain = parse_bits(c);
  bool is_chain = false;
  for (;;) {
    Op op = Op::eq;
    const auto found =
        std::find_if(level.begin(), level.end(), [&](const auto& entry) { return c.at_op(entry.first); });
    if (found != level.end()) {
      op = found->second;
      c.next();
    } else if (c.at_word("in") || c.at_word("is") || (c.at_word("not") && c.peek(1).text == "in")) {
      c.forbid(chain->line, chain->column, "the operators in and is are not allowed");
      if (c.take_word("is")) {
        c.take_word("not");
      } else {
        c.take_word("not");
        c.expect_word("in");
      }
    } else {
      return chain;
    }
    if (!std::exchange(is_chain, true)) chain = parent_of(std::move(chain), ExprKind::comparison);
    chain->ops.push_back(op);
    chain->children.push_back(parse_bits(c));
  }
}

ExprPtr parse_negation(ProgramCursor& c) {
  if (!c.at_word("not")) return parse_comparison(c);
  const ProgramCursor::Level level(c);
  auto out = node(ExprKind::unary, c.next());
  out->unary = Unary::negation;
  out->children.push_back(parse_negation(c));
  return out;
}

ExprPtr parse_words(ProgramCursor& c, std::string_view word, ExprKind kind,
                    ExprPtr (*operand)(ProgramCursor&)) {
  auto first = operand(c);
  if (!c.at_word(word)) return first;
  auto out = parent_of(std::move(first), kind);
  while (c.take_word(word)) out->children.push_back(operand(c));
  return out;
}

ExprPtr parse_conjunction(ProgramCursor& c) {
  return parse_words(c, "and", ExprKind::conjunction, parse_negation);
}

ExprPtr parse_lambda(ProgramCursor& c) {
  const auto start = c.next();
  auto out = node(ExprKind::lambda, start);
  out->function = std::make_shared<FunctionSyntax>();
  out->function->name = "<lambda>";
  out->function->line = start.line;
  out->function->column = start.column;
  out->function->parameters = parse_parameters(c, ":", /*annotated=*/false);
  c.expect_op(":");
  out->function->result = parse_expression(c);
  return out;
}

void parse_arguments(ProgramCursor& c, Expr& call) {
  const auto open = c.next();
  while (!c.at_op(")")) {
    if (c.at_op("*") || c.at_op("**")) {
      c.forbid(c.next(), "unpacking arguments is not allowed");
      call.children.push_back(parse_expression(c));
      if (!call.keywords.empty()) call.keywords.push_back("*");
    } else if (c.at_kind(TokenKind::name) && c.peek(1).kind == TokenKind::op && c.peek(1).text == "=") {
      const auto name = c.expect_name();
      c.next();
      if (std::find(call.keywords.begin(), call.keywords.end(), name.text) != call.keywords.end())
        c.fail_at(name.line, name.column, "keyword argument repeated: " + name.text);
      call.keywords.push_back(name.text);
      call.children.push_back(parse_expression(c));
    } else {
      const Token at = c.peek();
      auto value = parse_element(c);
      if (at_comprehension(c)) {
        c.forbid(at, "generator expressions are not allowed, a list comprehension is");
        parse_clauses(c, *value);
        value->clauses.clear();
      }
      if (!call.keywords.empty())
        c.fail_at(at.line, at.column, "positional argument follows keyword argument");
      call.children.push_back(std::move(value));
    }
    if (!c.take_op(",")) break;
  }
  c.expect_op(")");
}

// a, a:b, a:b:c
ExprPtr parse_subscript(ProgramCursor& c) {
  const Token at = c.peek();
  ExprPtr first;
  if (!c.at_op(":")) first = parse_element(c);
  if (!c.at_op(":")) return first;
  auto slice = node(ExprKind::slice, at);
  slice->children.push_back(std::move(first));
  for (int part = 0; part < 2; ++part) {
    ExprPtr bound;
    if (c.take_op(":") && !c.at_any_op({":", "]", ","})) bound = parse_expression(c);
    slice->children.push_back(std::move(bound));
  }
  return slice;
}

ExprPtr parse_subscripts(ProgramCursor& c) {
  const auto open = c.next();
  if (c.at_op("]")) c.fail();
  auto first = parse_subscript(c);
  if (!c.at_op(",")) {
    c.expect_op("]");
    return first;
  }
  auto tuple = parent_of(std::move(first), ExprKind::tuple);
  while (c.take_op(",") && !c.at_op("]")) tuple->children.push_back(parse_subscript(c));
  c.expect_op("]");
  return tuple;
}

ExprPtr parse_postfix(ProgramCursor& c) {
  if (c.at_word("await")) c.forbid(c.next(), "await is not allowed");
  auto out = parse_atom(c);
  for (int length = 0;; ++length) {
    if (!c.at_any_op({".", "(", "["})) return out;
    if (length >= kProgramMaxNesting) c.fail_at(c.peek().line, c.peek().column, "chained more than 64 deep");
    auto outer = node(c.at_op(".")   ? ExprKind::attribute
                      : c.at_op("(") ? ExprKind::call
                                     : ExprKind::index,
                      *out);
    outer->children.push_back(std::move(out));
    if (outer->kind == ExprKind::attribute) {
      c.next();
      if (c.at_kind(TokenKind::name) && c.peek().text.starts_with("__")) {
        c.forbid(outer->line, outer->column, "names that start with two underscores are not allowed");
        outer->text = c.next().text;
      } else {
        outer->text = c.expect_name().text;
      }
    } else if (outer->kind == ExprKind::call) {
      parse_arguments(c, *outer);
    } else {
      outer->children.push_back(parse_subscripts(c));
    }
    out = std::move(outer);
  }
}

ExprPtr parse_power(ProgramCursor& c) {
  auto base = parse_postfix(c);
  if (!c.at_op("**")) return base;
  const ProgramCursor::Level level(c);
  auto out = node(ExprKind::binary, *base);
  c.next();
  out->ops.push_back(Op::pow);
  out->children.push_back(std::move(base));
  out->children.push_back(parse_unary(c));  // binds to the right, and tighter than a minus on its left
  return out;
}

ExprPtr parse_unary(ProgramCursor& c) {
  if (!c.at_any_op({"+", "-", "~"})) return parse_power(c);
  const ProgramCursor::Level level(c);
  const auto token = c.next();
  auto out = node(ExprKind::unary, token);
  out->unary = token.text == "-" ? Unary::minus : Unary::plus;
  if (token.text == "~") c.forbid(token, "the operator ~ is not allowed");
  out->children.push_back(parse_unary(c));
  return out;
}

// One item alone, or a tuple of items apart by commas, the last of which may stand before what `ends` it.
ExprPtr parse_tuple(ProgramCursor& c, ExprPtr (*item)(ProgramCursor&), bool (*ends)(const ProgramCursor&)) {
  auto first = item(c);
  if (!c.at_op(",")) return first;
  auto tuple = parent_of(std::move(first), ExprKind::tuple);
  while (c.take_op(",") && !ends(c)) tuple->children.push_back(item(c));
  return tuple;
}

}  // namespace

ExprPtr parse_bits(ProgramCursor& c) {
  auto first = parse_sum(c);
  while (c.at_any_op({"|", "^", "&", "<<", ">>"})) {
    c.forbid(first->line, first->column, "the operator " + c.peek().text + " is not allowed");
    c.next();
    parse_sum(c);
  }
  return first;
}

ExprPtr parse_disjunction(ProgramCursor& c) {
  return parse_words(c, "or", ExprKind::disjunction, parse_conjunction);
}

ExprPtr parse_expression(ProgramCursor& c) {
  const ProgramCursor::Level level(c);
  if (c.at_word("lambda")) return parse_lambda(c);
  auto first = parse_disjunction(c);
  if (!c.at_word("if")) return first;
  auto out = node(ExprKind::conditional, *first);
  c.next();
  auto condition = parse_disjunction(c);
  c.expect_word("else");
  out->children.push_back(std::move(condition));
  out->children.push_back(std::move(first));
  out->children.push_back(parse_expression(c));
  return out;
}

ExprPtr parse_expression_list(ProgramCursor& c) {
  return parse_tuple(c, parse_element, [](const ProgramCursor& at) {
    return at.at_kind(TokenKind::newline) || at.at_kind(TokenKind::end) || at.at_any_op({"=", ":", ";", ")"});
  });
}

ExprPtr parse_target_list(ProgramCursor& c) {
  return parse_tuple(c, parse_bits, [](const ProgramCursor& at) { return at.at_word("in"); });
}

void check_target(ProgramCursor& c, const Expr& target, bool augmented) {
  switch (target.kind) {
    case ExprKind::name:
      if (target.text == "self") c.forbid(target.line, target.column, "self cannot be assigned");
      return;
    case ExprKind::attribute:
      c.forbid(target.line, target.column, "attributes and bindings cannot be assigned");
      return;
    case ExprKind::index:
      return;
    case ExprKind::tuple:
    case ExprKind::list:
      if (augmented) break;
      for (const auto& child : target.children) check_target(c, *child, false);
      return;
    default:
      break;
  }
  c.fail_at(target.line, target.column, "cannot assign to this expression");
}

std::vector<Parameter> parse_parameters(ProgramCursor& c, std::string_view end, bool annotated) {
  std::vector<Parameter> out;
  while (!c.at_op(end)) {
    if (c.at_any_op({"*", "**", "/"})) {
      c.forbid(c.next(), "only plain parameters are allowed");
      if (c.take_op(",")) continue;
      if (c.at_op(end)) break;
    }
    const auto name = c.expect_name();
    for (const auto& other : out) {
      if (other.name == name.text)
        c.fail_at(name.line, name.column, "duplicate argument '" + name.text + "' in function definition");
    }
    Parameter parameter{name.text, name.line, name.column, nullptr};
    if (annotated && c.take_op(":")) parse_expression(c);
    if (c.take_op("=")) {
      parameter.default_value = parse_expression(c);
    } else if (!out.empty() && out.back().default_value) {
      c.fail_at(name.line, name.column, "non-default argument follows default argument");
    }
    out.push_back(std::move(parameter));
    if (!c.take_op(",")) break;
  }
  return out;
}

}  // namespace plaudit::program
