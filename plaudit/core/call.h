// Calls registered functions with JSON arguments.
//
// JSON to argument, by the type that the schema declares:
//   Tensor            number, nested lists ("nan", "inf", "-inf" for those values); f64 unless all integers
//   or booleans float, int, bool  number, boolean (the strings above for a float) str               string;
//   null where it has a default: the default; any other JSON value travels as its JSON text (an argument that
//   is an object) T[]               list;  T?
//   also null
// Results go back the same way. A `str` result that holds JSON text of an object or list is expanded.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plaudit {

using Json = nlohmann::ordered_json;

// JSON has no such numbers: "nan", "inf" and "-inf" stand for them.
Json json_number(double x);

// Nested lists, or one number, to a tensor. `where` starts the error messages (kinds type, shape).
at::Tensor tensor_from_json(const Json& value, const std::string& where);

// A tensor as nested lists; NaN and infinities as strings.
Json json_from_tensor(const at::Tensor& tensor);

// A function bound to the dispatcher, ready to be called by argument name.
class BoundFunction {
 public:
  explicit BoundFunction(const std::string& name);

  const c10::FunctionSchema& schema() const { return schema_; }
  // The names of the results; "out" or "out0", "out1" where the schema gives none.
  const std::vector<std::string>& result_names() const { return result_names_; }

  // Arguments in schema order. Unknown, missing or ill-typed arguments are UserErrors that name them.
  std::vector<c10::IValue> arguments(const Json& named) const;
  // The results, in the order of result_names().
  std::vector<c10::IValue> operator()(std::vector<c10::IValue> arguments) const;

 private:
  std::string name_;
  const c10::FunctionSchema& schema_;
  std::vector<std::string> result_names_;
};

Json json_from_ivalue(const c10::IValue& value);

// Calls `name` with named JSON arguments; returns {result name: value}.
Json call_function(const std::string& name, const Json& named);

}  // namespace plaudit
