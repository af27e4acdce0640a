// Calls in reward programs: functions, methods, the library, and the bindings.
#include "plaudit/reward/program_evaluator.h"

#include <algorithm>
#include <utility>

namespace plaudit::program {

namespace {

constexpr int kMaxDepth = 16;

}  // namespace

Value Evaluator::closure(const FunctionSyntax& syntax, const Value& env) {
  uint32_t n = 0;
  for (const auto& parameter : syntax.parameters) n += parameter.default_value ? 1 : 0;
  auto out = m_.function(syntax, env, n);
  uint32_t at = 0;
  for (const auto& parameter : syntax.parameters) {
    if (parameter.default_value) out.as<Function>().defaults[at++] = evaluate(*parameter.default_value, env);
  }
  return out;
}

Value Evaluator::call(const Function& callee, std::vector<Value> positional,
                      const std::vector<std::string>& keywords, std::vector<Value> named, bool partial) {
  const auto held = Value(callee.parent);  // the callee may be overwritten meanwhile
  const auto& syntax = *callee.syntax;
  const auto& parameters = syntax.parameters;
  const auto n = parameters.size();
  if (positional.size() > n)
    m_.type(syntax.name + "() takes " + std::to_string(n) + " arguments, got " +
            std::to_string(positional.size()));
  auto env = m_.environment(static_cast<uint32_t>(syntax.slots.size()), held);
  auto* slots = env.as<Environment>().slots;
  for (size_t i = 0; i < positional.size(); ++i) slots[i] = std::move(positional[i]);
  for (size_t k = 0; k < keywords.size(); ++k) {
    size_t i = 0;
    while (i < n && parameters[i].name != keywords[k]) ++i;
    if (i == n) m_.type(syntax.name + "() takes no argument '" + keywords[k] + "'");
    if (!slots[i].is(Tag::unbound)) m_.type(syntax.name + "() got two values for '" + keywords[k] + "'");
    slots[i] = std::move(named[k]);
  }
  for (size_t i = 0; i < n; ++i) {
    const auto first_default = n - callee.n_defaults;
    if (slots[i].is(Tag::unbound) && i >= first_default) slots[i] = callee.defaults[i - first_default];
    if (slots[i].is(Tag::unbound) && !partial)
      m_.type(syntax.name + "() needs the argument '" + parameters[i].name + "'");
    if (parameters[i].name == "self" && !slots[i].is(Tag::self)) m_.type("the argument self must be self");
  }
  if (++m_.depth > kMaxDepth) {
    m_.at = {syntax.line, syntax.column};
    m_.fail(ProgramErrorKind::fuel, "calls are nested more than 16 deep");
  }
  Value out = Value::none();
  if (syntax.result) {
    out = evaluate(*syntax.result, env);
  } else {
    if (block(syntax.body, env) == Flow::return_) {
      out = std::move(result_);
    } else {
      returned_ = {0, 0};
    }
  }
  --m_.depth;
  return out;
}

Value Evaluator::call_expression(const Expr& e, const Value& env) {
  const auto& callee = *e.children[0];
  if (callee.name_kind == NameKind::binding) return query(e, env);
  Value target;  // the function, or what a method belongs to
  const bool method = callee.member != Member::none && is_method(callee.member);
  if (method) {
    target = evaluate(*callee.children[0], env);
  } else if (callee.name_kind != NameKind::library) {
    target = evaluate(callee, env);
  }
  const auto n_positional = e.children.size() - 1 - e.keywords.size();
  std::vector<Value> positional, named_arguments;
  positional.reserve(std::max<size_t>(n_positional, 4));
  for (size_t i = 1; i < e.children.size(); ++i)
    (i <= n_positional ? positional : named_arguments).push_back(evaluate(*e.children[i], env));
  m_.at = {e.line, e.column};
  if (method)
    return call_member(m_, callee.member, target, std::move(positional), e.keywords,
                       std::move(named_arguments));
  if (target.is(Tag::function))
    return call(target.as<Function>(), std::move(positional), e.keywords, std::move(named_arguments));
  if (callee.name_kind != NameKind::library && !target.is(Tag::library))
    m_.type(std::string(describe(target.tag())) + " cannot be called");
  const auto& function = callee.name_kind == NameKind::library ? *callee.library : target.library();
  const auto arguments =
      bind_arguments(m_, function, std::move(positional), e.keywords, std::move(named_arguments));
  return function.call(m_, function, arguments);
}

Value Evaluator::query(const Expr& e, const Value& env) {
  std::vector<QueryArgument> arguments;
  const auto n_positional = e.children.size() - 1 - e.keywords.size();
  for (size_t i = 1; i < e.children.size(); ++i) {
    const auto value = evaluate(*e.children[i], env);
    QueryArgument argument;
    if (i > n_positional) argument.name = e.keywords[i - 1 - n_positional];
    if (value.is(Tag::string)) {
      argument.text = &value.text();
    } else if (value.is_number()) {
      argument.number = value.number();
    } else {
      m_.at = {e.line, e.column};
      m_.type(std::string("queries take numbers and strings, not ") + describe(value.tag()));
    }
    arguments.push_back(argument);
  }
  m_.at = {e.line, e.column};
  return read(*e.children[0], arguments);
}

Value Evaluator::read(const Expr& e, std::span<const QueryArgument> arguments) {
  const auto& row = parts_.table[static_cast<size_t>(e.slot)];
  BindingNumbers numbers;
  try {
    numbers = row.read(frame_.state, arguments);
  } catch (const std::exception& error) {
    m_.value(row.path + ": " + std::string(error.what()).substr(0, 200));
  }
  if (numbers.rank == 0)
    return numbers.boolean ? Value::boolean(numbers.scalar != 0)
                           : Value::number(numbers.scalar, numbers.integer);
  auto out = numbers.rank == 1 ? m_.array(numbers.rows) : m_.array(numbers.rows, numbers.columns);
  std::copy_n(numbers.data, out.as<Array>().size(), data_of(out));
  return out;
}

}  // namespace plaudit::program
