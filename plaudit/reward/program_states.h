// States of the world for trying a reward program out: bindings given as JSON, and random ones like them.
#pragma once

#include <vector>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"
#include "plaudit/reward/program.h"

namespace plaudit {

// What every binding of a table shows, in its order.
struct ProgramState {
  std::vector<Tensor> values;  // f64
};

struct ExampleBindings {
  BindingTable table;  // its readers take the address of a ProgramState
  ProgramState given;
  std::vector<bool> boolean;  // shown as True and False
};

// A path alone; one that ends in "()" is a query.
ProgramBinding binding_of(std::string path);

// `bindings` is an object {path: number | vector | matrix | {"returns": the same}}; the last is a query.
// UserErrors name the argument bindings: type, value, shape.
ExampleBindings example_bindings(const Check& check, const Json& bindings);

// The given state, then `random` ones of the same shapes, alike for a seed: each number is moved by a normal
// draw of its own size (at least 1), each boolean is tossed.
std::vector<ProgramState> example_states(const ExampleBindings& bindings, int64_t random, uint64_t seed);

}  // namespace plaudit
