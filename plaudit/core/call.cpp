#include "plaudit/core/call.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "plaudit/core/errors.h"
#include "plaudit/core/json_results.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// The number behind "nan", "inf" and "-inf".
std::optional<double> special_number(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

struct TensorReader {
  const std::string& where;
  std::vector<int64_t> sizes;
  std::vector<double> values;
  std::vector<int64_t> integers;
  bool all_integer = true;
  bool all_boolean = true;

  void find_sizes(const Json& value) {
    const Json* level = &value;
    while (level->is_array()) {
      sizes.push_back(static_cast<int64_t>(level->size()));
      if (level->empty()) return;
      level = &level->front();
    }
  }

  void read(const Json& value, size_t depth) {
    if (value.is_array()) {
      if (depth >= sizes.size() || static_cast<int64_t>(value.size()) != sizes[depth])
        fail(ErrorKind::shape, where,
             fmt::format("is ragged: a list of {} at depth {} where the first has {}", value.size(), depth,
                         depth < sizes.size() ? std::to_string(sizes[depth]) : "a number"));
      for (const auto& element : value) read(element, depth + 1);
      return;
    }
    if (depth != sizes.size()) fail(ErrorKind::shape, where, "is ragged: a number where a list is expected");
    append(value);
  }

  void append(const Json& value) {
    all_boolean = all_boolean && value.is_boolean();
    if (value.is_boolean()) {
      integers.push_back(value.get<bool>() ? 1 : 0);
      values.push_back(static_cast<double>(integers.back()));
    } else if (value.is_number_integer()) {
      integers.push_back(value.get<int64_t>());
      values.push_back(value.get<double>());
    } else if (value.is_number()) {
      all_integer = false;
      values.push_back(value.get<double>());
    } else if (const auto special = special_number(value)) {
      all_integer = false;
      values.push_back(*special);
    } else {
      fail(ErrorKind::type, where, "must hold numbers, got " + value.dump());
    }
  }
};

c10::IValue ivalue_from_json(const Json& value, const c10::TypePtr& type, const std::string& where);

c10::IValue list_from_json(const Json& value, const c10::TypePtr& element, const std::string& where) {
  if (!value.is_array()) fail(ErrorKind::type, where, "must be a list, got " + value.dump());
  c10::impl::GenericList list(element);
  for (size_t i = 0; i < value.size(); ++i)
    list.push_back(ivalue_from_json(value[i], element, fmt::format("{}[{}]", where, i)));
  return list;
}

c10::IValue ivalue_from_json(const Json& value, const c10::TypePtr& type, const std::string& where) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (value.is_null()) return {};
      return ivalue_from_json(value, type->expectRef<c10::OptionalType>().getElementType(), where);
    case c10::TypeKind::TensorType:
      return tensor_from_json(value, where);
    case c10::TypeKind::FloatType:
      if (const auto special = special_number(value)) return *special;
      if (value.is_number()) return value.get<double>();
      break;
    case c10::TypeKind::IntType:
      if (value.is_number_integer()) return value.get<int64_t>();
      if (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()))
        return static_cast<int64_t>(value.get<double>());
      break;
    case c10::TypeKind::BoolType:
      if (value.is_boolean()) return value.get<bool>();
      if (value.is_number_integer() && (value == 0 || value == 1)) return value == 1;
      break;
    case c10::TypeKind::StringType:
      return value.is_string() ? value.get<std::string>() : value.dump();
    case c10::TypeKind::ListType:
      return list_from_json(value, type->expectRef<c10::ListType>().getElementType(), where);
    default:
      bug("core.call", "no JSON form for schema type " + type->str());
  }
  fail(ErrorKind::type, where, fmt::format("must be a {}, got {}", type->str(), value.dump()));
}

}  // namespace

Json json_number(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  return x;
}

at::Tensor tensor_from_json(const Json& value, const std::string& where) {
  TensorReader reader{where, {}, {}, {}};
  reader.find_sizes(value);
  reader.read(value, 0);
  const bool empty = reader.values.empty();
  if (reader.all_integer && !empty) {
    const auto integers = at::tensor(reader.integers, at::kLong).view(reader.sizes);
    return reader.all_boolean ? integers.to(at::kBool) : integers;
  }
  if (empty) return at::empty(reader.sizes, at::kDouble);
  return at::tensor(reader.values, at::kDouble).view(reader.sizes);
}

Json json_from_tensor(const at::Tensor& tensor) {
  const auto t = tensor.detach().cpu();
  if (t.dim() == 0) {
    if (t.scalar_type() == at::kBool) return t.item<bool>();
    return t.is_floating_point() ? json_number(t.item<double>()) : Json(t.item<int64_t>());
  }
  Json list = Json::array();
  for (int64_t i = 0; i < t.size(0); ++i) list.push_back(json_from_tensor(t[i]));
  return list;
}

Json json_from_ivalue(const c10::IValue& value) {
  if (value.isNone()) return nullptr;
  if (value.isTensor())
    return value.toTensor().defined() ? json_from_tensor(value.toTensor()) : Json(nullptr);
  if (value.isDouble()) return json_number(value.toDouble());
  if (value.isInt()) return value.toInt();
  if (value.isBool()) return value.toBool();
  if (value.isString()) return value.toStringRef();
  if (value.isList()) {
    Json list = Json::array();
    for (const c10::IValue& element : value.toListRef()) list.push_back(json_from_ivalue(element));
    return list;
  }
  bug("core.call", "no JSON form for a result of type " + value.tagKind());
}

BoundFunction::BoundFunction(const std::string& name)
    : name_(find_function(name).name),
      schema_(c10::Dispatcher::singleton()
                  .findSchemaOrThrow(("plaudit_" + name_.substr(0, name_.find('.')) +
                                      "::" + name_.substr(name_.find('.') + 1))
                                         .c_str(),
                                     "")
                  .schema()) {
  const auto& returns = schema_.returns();
  for (size_t i = 0; i < returns.size(); ++i) {
    const auto fallback = returns.size() == 1 ? std::string("out") : "out" + std::to_string(i);
    result_names_.push_back(returns[i].name().empty() ? fallback : returns[i].name());
  }
}

std::vector<c10::IValue> BoundFunction::arguments(const Json& named) const {
  if (!named.is_object()) fail(ErrorKind::type, name_, "arguments must be a JSON object {name: value}");
  std::vector<std::string> known;
  for (const auto& argument : schema_.arguments()) known.push_back(argument.name());
  for (const auto& [key, value] : named.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(ErrorKind::value, name_, "has no argument '" + key + "'" + suggestion(key, known));
  }
  std::vector<c10::IValue> stack;
  for (const auto& argument : schema_.arguments()) {
    const auto found = named.find(argument.name());
    const bool given = found != named.end();
    // A missing text is not the text "null".
    const bool no_text = given && found->is_null() && argument.type()->kind() == c10::TypeKind::StringType;
    if (given && !(no_text && argument.default_value())) {
      stack.push_back(ivalue_from_json(*found, argument.type(), name_ + ": " + argument.name()));
    } else if (argument.default_value()) {
      stack.push_back(*argument.default_value());
    } else {
      fail(ErrorKind::value, name_,
           "needs the argument '" + argument.name() + "' (" + argument.type()->str() + ")");
    }
  }
  return stack;
}

std::vector<c10::IValue> BoundFunction::operator()(std::vector<c10::IValue> arguments) const {
  const auto qualified = "plaudit_" + name_.substr(0, name_.find('.'));
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(
      (qualified + "::" + name_.substr(name_.find('.') + 1)).c_str(), "");
  // Numbers that a function does not check itself: it must not answer from a NaN. What it does check ends in
  // its own error first.
  std::string not_a_number;
  for (size_t i = 0; i < arguments.size() && not_a_number.empty(); ++i)
    if (arguments[i].isDouble() && std::isnan(arguments[i].toDouble()))
      not_a_number = schema_.arguments()[i].name();
  op.callBoxed(&arguments);
  if (!not_a_number.empty()) fail(ErrorKind::nan, name_, not_a_number + " must be a number, got nan");
  return arguments;
}

Json call_function(const std::string& name, const Json& named) {
  const BoundFunction function(name);
  const auto results = function(function.arguments(named));
  Json out = Json::object();
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& result = function.result_names()[i];
    out[result] = results[i].isString() && holds_json(name, result) ? Json::parse(results[i].toStringRef())
                                                                    : json_from_ivalue(results[i]);
  }
  return out;
}

}  // namespace plaudit
