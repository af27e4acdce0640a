#include "plaudit/core/conform.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include "plaudit/core/errors.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// A mismatch between an expected and an actual value; the message holds the path to it.
struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string brief(const Json& value) {
  auto text = value.dump();
  return text.size() <= 120 ? text : text.substr(0, 117) + "...";
}

bool number_like(const Json& value) {
  return value.is_number() || (value.is_string() && (value == "nan" || value == "inf" || value == "-inf"));
}

double number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  return value == "nan" ? std::nan("") : value == "inf" ? HUGE_VAL : -HUGE_VAL;
}

// True when `expected` was printed with ten significant digits and `actual` prints the same. Cases print that
// many, and some state a tolerance below the rounding of their own numbers. Trailing zeros are not printed:
// eight or nine digits are ten whose last ones are zero, fewer are taken as exact.
bool prints_alike(double expected, double actual) {
  const auto text = fmt::format("{:.9e}", expected);  // d.ddddddddde+xx: ten digits
  const auto exponent = text.find('e');
  return text.compare(exponent - 3, 3, "000") != 0 && std::stod(text) == expected &&
         text == fmt::format("{:.9e}", actual);
}

// |x - y| <= tol * max(1, |x|) for numbers; everything else exactly.
void compare(const Json& expected, const Json& actual, double tolerance, const std::string& path) {
  const auto differ = [&] {
    throw Mismatch(fmt::format("{}: expected {}, got {}", path, brief(expected), brief(actual)));
  };
  if (expected.is_array()) {
    if (!actual.is_array() || actual.size() != expected.size()) differ();
    for (size_t i = 0; i < expected.size(); ++i)
      compare(expected[i], actual[i], tolerance, fmt::format("{}[{}]", path, i));
  } else if (expected.is_object()) {
    if (!actual.is_object()) differ();
    for (const auto& [key, value] : expected.items()) {
      if (!actual.contains(key)) throw Mismatch(path + ": no key '" + key + "' in " + brief(actual));
      compare(value, actual[key], tolerance, path + "." + key);
    }
  } else if (expected.is_boolean()) {
    const bool same =
        actual.is_boolean() ? actual == expected : actual.is_number() && actual == (expected ? 1 : 0);
    if (!same) differ();
  } else if (number_like(expected) && number_like(actual)) {
    const double x = number(expected), y = number(actual);
    if (std::isnan(x) || std::isnan(y)) {
      if (std::isnan(x) != std::isnan(y)) differ();
    } else if (std::isinf(x) || std::isinf(y)) {
      if (x != y) differ();
    } else if (std::abs(x - y) > tolerance * std::max(1.0, std::abs(x)) && !prints_alike(x, y)) {
      differ();
    }
  } else if (expected.is_number() && actual.is_boolean()) {
    if (expected != (actual.get<bool>() ? 1 : 0)) differ();
  } else if (expected != actual) {
    differ();
  }
}

// The scalar whose gradient a case asks for: the output `loss`, a named output summed, or a weighted sum of
// outputs.
at::Tensor gradient_target(const Json& test, const std::vector<std::string>& names,
                           const std::vector<c10::IValue>& results) {
  const auto output = [&](const std::string& name) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name && results[i].isTensor()) return results[i].toTensor();
    }
    throw Mismatch("grad_of: there is no tensor output '" + name + "'");
  };
  const Json of = test.value("grad_of", Json("loss"));
  if (of.is_string()) return output(of.get<std::string>()).sum();
  at::Tensor total = at::zeros({}, at::kDouble);
  for (const auto& [name, weight] : of.items())
    total = total + (output(name) * tensor_from_json(weight, "grad_of")).sum();
  return total;
}

void check_outputs(const Json& test, const BoundFunction& function, const std::vector<c10::IValue>& results,
                   double tolerance) {
  if (!test.contains("expect")) return;
  for (const auto& [name, expected] : test["expect"].items()) {
    const auto& names = function.result_names();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) throw Mismatch("there is no output '" + name + "'");
    const auto& value = results[static_cast<size_t>(found - names.begin())];
    if (value.isString()) {
      // Text stays text where text is expected, even if it happens to be JSON; elsewhere it holds a JSON
      // value.
      const Json parsed = Json::parse(value.toStringRef(), nullptr, /*allow_exceptions=*/false);
      const bool text = expected.is_string() || parsed.is_discarded();
      compare(expected, text ? Json(value.toStringRef()) : parsed, tolerance, name);
    } else {
      compare(expected, json_from_ivalue(value), tolerance, name);
    }
  }
}

void run(const Json& test) {
  const BoundFunction function(test.at("function").get<std::string>());
  Json named = test.value("inputs", Json::object());
  const Json params = test.value("params", Json::object());
  for (const auto& [key, value] : params.items()) {
    if (key != "note") named[key] = value;
  }
  auto arguments = function.arguments(named);

  // Leaves that need a gradient are real tensors.
  const Json gradients = test.value("grad", Json::object());
  std::vector<at::Tensor> leaves;
  for (const auto& [name, expected] : gradients.items()) {
    const auto index = function.schema().argumentIndexWithName(name);
    if (!index || !arguments[static_cast<size_t>(*index)].isTensor())
      throw Mismatch("grad: '" + name + "' is not a tensor argument");
    auto& slot = arguments[static_cast<size_t>(*index)];
    leaves.push_back(slot.toTensor().to(at::kDouble).detach().set_requires_grad(true));
    slot = leaves.back();
  }

  const auto results = function(arguments);
  const double tolerance = test.value("tol", 1e-6);
  check_outputs(test, function, results, tolerance);
  if (leaves.empty()) return;

  const auto target = gradient_target(test, function.result_names(), results);
  // What does not depend on an input has a gradient of zero by it.
  auto grads = std::vector<at::Tensor>(leaves.size());
  if (target.requires_grad())
    grads = torch::autograd::grad({target}, leaves, {}, std::nullopt, false, /*allow_unused=*/true);
  size_t i = 0;
  for (const auto& [name, expected] : gradients.items()) {
    const auto grad = grads[i].defined() ? grads[i] : at::zeros_like(leaves[i]);
    compare(expected, json_from_tensor(grad), tolerance, "grad." + name);
    ++i;
  }
}

}  // namespace

CaseResult run_case(const Json& test) {
  CaseResult result{test.value("id", ""), test.value("function", ""), "pass", "", 0};
  const auto start = std::chrono::steady_clock::now();
  const std::string wanted = test.value("error", "");
  const auto judge = [&](const std::string& status, const std::string& message) {
    result.status = status;
    result.message = message;
  };
  bool known = false;
  for (const auto& f : functions()) known = known || f.name == result.function;
  if (!known) {
    judge("missing", "function is not registered");
    return result;
  }
  try {
    run(test);
    if (!wanted.empty()) judge("fail", "expected an error of kind " + wanted + ", got a result");
  } catch (const UserError& error) {
    const auto kind = to_string(error.kind());
    if (kind != wanted)
      judge("fail", fmt::format("expected {}, got an error of kind {}: {}",
                                wanted.empty() ? "a result" : wanted, kind, message_of(error)));
    else
      result.message = message_of(error);
  } catch (const std::exception& error) {
    judge("fail", message_of(error));
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<CaseResult> run_case_file(const std::string& path, const std::string& only) {
  std::ifstream file(path);
  if (!file) fail(ErrorKind::io, path, "cannot be opened");
  const Json document = Json::parse(file, nullptr, false);
  if (document.is_discarded() || !document.contains("cases"))
    fail(ErrorKind::type, path, "is not a JSON object with a list \"cases\"");
  std::vector<CaseResult> results;
  for (const auto& test : document["cases"]) {
    if (test.value("function", "").rfind(only, 0) == 0) results.push_back(run_case(test));
  }
  return results;
}

}  // namespace plaudit
