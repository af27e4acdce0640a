#include "plaudit/data/jinja_expression.h"

#include <charconv>
#include <cstdlib>

#include "plaudit/core/errors.h"

namespace plaudit::jinja {

using Kind = Expr::Kind;

bool ExpressionParser::is(std::string_view text) const {
  const auto kind = token().kind;
  return (kind == Token::Kind::name || kind == Token::Kind::symbol) && token().text == text;
}

bool ExpressionParser::accept(std::string_view text) {
  if (!is(text)) return false;
  ++pos_;
  return true;
}

void ExpressionParser::take(std::string_view text) {
  if (!accept(text)) refuse("expected '" + std::string(text) + "', got '" + token().text + "'");
}

std::string ExpressionParser::name() {
  if (token().kind != Token::Kind::name) refuse("expected a name, got '" + token().text + "'");
  return tokens_[pos_++].text;
}

void ExpressionParser::expect_end() {
  if (token().kind != Token::Kind::end) refuse("does not know what to do with '" + token().text + "' here");
}

void ExpressionParser::refuse(const std::string& message) const {
  fail(ErrorKind::value, place(token().line), message);
}

std::unique_ptr<Expr> ExpressionParser::make(Kind kind, std::string text) const {
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->text = std::move(text);
  out->line = token().line;
  return out;
}

ExprPtr ExpressionParser::binary(std::string text, ExprPtr left, ExprPtr right) const {
  auto out = make(Kind::binary, std::move(text));
  out->args.push_back(std::move(left));
  out->args.push_back(std::move(right));
  return out;
}

ExprPtr ExpressionParser::expression_without_condition() {
  return disjunction();
}

ExprPtr ExpressionParser::expression() {
  if (++depth_ > 100) refuse("is nested too deeply");
  auto value = disjunction();
  while (accept("if")) {
    auto out = make(Kind::conditional);
    out->args.push_back(std::move(value));
    out->args.push_back(disjunction());
    out->args.push_back(accept("else") ? expression() : nullptr);
    value = std::move(out);
  }
  --depth_;
  return value;
}

ExprPtr ExpressionParser::tuple() {
  auto first = expression();
  if (!is(",")) return first;
  auto out = make(Kind::list);
  out->args.push_back(std::move(first));
  while (accept(",") && token().kind != Token::Kind::end && !is(")")) out->args.push_back(expression());
  return out;
}

ExprPtr ExpressionParser::disjunction() {
  auto left = conjunction();
  while (accept("or")) left = binary("or", std::move(left), conjunction());
  return left;
}

ExprPtr ExpressionParser::conjunction() {
  auto left = negation();
  while (accept("and")) left = binary("and", std::move(left), negation());
  return left;
}

ExprPtr ExpressionParser::negation() {
  if (!is("not")) return comparison();
  if (++depth_ > 100) refuse("is nested too deeply");
  auto out = make(Kind::unary, "not");
  take("not");
  out->args.push_back(negation());
  --depth_;
  return out;
}

// a < b < c compares neighbours, as in Python.
ExprPtr ExpressionParser::comparison() {
  static constexpr std::string_view kOperators[] = {"==", "!=", "<=", ">=", "<", ">", "in"};
  auto left = sum();
  bool again = false;
  while (true) {
    std::string op;
    for (const auto candidate : kOperators) {
      if (op.empty() && accept(candidate)) op = candidate;
    }
    if (op.empty() && is("not") && tokens_[pos_ + 1].text == "in") {
      pos_ += 2;
      op = "not in";
    }
    if (op.empty()) return left;
    if (again) refuse("does not know chained comparisons");
    left = binary(op, std::move(left), sum());
    again = true;
  }
}

ExprPtr ExpressionParser::sum() {
  auto left = concatenation();
  while (is("+") || is("-")) {
    const auto op = tokens_[pos_++].text;
    left = binary(op, std::move(left), concatenation());
  }
  return left;
}

ExprPtr ExpressionParser::concatenation() {
  auto left = product();
  while (accept("~")) left = binary("~", std::move(left), product());
  return left;
}

ExprPtr ExpressionParser::product() {
  auto left = unary();
  while (is("*") || is("/") || is("//") || is("%")) {
    const auto op = tokens_[pos_++].text;
    left = binary(op, std::move(left), unary());
  }
  if (is("**")) refuse("does not know the operator '**'");
  return left;
}

// A sign binds tighter than members, filters and tests do: -x|abs is (-x)|abs.
ExprPtr ExpressionParser::unary() {
  if (!is("-") && !is("+")) return filters(postfix(primary()));
  if (++depth_ > 100) refuse("is nested too deeply");
  auto out = make(Kind::unary, tokens_[pos_].text);
  ++pos_;
  out->args.push_back(is("-") || is("+") ? unary() : postfix(primary()));
  --depth_;
  return filters(std::move(out));
}

ExprPtr ExpressionParser::primary() {
  const Token& now = token();
  switch (now.kind) {
    case Token::Kind::text: {
      auto out = make(Kind::literal);
      for (; token().kind == Token::Kind::text; ++pos_) out->text += token().text;  // neighbours join
      out->value = out->text;
      return out;
    }
    case Token::Kind::integer:
    case Token::Kind::number:
      ++pos_;
      return number(now);
    case Token::Kind::name:
      break;
    case Token::Kind::symbol:
      return bracketed();
    case Token::Kind::end:
      refuse("expected a value before the end of the tag");
  }
  const bool constant = now.text == "true" || now.text == "True" || now.text == "false" ||
                        now.text == "False" || now.text == "none" || now.text == "None";
  auto out = make(constant ? Kind::literal : Kind::name, now.text);
  if (constant && (now.text[0] == 'n' || now.text[0] == 'N'))
    out->value = nullptr;
  else if (constant)
    out->value = now.text == "true" || now.text == "True";
  ++pos_;
  if (out->kind == Kind::name && is("(")) {
    out->kind = Kind::call;
    arguments(*out);
  }
  return out;
}

ExprPtr ExpressionParser::number(const Token& now) const {
  auto out = make(Kind::literal);
  if (now.kind == Token::Kind::number) {
    out->value = std::strtod(now.text.c_str(), nullptr);
    return out;
  }
  int64_t value = 0;
  const auto end = now.text.data() + now.text.size();
  if (std::from_chars(now.text.data(), end, value).ec != std::errc())
    refuse("the number " + now.text + " is too large");
  out->value = value;
  return out;
}

ExprPtr ExpressionParser::bracketed() {
  if (accept("(")) {
    if (is(")")) refuse("does not know the empty tuple");
    auto out = tuple();
    take(")");
    return out;
  }
  if (accept("[")) {
    auto out = make(Kind::list);
    while (!is("]")) {
      out->args.push_back(expression());
      if (!accept(",")) break;
    }
    take("]");
    return out;
  }
  if (is("{")) return dict();
  refuse("expected a value, got '" + token().text + "'");
}

ExprPtr ExpressionParser::dict() {
  auto out = make(Kind::dict);
  take("{");
  while (!is("}")) {
    out->args.push_back(expression());
    take(":");
    out->args.push_back(expression());
    if (!accept(",")) break;
  }
  take("}");
  return out;
}

ExprPtr ExpressionParser::postfix(ExprPtr expr) {
  while (true) {
    if (accept(".")) {
      auto out = make(Kind::member, name());
      out->args.push_back(std::move(expr));
      if (is("(")) {
        out->kind = Kind::method;
        arguments(*out);
      }
      expr = std::move(out);
    } else if (accept("[")) {
      expr = subscript(std::move(expr));
    } else if (is("(")) {
      refuse("can only call functions and methods by name");
    } else {
      return expr;
    }
  }
}

ExprPtr ExpressionParser::subscript(ExprPtr expr) {
  auto out = make(Kind::subscript);
  out->args.push_back(std::move(expr));
  ExprPtr parts[3];
  int part = 0;
  bool slice = false;
  while (!is("]")) {
    if (accept(":")) {
      slice = true;
      if (++part > 2) refuse("a slice has at most three parts");
    } else {
      if (parts[part]) take("]");
      parts[part] = expression();
    }
  }
  take("]");
  if (!slice && !parts[0]) refuse("expected an index");
  if (slice) out->kind = Kind::slice;
  for (int i = 0; i < (slice ? 3 : 1); ++i) out->args.push_back(std::move(parts[i]));
  return out;
}

ExprPtr ExpressionParser::filters(ExprPtr expr) {
  while (true) {
    if (accept("|")) {
      auto out = make(Kind::filter, name());
      out->args.push_back(std::move(expr));
      if (is("(")) arguments(*out);
      expr = postfix(std::move(out));
    } else if (accept("is")) {
      expr = test(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr ExpressionParser::test(ExprPtr expr) {
  const bool negated = accept("not");
  auto out = make(Kind::test, name());
  out->args.push_back(std::move(expr));
  if (is("(")) arguments(*out);
  if (!negated) return out;
  auto opposite = make(Kind::unary, "not");
  opposite->args.push_back(std::move(out));
  return opposite;
}

// (a, b, key=c)
void ExpressionParser::arguments(Expr& call) {
  take("(");
  while (!is(")")) {
    const bool named = token().kind == Token::Kind::name && tokens_[pos_ + 1].kind == Token::Kind::symbol &&
                       tokens_[pos_ + 1].text == "=";
    if (named) {
      const auto key = name();
      take("=");
      call.named.emplace_back(key, expression());
    } else {
      call.args.push_back(expression());
    }
    if (!accept(",")) break;
  }
  take(")");
}

}  // namespace plaudit::jinja
