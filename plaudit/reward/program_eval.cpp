#include "plaudit/reward/program_eval.h"

#include <algorithm>
#include <cmath>

#include "plaudit/reward/program_evaluator.h"

namespace plaudit::program {

const char* program_op_text(Op op) {
  static constexpr const char* texts[] = {"+", "-", "*",  "/", "//", "%",  "**",
                                          "@", "<", "<=", ">", ">=", "==", "!="};
  return texts[static_cast<size_t>(op)];
}

void Evaluator::run(std::span<const double> action, RewardOut& out) {
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

Value Evaluator::vector_of(std::span<const double> numbers) {
  auto out = m_.array(static_cast<int64_t>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), data_of(out));
  return out;
}

void Evaluator::finish(const Value& value, RewardOut& out) {
  const auto& entry = *parts_.entry;
  m_.at = returned_.line > 0 ? returned_ : Position{entry.line, entry.column};
  if (returned_.line == 0) m_.fail(ProgramErrorKind::returned, entry.name + "() returns nothing");
  const Value* reward = &value;
  const Sequence* components = nullptr;
  if (value.is(Tag::tuple) && value.as<Sequence>().size == 2 && value.as<Sequence>().items[1].is(Tag::dict)) {
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

void run_program(Machine& m, const RewardProgram::Parts& parts, const ProgramFrame& frame,
                 std::span<const double> action, RewardOut& out) {
  Evaluator(m, parts, frame).run(action, out);
}

}  // namespace plaudit::program
