// Statements of reward programs, and assignment.
#include "plaudit/reward/program_evaluator.h"

namespace plaudit::program {

Flow Evaluator::block(const std::vector<Stmt>& body, const Value& env) {
  for (const auto& stmt : body) {
    const auto flow = execute(stmt, env);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Flow Evaluator::execute(const Stmt& stmt, const Value& env) {
  m_.at = {stmt.line, stmt.column};
  m_.step();
  switch (stmt.kind) {
    case StmtKind::expression:
      evaluate(*stmt.value, env);
      return Flow::next;
    case StmtKind::assign: {
      const auto value = evaluate(*stmt.value, env);
      for (const auto& target : stmt.targets) assign(*target, value, env);
      return Flow::next;
    }
    case StmtKind::augmented:
      augment(stmt, env);
      return Flow::next;
    case StmtKind::branch:
      return branch(stmt, env);
    case StmtKind::loop:
      return loop(stmt, env);
    case StmtKind::break_:
      return Flow::break_;
    case StmtKind::continue_:
      return Flow::continue_;
    case StmtKind::return_: {
      result_ = stmt.value ? evaluate(*stmt.value, env) : Value::none();
      returned_ = {stmt.line, stmt.column};
      return Flow::return_;
    }
    default:
      return Flow::next;
  }
}

Flow Evaluator::branch(const Stmt& stmt, const Value& env) {
  if (condition(*stmt.value, env)) return block(stmt.body, env);
  for (const auto& other : stmt.otherwise) {
    m_.at = {other.line, other.column};
    m_.step();
    if (!other.value || condition(*other.value, env)) return block(other.body, env);
  }
  return Flow::next;
}

Flow Evaluator::loop(const Stmt& stmt, const Value& env) {
  const Position here = {stmt.line, stmt.column}, outer = m_.loop;
  const auto source = evaluate(*stmt.value, env);
  m_.at = here;
  Iterator items(m_, source);
  m_.loop = here;
  Flow flow = Flow::next;
  for (Value item; items.next(m_, item); m_.at = here) {
    m_.step();
    assign(*stmt.targets[0], item, env);
    flow = block(stmt.body, env);
    if (flow == Flow::break_ || flow == Flow::return_) break;
    flow = Flow::next;
  }
  m_.loop = outer;
  return flow == Flow::return_ ? flow : Flow::next;
}

void Evaluator::assign(const Expr& target, const Value& value, const Value& env) {
  switch (target.kind) {
    case ExprKind::name:
      slot(target, env) = value;
      return;
    case ExprKind::index: {
      const auto base = evaluate(*target.children[0], env);
      const auto parts = subscripts(*target.children[1], env);
      m_.at = {target.line, target.column};
      set_item(m_, base, parts.data(), parts.size(), value);
      return;
    }
    default: {  // a tuple
      m_.at = {target.line, target.column};
      m_.step();
      const auto wanted = target.children.size();
      std::vector<Value> values;
      Iterator items(m_, value);
      for (Value item; values.size() <= wanted && items.next(m_, item);) values.push_back(item);
      if (values.size() != wanted)
        m_.value((values.size() > wanted ? "too many values to unpack, expected "
                                         : "not enough values to unpack, expected ") +
                 std::to_string(wanted));
      for (size_t i = 0; i < wanted; ++i) assign(*target.children[i], values[i], env);
    }
  }
}

void Evaluator::augment(const Stmt& stmt, const Value& env) {
  const auto& target = *stmt.targets[0];
  if (target.kind == ExprKind::name) {
    auto before = evaluate(target, env);
    const auto value = evaluate(*stmt.value, env);
    m_.at = {stmt.line, stmt.column};
    slot(target, env) = augmented(m_, stmt.op, std::move(before), value);
    return;
  }
  const auto base = evaluate(*target.children[0], env);
  const auto parts = subscripts(*target.children[1], env);
  m_.at = {target.line, target.column};
  auto before = get_item(m_, base, parts.data(), parts.size());
  const auto value = evaluate(*stmt.value, env);
  m_.at = {stmt.line, stmt.column};
  set_item(m_, base, parts.data(), parts.size(), augmented(m_, stmt.op, std::move(before), value));
}

}  // namespace plaudit::program
