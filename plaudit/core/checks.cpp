#include "plaudit/core/checks.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

namespace plaudit {

bool traced(const Tensor& t) {
  const auto keys = t.key_set();
  return keys.has(c10::DispatchKey::Python) || keys.has(c10::DispatchKey::FuncTorchBatched) ||
         keys.has(c10::DispatchKey::FuncTorchGradWrapper);
}

bool readable(const Tensor& t) {
  return t.defined() && t.device().is_cpu() && !traced(t);
}

Tensor as_real(const Tensor& t) {
  if (t.scalar_type() == at::kHalf || t.scalar_type() == at::kBFloat16) return t.to(at::kFloat);
  return t.is_floating_point() ? t : t.to(at::kDouble);
}

std::string shape_of(const Tensor& t) {
  std::vector<int64_t> sizes;
  for (const auto& size : t.sym_sizes()) sizes.push_back(size.guard_int(__FILE__, __LINE__));
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

void Check::refuse(ErrorKind kind, std::string_view argument, std::string_view message) const {
  throw UserError(kind, fmt::format("{}: {} {}", function_, argument, message));
}

void Check::not_empty(std::string_view argument, const Tensor& t) const {
  if (t.sym_numel() == 0) refuse(ErrorKind::empty, argument, fmt::format("is empty, shape {}", shape_of(t)));
}

void Check::dim(std::string_view argument, const Tensor& t, int64_t dims) const {
  if (t.dim() != dims)
    refuse(ErrorKind::shape, argument,
           fmt::format("must have {} dimensions, got shape {}", dims, shape_of(t)));
}

void Check::shape(std::string_view argument, const Tensor& t, at::IntArrayRef sizes) const {
  bool ok = t.dim() == static_cast<int64_t>(sizes.size());
  for (int64_t i = 0; ok && i < t.dim(); ++i) ok = sizes[i] < 0 || t.size(i) == sizes[i];
  if (ok) return;
  std::string expected;
  for (const auto size : sizes)
    expected += (expected.empty() ? "" : ", ") + (size < 0 ? "*" : std::to_string(size));
  refuse(ErrorKind::shape, argument, fmt::format("must have shape [{}], got {}", expected, shape_of(t)));
}

void Check::same_shape(std::string_view a, const Tensor& ta, std::string_view b, const Tensor& tb) const {
  if (ta.sym_sizes() == tb.sym_sizes()) return;
  refuse(ErrorKind::shape, b,
         fmt::format("has shape {}, expected {} as {} has", shape_of(tb), shape_of(ta), a));
}

void Check::same_size(std::string_view a, const Tensor& ta, int64_t da, std::string_view b, const Tensor& tb,
                      int64_t db) const {
  if (ta.sym_size(da) == tb.sym_size(db)) return;
  refuse(ErrorKind::shape, b,
         fmt::format("has shape {}: dimension {} must agree with dimension {} of {}, shape {}", shape_of(tb),
                     db, da, a, shape_of(ta)));
}

void Check::alike(std::initializer_list<NamedTensor> tensors, int64_t dims) const {
  const auto& first = *tensors.begin();
  for (const auto& t : tensors) not_empty(t.name, t.value);
  dim(first.name, first.value, dims);
  for (const auto& t : tensors) same_shape(first.name, first.value, t.name, t.value);
  for (const auto& t : tensors) finite(t.name, t.value);
}

void Check::no_nan(std::string_view argument, const Tensor& t) const {
  if (!readable(t) || !t.is_floating_point()) return;
  if (at::isnan(t.detach()).any().item<bool>()) refuse(ErrorKind::nan, argument, "holds NaN");
}

void Check::finite(std::string_view argument, const Tensor& t) const {
  if (!readable(t) || !t.is_floating_point()) return;
  if (!at::isfinite(t.detach()).all().item<bool>()) refuse(ErrorKind::nan, argument, "holds NaN or infinity");
}

void Check::finite_where(std::string_view argument, const Tensor& t, const Tensor& mask) const {
  if (!readable(t) || !readable(mask) || !t.is_floating_point()) return;
  if (at::isfinite(t.detach()).logical_not().logical_and(mask.ne(0)).any().item<bool>())
    refuse(ErrorKind::nan, argument, "holds NaN or infinity at a valid position");
}

void Check::index_range(std::string_view argument, const Tensor& t, int64_t low, int64_t high) const {
  if (!readable(t) || t.numel() == 0) return;
  no_nan(argument, t);
  const auto [least, most] = at::aminmax(t.detach());
  for (const double bound : {least.item<double>(), most.item<double>()}) {
    if (bound < static_cast<double>(low) || bound >= static_cast<double>(high))
      refuse(ErrorKind::value, argument, fmt::format("must lie in [{}, {}), got {}", low, high, bound));
  }
  whole(argument, t);
}

void Check::whole(std::string_view argument, const Tensor& t) const {
  if (!readable(t) || !t.is_floating_point()) return;
  finite(argument, t);
  const auto broken = t.detach().masked_select(t.detach().frac().ne(0));
  if (broken.numel() > 0)
    refuse(ErrorKind::value, argument, fmt::format("must be integers, got {}", broken[0].item<double>()));
}

void Check::flags(std::string_view argument, const Tensor& t) const {
  if (!readable(t) || t.scalar_type() == at::kBool) return;
  finite(argument, t);
  const auto odd = t.detach().ne(0).logical_and(t.detach().ne(1));
  if (odd.any().item<bool>())
    refuse(ErrorKind::value, argument,
           fmt::format("must be 0 or 1, got {}", t.detach().masked_select(odd)[0].item<double>()));
}

void Check::range(std::string_view argument, const Tensor& t, double low, double high) const {
  if (!readable(t) || t.numel() == 0) return;
  const auto [least, most] = at::aminmax(t.detach());
  for (const double bound : {least.item<double>(), most.item<double>()}) {
    if (!(bound >= low && bound <= high))
      refuse(ErrorKind::value, argument, fmt::format("must lie in [{}, {}], got {}", low, high, bound));
  }
}

void Check::choice(std::string_view argument, const std::string& value,
                   const std::vector<std::string>& choices) const {
  for (const auto& choice : choices) {
    if (choice == value) return;
  }
  refuse(ErrorKind::value, argument, fmt::format("'{}' is not known{}", value, suggestion(value, choices)));
}

}  // namespace plaudit
