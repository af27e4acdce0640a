// Literals, names, displays and comprehensions of reward programs.
#include <utility>

#include "plaudit/reward/program_expressions.h"

namespace plaudit::program {
namespace {

// ( ... ), [ ... ]: elements until `close`.
void parse_elements(ProgramCursor& c, std::string_view close, Expr& out) {
  while (!c.at_op(close)) {
    out.children.push_back(parse_element(c));
    if (!c.take_op(",")) break;
  }
  c.expect_op(close);
}

ExprPtr parse_parenthesis(ProgramCursor& c) {
  const auto open = c.next();
  if (c.at_word("yield")) {
    c.forbid(c.next(), "yield is not allowed");
    c.take_word("from");
    if (c.take_op(")")) return node(ExprKind::none, open);
    auto value = parse_expression_list(c);
    c.expect_op(")");
    return value;
  }
  auto tuple = node(ExprKind::tuple, open);
  if (c.take_op(")")) return tuple;
  auto first = parse_element(c);
  if (at_comprehension(c)) {
    c.forbid(open, "generator expressions are not allowed, a list comprehension is");
    parse_clauses(c, *tuple);
    tuple->clauses.clear();
    c.expect_op(")");
    return tuple;
  }
  if (c.take_op(")")) {
    // The parenthesised expression starts at its parenthesis only for tuples, as in Python.
    return first;
  }
  if (!c.take_op(",")) c.fail("invalid syntax, perhaps a comma is missing");
  tuple->children.push_back(std::move(first));
  parse_elements(c, ")", *tuple);
  return tuple;
}

ExprPtr parse_list(ProgramCursor& c) {
  const auto open = c.next();
  auto list = node(ExprKind::list, open);
  if (c.take_op("]")) return list;
  auto first = parse_element(c);
  list->children.push_back(std::move(first));
  if (at_comprehension(c)) {
    list->kind = ExprKind::comprehension;
    list->function = std::make_shared<FunctionSyntax>();
    list->function->name = "<listcomp>";
    parse_clauses(c, *list);
    c.expect_op("]");
    return list;
  }
  if (c.take_op("]")) return list;
  if (!c.take_op(",")) c.fail("invalid syntax, perhaps a comma is missing");
  parse_elements(c, "]", *list);
  return list;
}

ExprPtr parse_braces(ProgramCursor& c) {
  const auto open = c.next();
  auto dict = node(ExprKind::dict, open);
  bool set = false;
  while (!c.at_op("}")) {
    if (c.at_op("**")) {
      c.forbid(c.next(), "dictionary unpacking is not allowed");
      parse_bits(c);
    } else {
      auto key = parse_element(c);
      if (c.take_op(":")) {
        if (set) c.fail();
        dict->children.push_back(std::move(key));
        dict->children.push_back(parse_expression(c));
      } else {
        if (!dict->children.empty()) c.fail("':' expected after dictionary key");
        set = true;
      }
      if (at_comprehension(c)) {
        c.forbid(open, "set and dictionary comprehensions are not allowed");
        parse_clauses(c, *dict);
        dict->clauses.clear();
        break;
      }
    }
    if (!c.take_op(",")) break;
  }
  c.expect_op("}");
  if (set) c.forbid(open, "sets are not allowed");
  return dict;
}

}  // namespace

void parse_clauses(ProgramCursor& c, Expr& out) {
  while (c.at_word("for") || c.at_word("async")) {
    if (c.at_word("async")) c.forbid(c.next(), "async is not allowed");
    c.expect_word("for");
    Expr::Clause clause;
    clause.target = parse_target_list(c);
    check_target(c, *clause.target, /*augmented=*/false);
    c.expect_word("in");
    clause.source = parse_disjunction(c);
    while (c.take_word("if")) clause.conditions.push_back(parse_disjunction(c));
    out.clauses.push_back(std::move(clause));
  }
}

bool at_comprehension(const ProgramCursor& c) {
  return c.at_word("for") || c.at_word("async");
}

ExprPtr parse_element(ProgramCursor& c) {
  if (c.at_op("*")) {
    c.forbid(c.next(), "starred expressions are not allowed");
    return parse_bits(c);
  }
  auto out = parse_expression(c);
  if (c.at_op(":=")) {
    if (out->kind != ExprKind::name) c.fail();
    c.forbid(c.next(), "the operator := is not allowed");
    return parse_expression(c);
  }
  return out;
}

ExprPtr parse_atom(ProgramCursor& c) {
  const auto& token = c.peek();
  if (token.kind == TokenKind::number) {
    auto out = node(ExprKind::number, token);
    out->number = token.number;
    out->integer = token.integer;
    c.next();
    return out;
  }
  if (token.kind == TokenKind::string) {
    auto out = node(ExprKind::string, token);
    while (c.at_kind(TokenKind::string)) out->text += c.next().text;
    return out;
  }
  if (token.kind == TokenKind::name) {
    if (token.text == "None") return node(ExprKind::none, c.next());
    if (token.text == "True" || token.text == "False") {
      auto out = node(ExprKind::boolean, token);
      out->number = token.text == "True" ? 1 : 0;
      c.next();
      return out;
    }
    auto out = node(ExprKind::name, token);
    out->text = c.expect_name().text;
    return out;
  }
  if (c.at_op("...")) {
    c.forbid(token, "the ellipsis is not allowed");
    return node(ExprKind::none, c.next());
  }
  if (c.at_op("(")) return parse_parenthesis(c);
  if (c.at_op("[")) return parse_list(c);
  if (c.at_op("{")) return parse_braces(c);
  c.fail();
}

}  // namespace plaudit::program
