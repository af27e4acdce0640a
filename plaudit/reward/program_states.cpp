#include "plaudit/reward/program_states.h"

#include <ATen/ATen.h>

#include "plaudit/core/rng.h"

namespace plaudit {
namespace {

// Row `at` of the table; returns the value that the state shows.
Tensor add_binding(const Check& check, const std::string& path, const Json& entry, ExampleBindings& out) {
  auto row = binding_of(path);
  const bool returns = entry.is_object();
  if (returns && !entry.contains("returns"))
    check.refuse(ErrorKind::value, "bindings", "'" + path + "' must hold a value or {\"returns\": value}");
  row.query = row.query || returns;
  const auto tensor = tensor_from_json(returns ? entry["returns"] : entry, "bindings: " + path);
  if (tensor.dim() > 2)
    check.refuse(ErrorKind::shape, "bindings",
                 "'" + path + "' must have at most two dimensions, got " + shape_of(tensor));
  BindingNumbers numbers;
  numbers.rank = static_cast<int>(tensor.dim());
  numbers.boolean = tensor.scalar_type() == at::kBool;
  numbers.integer = !tensor.is_floating_point();
  if (numbers.rank >= 1) numbers.rows = tensor.size(0);
  if (numbers.rank == 2) numbers.columns = tensor.size(1);
  const auto at = out.table.size();
  row.read = [numbers, at](const void* state, std::span<const QueryArgument>) {
    auto shown = numbers;
    const auto& value = static_cast<const ProgramState*>(state)->values[at];
    shown.data = value.const_data_ptr<double>();
    if (shown.rank == 0) shown.scalar = *shown.data;
    return shown;
  };
  out.table.push_back(std::move(row));
  out.boolean.push_back(numbers.boolean);
  return tensor.to(at::kDouble).contiguous();
}

Tensor like(const Tensor& value, bool boolean, Rng& rng) {
  if (boolean) return (rng.uniform_tensor(value.sizes(), at::kDouble) < 0.5).to(at::kDouble);
  return value + value.abs().clamp_min(1) * rng.normal_tensor(value.sizes(), at::kDouble);
}

}  // namespace

ProgramBinding binding_of(std::string path) {
  ProgramBinding out;
  if (path.ends_with("()")) {
    out.query = true;
    path.resize(path.size() - 2);
  }
  out.path = std::move(path);
  return out;
}

ExampleBindings example_bindings(const Check& check, const Json& bindings) {
  if (!bindings.is_object())
    check.refuse(ErrorKind::type, "bindings", "must be an object {path: value}, got " + bindings.dump());
  ExampleBindings out;
  for (const auto& [path, entry] : bindings.items())
    out.given.values.push_back(add_binding(check, path, entry, out));
  return out;
}

std::vector<ProgramState> example_states(const ExampleBindings& bindings, int64_t random, uint64_t seed) {
  std::vector<ProgramState> out = {bindings.given};
  Rng rng(seed, "program states");
  for (int64_t k = 0; k < random; ++k) {
    ProgramState state;
    for (size_t i = 0; i < bindings.given.values.size(); ++i)
      state.values.push_back(like(bindings.given.values[i], bindings.boolean[i], rng));
    out.push_back(std::move(state));
  }
  return out;
}

}  // namespace plaudit
