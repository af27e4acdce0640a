#include "plaudit/reward/program_eval.h"

#include <cmath>

namespace plaudit::program {

const char* program_op_text(Op op) {
  static constexpr const char* texts[] = {"+", "-", "*",  "/", "//", "%",  "**",
                                          "@", "<", "<=", ">", ">=", "==", "!="};
  return texts[static_cast<size_t>(op)];
}

namespace {

constexpr int kMaxDepth = 16;

enum class Flow { next, break_, continue_, return_ };

class Evaluator {
 public:
  Evaluator(Machine& m, const RewardProgram::Parts& parts, const ProgramFrame& frame)
      : m_(m), parts_(parts), frame_(frame) {}

  void run(std::span<const double> action, RewardOut& out) {
    const auto globals = m_.environment(static_cast<uint32_t>(parts_.module.slots.size()), Value());
    for (const auto& stmt : parts_.module.body) {
      if (stmt.kind == StmtKind::def) {
        globals.as<Environment>().slots[stmt.slot] = closure(*stmt.function, globals);
      } else if (stmt.kind != StmtKind::import) {
        execute(stmt, globals);
      }
    }
    const auto& entry = globals.as<Environment>().slots[parts_.entry_slot];
    m_.at = {parts_.entry->line, parts_.entry->column};
    if (!entry.is(Tag::function)) m_.type("the entry is not a function any more");
    std::vector<Value> arguments = {Value::self(), vector_of(action)};
    const auto parameters = entry.as<Function>().syntax->parameters.size();
    if (parameters == 3) arguments.push_back(frame_.obs ? vector_of(*frame_.obs) : Value());
    if (parameters < 2 || parameters > 3)
      m_.fail(ProgramErrorKind::signature, "the entry takes (self, action) or (self, action, obs)");
    m_.depth = -1;  // the entry itself is not a call of the program
    finish(call(entry.as<Function>(), std::move(arguments), {}, {}, /*partial=*/true), out);
  }

 private:
  Value vector_of(std::span<const double> numbers) {
    auto out = m_.array(static_cast<int64_t>(numbers.size()));
    std::copy(numbers.begin(), numbers.end(), data_of(out));
    return out;
  }

  // --- results ---

  void finish(const Value& value, RewardOut& out) {
    const auto& entry = *parts_.entry;
    m_.at = returned_.line > 0 ? returned_ : Position{entry.line, entry.column};
    if (returned_.line == 0) m_.fail(ProgramErrorKind::returned, entry.name + "() returns nothing");
    const Value* reward = &value;
    const Sequence* components = nullptr;
    if (value.is(Tag::tuple) && value.as<Sequence>().size == 2 &&
        value.as<Sequence>().items[1].is(Tag::dict)) {
      reward = &value.as<Sequence>().items[0];
      components = &value.as<Sequence>().items[1].as<Sequence>();
    }
    if (!reward->is_number())
      m_.fail(ProgramErrorKind::returned,
              std::string("the reward must be a number or a pair (number, dict), not ") +
                  describe(reward->tag()) +
                  (reward->is(Tag::array) ? " of shape " + shape_text(view_of(reward->as<Array>())) : ""));
    if (!std::isfinite(reward->number())) m_.value("the reward is not finite");
    for (uint32_t i = 0; components != nullptr && i < components->size; i += 2) {
      const auto& name = components->items[i];
      const auto& number = components->items[i + 1];
      if (!name.is(Tag::string))
        m_.fail(ProgramErrorKind::returned, "the names of reward components must be strings");
      if (!number.is_number())
        m_.fail(ProgramErrorKind::returned, "the reward component '" + name.text().substr(0, 60) +
                                                "' must be a number, not " + describe(number.tag()));
      if (!std::isfinite(number.number()))
        m_.value("the reward component '" + name.text().substr(0, 60) + "' is not finite");
      out.components.emplace_back(name.text(), number.number());
    }
    out.reward = reward->number();
  }

  // --- functions ---

  Value closure(const FunctionSyntax& syntax, const Value& env) {
    uint32_t n = 0;
    for (const auto& parameter : syntax.parameters) n += parameter.default_value ? 1 : 0;
    auto out = m_.function(syntax, env, n);
    uint32_t at = 0;
    for (const auto& parameter : syntax.parameters) {
      if (parameter.default_value)
        out.as<Function>().defaults[at++] = evaluate(*parameter.default_value, env);
    }
    return out;
  }

  // `partial`: absent arguments stay unbound.
  Value call(const Function& callee, std::vector<Value> positional, const std::vector<std::string>& keywords,
             std::vector<Value> named, bool partial = false) {
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

  // --- statements ---

  Flow block(const std::vector<Stmt>& body, const Value& env) {
    for (const auto& stmt : body) {
      const auto flow = execute(stmt, env);
      if (flow != Flow::next) return flow;
    }
    return Flow::next;
  }

  Flow execute(const Stmt& stmt, const Value& env) {
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

  bool condition(const Expr& e, const Value& env) {
    const auto value = evaluate(e, env);
    if (value.is(Tag::boolean)) return value.number() != 0;
    m_.at = {e.line, e.column};
    return truth(m_, value);
  }

  Flow branch(const Stmt& stmt, const Value& env) {
    if (condition(*stmt.value, env)) return block(stmt.body, env);
    for (const auto& other : stmt.otherwise) {
      m_.at = {other.line, other.column};
      m_.step();
      if (!other.value || condition(*other.value, env)) return block(other.body, env);
    }
    return Flow::next;
  }

  Flow loop(const Stmt& stmt, const Value& env) {
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

  // --- assignment ---

  void assign(const Expr& target, const Value& value, const Value& env) {
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

  void augment(const Stmt& stmt, const Value& env) {
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

  static Value& slot(const Expr& e, const Value& env) {
    auto* at = &env.as<Environment>();
    for (int i = 0; i < e.hops; ++i) at = &at->parent.as<Environment>();
    return at->slots[e.slot];
  }

  // --- expressions ---

  Value evaluate(const Expr& e, const Value& env) {
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

  Value name(const Expr& e, const Value& env) {
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

  // A constant, function or binding.
  Value named(const Expr& e) {
    if (e.name_kind == NameKind::library) return Value::library(e.library);
    if (e.name_kind == NameKind::constant) return Value::real(e.number);
    return read(e, {});
  }

  Value attribute(const Expr& e, const Value& env) {
    if (e.name_kind != NameKind::unresolved) return named(e);
    const auto base = evaluate(*e.children[0], env);
    m_.at = {e.line, e.column};
    return get_member(m_, e.member, base);
  }

  // Python: x < y < z stops at the first comparison that is false.
  Value comparison(const Expr& e, const Value& env) {
    auto left = evaluate(*e.children[0], env);
    for (size_t i = 0;; ++i) {
      auto right = evaluate(*e.children[i + 1], env);
      m_.at = {e.line, e.column};
      auto out = compare(m_, e.ops[i], left, right);
      if (i + 1 == e.ops.size() || !truth(m_, out)) return out;
      left = std::move(right);
    }
  }

  Value display(const Expr& e, const Value& env) {
    const auto tag = e.kind == ExprKind::list    ? Tag::list
                     : e.kind == ExprKind::tuple ? Tag::tuple
                                                 : Tag::dict;
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

  Value comprehension(const Expr& e, const Value& env) {
    const auto outer = m_.loop;
    const auto first = evaluate(*e.clauses[0].source, env);
    m_.at = {e.line, e.column};
    const auto inner = m_.environment(static_cast<uint32_t>(e.function->slots.size()), env);
    auto out = m_.sequence(Tag::list, 0);
    clause(e, 0, first, inner, out.as<Sequence>());
    m_.loop = outer;
    return out;
  }

  void clause(const Expr& e, size_t i, const Value& source, const Value& env, Sequence& out) {
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

  // --- subscripts ---

  Subscript subscript(const Expr& e, const Value& env) {
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

  std::vector<Subscript> subscripts(const Expr& e, const Value& env) {
    std::vector<Subscript> out;
    if (e.kind == ExprKind::tuple) {
      for (const auto& child : e.children) out.push_back(subscript(*child, env));
    } else {
      out.push_back(subscript(e, env));
    }
    return out;
  }

  Value item(const Expr& e, const Value& base, const Expr& key, const Value& env) {
    if (key.kind == ExprKind::tuple) {
      const auto parts = subscripts(key, env);
      m_.at = {e.line, e.column};
      return get_item(m_, base, parts.data(), parts.size());
    }
    const auto part = subscript(key, env);
    m_.at = {e.line, e.column};
    return get_item(m_, base, &part, 1);
  }

  // --- calls ---

  Value call_expression(const Expr& e, const Value& env) {
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

  Value query(const Expr& e, const Value& env) {
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

  // A fresh copy: programs cannot change what the engine sees.
  Value read(const Expr& e, std::span<const QueryArgument> arguments) {
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

  Machine& m_;
  const RewardProgram::Parts& parts_;
  const ProgramFrame& frame_;
  Value result_;
  Position returned_ = {0, 0};  // of the last return; line 0 after a function without one
};

}  // namespace

void run_program(Machine& m, const RewardProgram::Parts& parts, const ProgramFrame& frame,
                 std::span<const double> action, RewardOut& out) {
  Evaluator(m, parts, frame).run(action, out);
}

}  // namespace plaudit::program
