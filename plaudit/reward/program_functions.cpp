// Reward programs as registered functions: bindings come as JSON, and calls are bounded by fuel alone, so
// that results never depend on the speed of the machine.
#include <ATen/ATen.h>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/tensors.h"
#include "plaudit/data/text.h"
#include "plaudit/reward/program_states.h"

namespace plaudit {
namespace {

Json parse_bindings(const Check& check, const std::string& bindings, bool object) {
  auto json = Json::parse(bindings, nullptr, /*allow_exceptions=*/false);
  if (object ? !json.is_object() : !json.is_array())
    check.refuse(ErrorKind::type, "bindings",
                 std::string("must be ") + (object ? "an object {path: value}" : "a list of paths") +
                     ", got " + excerpt(bindings));
  return json;
}

std::tuple<bool, std::optional<std::string>, std::optional<int64_t>> program_check(
    const std::string& source, const std::string& bindings, const std::string& entry) {
  const Check check("verify.program_check");
  BindingTable table;
  for (const auto& path : parse_bindings(check, bindings, /*object=*/false)) {
    if (!path.is_string()) check.refuse(ErrorKind::type, "bindings", "must hold strings, got " + path.dump());
    table.push_back(binding_of(path.get<std::string>()));
  }
  const auto compiled = RewardProgram::compile(source, std::move(table), entry);
  if (!compiled.error) return {true, std::nullopt, std::nullopt};
  return {false, std::string(to_string(compiled.error.kind)), compiled.error.line};
}

using Evaluated = std::tuple<std::string, std::optional<double>, std::string, std::optional<std::string>,
                             std::optional<int64_t>>;

Evaluated program_eval(const std::string& source, const std::string& bindings, const Tensor& action,
                       int64_t fuel) {
  const Check check("reward.program_eval");
  check.that(fuel > 0, "fuel", "> 0", fuel);
  check.dim("action", action, 1);
  const auto shown = example_bindings(check, parse_bindings(check, bindings, /*object=*/true));
  const auto compiled = RewardProgram::compile(source, shown.table);
  RewardOut out;
  out.error = compiled.error;
  if (compiled.program) {
    const auto values = on_cpu_f64(action);
    const auto* data = values.data_ptr<double>();
    compiled.program->eval({.state = &shown.given}, {data, static_cast<size_t>(values.numel())}, out,
                           {fuel, 0});
  }
  if (out.error) return {"error", std::nullopt, "{}", std::string(to_string(out.error.kind)), out.error.line};
  Json components = Json::object();
  for (const auto& [name, value] : out.components) components[name] = value;
  return {"ok", out.reward, components.dump(), std::nullopt, std::nullopt};
}

}  // namespace

PLAUDIT_FUNCTIONS(verify, m) {
  m.def(
      "program_check(str source, str bindings, *, str entry=\"compute_dense_reward\") -> (bool ok, str? "
      "kind, int? line)",
      &program_check, "Whether a reward program is inside the language, and the first error.",
      {"92", "28", "34"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "program_eval(str source, str bindings, Tensor action, *, int fuel=200000) -> (str status, float? "
      "reward, "
      "str components, str? kind, int? line)",
      &program_eval, "Runs a reward program once on given bindings.", {"92", "28", "34"});
}

}  // namespace plaudit
