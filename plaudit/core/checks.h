// Checks on the arguments of a function; every message names the function and the argument.
//
//   const Check check("preference.dpo_loss");
//   check.not_empty("chosen_logps", chosen);            // kind empty
//   check.same_shape("chosen_logps", chosen, "rejected_logps", rejected);   // kind shape
//   check.no_nan("chosen_logps", chosen);               // kind nan
//   check.that(beta > 0, "beta", "> 0", beta);          // kind value
//
// Checks that read tensor values run on plain CPU tensors only: a fake tensor (torch.compile) has no values,
// and on an accelerator reading them would stall the stream; there the trainer checks the loss instead.
#pragma once

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "plaudit/core/errors.h"

namespace plaudit {

using at::Tensor;

// True when `t` stands for values that a program around it holds: a fake tensor (torch.compile) or one of a
// transform (vmap). No result's size may depend on them.
bool traced(const Tensor& t);

// True when the values of `t` can be read here without a stall: a CPU tensor that is not traced.
bool readable(const Tensor& t);

// `t` in a floating type: integers and booleans become f64, floats stay, half and bfloat16 become f32.
Tensor as_real(const Tensor& t);

// "[2, 3]"
std::string shape_of(const Tensor& t);

// An argument and its name, for checks on several at once.
struct NamedTensor {
  std::string_view name;
  const Tensor& value;
};

class Check {
 public:
  explicit Check(std::string_view function) : function_(function) {}

  // Throws a UserError "<function>: <argument> <message>".
  [[noreturn]] void refuse(ErrorKind kind, std::string_view argument, std::string_view message) const;

  // Kind value: "<function>: <argument> must be <expected>, got <value>" unless `ok`; an infinite number is
  // never.
  template <class T>
  void that(bool ok, std::string_view argument, std::string_view expected, const T& value) const {
    if constexpr (std::is_floating_point_v<T>)
      if (ok && !std::isfinite(value))
        refuse(ErrorKind::value, argument, fmt::format("must be finite, got {}", value));
    if (!ok) refuse(ErrorKind::value, argument, fmt::format("must be {}, got {}", expected, value));
  }

  void not_empty(std::string_view argument, const Tensor& t) const;
  void dim(std::string_view argument, const Tensor& t, int64_t dims) const;
  // `sizes` holds the expected sizes, -1 for any.
  void shape(std::string_view argument, const Tensor& t, at::IntArrayRef sizes) const;
  void same_shape(std::string_view a, const Tensor& ta, std::string_view b, const Tensor& tb) const;
  // Dimension `da` of `ta` and `db` of `tb` have one size; safe for symbolic sizes (torch.compile).
  void same_size(std::string_view a, const Tensor& ta, int64_t da, std::string_view b, const Tensor& tb,
                 int64_t db) const;
  // Tensors of one shape with `dims` dimensions: none empty, shapes alike, every value finite, in this order.
  void alike(std::initializer_list<NamedTensor> tensors, int64_t dims) const;
  void no_nan(std::string_view argument, const Tensor& t) const;
  // Neither NaN nor infinite; kind nan.
  void finite(std::string_view argument, const Tensor& t) const;
  // As `finite`, looking only where `mask` (same shape) is nonzero.
  void finite_where(std::string_view argument, const Tensor& t, const Tensor& mask) const;
  // Every element of an integer tensor lies in [low, high); kind value.
  void index_range(std::string_view argument, const Tensor& t, int64_t low, int64_t high) const;
  // Every element is a whole number; kind nan for NaN and infinity, else value.
  void whole(std::string_view argument, const Tensor& t) const;
  // Every element is 0 or 1; kind nan for NaN and infinity, else value.
  void flags(std::string_view argument, const Tensor& t) const;
  // Every element satisfies low <= x <= high; kind value.
  void range(std::string_view argument, const Tensor& t, double low, double high) const;
  // `value` is one of `choices`; kind value, with the nearest choice.
  void choice(std::string_view argument, const std::string& value,
              const std::vector<std::string>& choices) const;

 private:
  std::string_view function_;
};

}  // namespace plaudit
