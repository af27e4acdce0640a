// One call of a reward program: the state of the walk over its tree, in four files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plaudit/reward/program_eval.h"

namespace plaudit::program {

enum class Flow { next, break_, continue_, return_ };

class Evaluator {
 public:
  Evaluator(Machine& m, const RewardProgram::Parts& parts, const ProgramFrame& frame)
      : m_(m), parts_(parts), frame_(frame) {}

  void run(std::span<const double> action, RewardOut& out);

 private:
  // --- program_eval.cpp ---
  Value vector_of(std::span<const double> numbers);
  void finish(const Value& value, RewardOut& out);

  // --- program_statements.cpp: statements and assignment ---
  Flow block(const std::vector<Stmt>& body, const Value& env);
  Flow execute(const Stmt& stmt, const Value& env);
  bool condition(const Expr& e, const Value& env) {
    const auto value = evaluate(e, env);
    if (value.is(Tag::boolean)) return value.number() != 0;
    m_.at = {e.line, e.column};
    return truth(m_, value);
  }
  Flow branch(const Stmt& stmt, const Value& env);
  Flow loop(const Stmt& stmt, const Value& env);
  void assign(const Expr& target, const Value& value, const Value& env);
  void augment(const Stmt& stmt, const Value& env);
  static Value& slot(const Expr& e, const Value& env) {
    auto* at = &env.as<Environment>();
    for (int i = 0; i < e.hops; ++i) at = &at->parent.as<Environment>();
    return at->slots[e.slot];
  }

  // --- program_expression_values.cpp: expressions, displays, subscripts ---
  Value evaluate(const Expr& e, const Value& env);
  Value name(const Expr& e, const Value& env);
  // A constant, function or binding.
  Value named(const Expr& e);
  Value attribute(const Expr& e, const Value& env);
  // Python: x < y < z stops at the first comparison that is false.
  Value comparison(const Expr& e, const Value& env);
  Value display(const Expr& e, const Value& env);
  Value comprehension(const Expr& e, const Value& env);
  void clause(const Expr& e, size_t i, const Value& source, const Value& env, Sequence& out);
  Subscript subscript(const Expr& e, const Value& env);
  std::vector<Subscript> subscripts(const Expr& e, const Value& env);
  Value item(const Expr& e, const Value& base, const Expr& key, const Value& env);

  // --- program_calls.cpp: functions, methods, bindings ---
  Value closure(const FunctionSyntax& syntax, const Value& env);
  // `partial`: absent arguments stay unbound.
  Value call(const Function& callee, std::vector<Value> positional, const std::vector<std::string>& keywords,
             std::vector<Value> named, bool partial = false);
  Value call_expression(const Expr& e, const Value& env);
  Value query(const Expr& e, const Value& env);
  // A fresh copy: programs cannot change what the engine sees.
  Value read(const Expr& e, std::span<const QueryArgument> arguments);

  Machine& m_;
  const RewardProgram::Parts& parts_;
  const ProgramFrame& frame_;
  Value result_;
  Position returned_ = {0, 0};  // of the last return; line 0 after a function without one
};

}  // namespace plaudit::program
