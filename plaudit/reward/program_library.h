// The functions that reward programs may call: Python's builtins, np, math and scipy.spatial.distance.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plaudit/reward/program_operators.h"

namespace plaudit::program {

// One function. `parameters` are its names in order, those from `required` on may be left out; "*" at the end
// takes any number of further arguments.
struct LibraryFunction {
  // The arguments by parameter, unbound where left out; the further ones follow.
  using Call = Value (*)(Machine&, const LibraryFunction&, const std::vector<Value>&);

  std::string name;  // "np.clip", "math.sqrt", "abs"
  std::vector<std::string> parameters;
  size_t required;
  bool variadic;
  Call call;
  Function1 scalar1 = nullptr;  // what elementwise functions apply
  Function2 scalar2 = nullptr;
};

// "abs" or "np.linalg.norm"; null when there is none.
const LibraryFunction* find_function(std::string_view name);
// np.pi and the like; null when there is none.
const double* find_constant(std::string_view name);
// Whether the name is a module: "np", "np.linalg", "math", "sdist".
bool is_module(std::string_view name);
// Names below a module, or the builtins below "".
std::vector<std::string> names_below(std::string_view module);

// Puts arguments in the order of the parameters; kind type when they do not fit.
std::vector<Value> bind_arguments(Machine& m, const LibraryFunction& function, std::vector<Value> positional,
                                  const std::vector<std::string>& keywords, std::vector<Value> named);

// The methods and attributes of arrays; those of numbers too, which may be NumPy's scalars.
Member find_member(std::string_view name);
bool is_method(Member member);
std::vector<std::string> member_names();
Value get_member(Machine& m, Member member, const Value& base);
Value call_member(Machine& m, Member member, const Value& base, std::vector<Value> positional,
                  const std::vector<std::string>& keywords, std::vector<Value> named);

// The parts of the table.
std::vector<LibraryFunction> builtin_functions();
std::vector<LibraryFunction> elementwise_functions();
std::vector<LibraryFunction> reduction_functions();
std::vector<LibraryFunction> array_functions();
LibraryFunction library_function(std::string name, std::string_view signature, LibraryFunction::Call call);

Value reshape(Machine& m, const Value& a, const std::vector<Value>& sizes);
Value transpose(Machine& m, const Value& a);

}  // namespace plaudit::program
