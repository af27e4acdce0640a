// What expressions of reward programs are worth; calls are in program_calls.cpp.
#include "plaudit/reward/program_evaluator.h"

#include <utility>

namespace plaudit::program {

Value Evaluator::evaluate(const Expr& e, const Value& env) {
  m_.at = {e.line, e.column};
  m_.step();
  switch (e.kind) {
    case ExprKind::number:
      return Value::number(e.number, e.integer);
    case ExprKind::string:
      return Value::string(&e.text);
    case ExprKind::none:
      return Value::none();
    case ExprKind::boolean:
      return Value::boolean(e.number != 0);
    case ExprKind::name:
      return name(e, env);
    case ExprKind::attribute:
      return attribute(e, env);
    case ExprKind::call:
      return call_expression(e, env);
    case ExprKind::index: {
      const auto base = evaluate(*e.children[0], env);
      return item(e, base, *e.children[1], env);
    }
    case ExprKind::list:
    case ExprKind::tuple:
    case ExprKind::dict:
      return display(e, env);
    case ExprKind::comprehension:
      return comprehension(e, env);
    case ExprKind::lambda:
      return closure(*e.function, env);
    case ExprKind::unary: {
      const auto a = evaluate(*e.children[0], env);
      m_.at = {e.line, e.column};
      return unary(m_, e.unary, a);
    }
    case ExprKind::binary: {
      auto left = evaluate(*e.children[0], env);
      for (size_t i = 0; i < e.ops.size(); ++i) {
        const auto right = evaluate(*e.children[i + 1], env);
        m_.at = {e.line, e.column};
        left = binary(m_, e.ops[i], left, right);
      }
      return left;
    }
    case ExprKind::comparison:
      return comparison(e, env);
    case ExprKind::conjunction:
    case ExprKind::disjunction: {
      Value value;
      for (size_t i = 0; i < e.children.size(); ++i) {
        value = evaluate(*e.children[i], env);
        m_.at = {e.line, e.column};
        if (i + 1 < e.children.size() && truth(m_, value) == (e.kind == ExprKind::disjunction)) break;
      }
      return value;
    }
    case ExprKind::conditional:
      return evaluate(*e.children[condition(*e.children[0], env) ? 1 : 2], env);
    case ExprKind::slice:
      break;
  }
  m_.type("a slice stands in brackets only");
}

Value Evaluator::name(const Expr& e, const Value& env) {
  switch (e.name_kind) {
    case NameKind::local: {
      const auto& value = slot(e, env);
      if (value.is(Tag::unbound))
        m_.fail(ProgramErrorKind::name, "'" + e.text.substr(0, 60) + "' is read before it is assigned");
      return value;
    }
    case NameKind::self:
      return Value::self();
    default:
      return named(e);
  }
}

Value Evaluator::named(const Expr& e) {
  if (e.name_kind == NameKind::library) return Value::library(e.library);
  if (e.name_kind == NameKind::constant) return Value::real(e.number);
  return read(e, {});
}

Value Evaluator::attribute(const Expr& e, const Value& env) {
  if (e.name_kind != NameKind::unresolved) return named(e);
  const auto base = evaluate(*e.children[0], env);
  m_.at = {e.line, e.column};
  return get_member(m_, e.member, base);
}

Value Evaluator::comparison(const Expr& e, const Value& env) {
  auto left = evaluate(*e.children[0], env);
  for (size_t i = 0;; ++i) {
    auto right = evaluate(*e.children[i + 1], env);
    m_.at = {e.line, e.column};
    auto out = compare(m_, e.ops[i], left, right);
    if (i + 1 == e.ops.size() || !truth(m_, out)) return out;
    left = std::move(right);
  }
}

Value Evaluator::display(const Expr& e, const Value& env) {
  const auto tag = e.kind == ExprKind::list ? Tag::list : e.kind == ExprKind::tuple ? Tag::tuple : Tag::dict;
  auto out = m_.sequence(tag, static_cast<uint32_t>(e.children.size()));
  for (size_t i = 0; i < e.children.size(); ++i) {
    auto value = evaluate(*e.children[i], env);
    if (tag != Tag::dict) {
      m_.append(out.as<Sequence>(), std::move(value));
      continue;
    }
    Subscript key;
    key.key = std::move(value);
    value = evaluate(*e.children[++i], env);
    m_.at = {e.line, e.column};
    set_item(m_, out, &key, 1, value);
  }
  return out;
}

Value Evaluator::comprehension(const Expr& e, const Value& env) {
  const auto outer = m_.loop;
  const auto first = evaluate(*e.clauses[0].source, env);
  m_.at = {e.line, e.column};
  const auto inner = m_.environment(static_cast<uint32_t>(e.function->slots.size()), env);
  auto out = m_.sequence(Tag::list, 0);
  clause(e, 0, first, inner, out.as<Sequence>());
  m_.loop = outer;
  return out;
}

void Evaluator::clause(const Expr& e, size_t i, const Value& source, const Value& env, Sequence& out) {
  m_.at = {e.line, e.column};
  m_.loop = m_.at;
  const auto& clause_at = e.clauses[i];
  Iterator items(m_, source);
  for (Value item; items.next(m_, item); m_.at = {e.line, e.column}) {
    m_.step();
    assign(*clause_at.target, item, env);
    bool keep = true;
    for (const auto& test : clause_at.conditions) keep = keep && condition(*test, env);
    if (!keep) continue;
    if (i + 1 < e.clauses.size()) {
      const auto next = evaluate(*e.clauses[i + 1].source, env);
      clause(e, i + 1, next, env, out);
    } else {
      auto value = evaluate(*e.children[0], env);
      m_.append(out, std::move(value));
    }
  }
}

Subscript Evaluator::subscript(const Expr& e, const Value& env) {
  Subscript out;
  if (e.kind != ExprKind::slice) {
    out.key = evaluate(e, env);
    return out;
  }
  out.kind = Subscript::slice;
  Value* bounds[] = {&out.start, &out.stop, &out.step};
  for (size_t i = 0; i < 3; ++i) {
    if (e.children[i]) *bounds[i] = evaluate(*e.children[i], env);
  }
  return out;
}

std::vector<Subscript> Evaluator::subscripts(const Expr& e, const Value& env) {
  std::vector<Subscript> out;
  if (e.kind == ExprKind::tuple) {
    for (const auto& child : e.children) out.push_back(subscript(*child, env));
  } else {
    out.push_back(subscript(e, env));
  }
  return out;
}

Value Evaluator::item(const Expr& e, const Value& base, const Expr& key, const Value& env) {
  if (key.kind == ExprKind::tuple) {
    const auto parts = subscripts(key, env);
    m_.at = {e.line, e.column};
    return get_item(m_, base, parts.data(), parts.size());
  }
  const auto part = subscript(key, env);
  m_.at = {e.line, e.column};
  return get_item(m_, base, &part, 1);
}

}  // namespace plaudit::program
