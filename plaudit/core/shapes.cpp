#include "plaudit/core/shapes.h"

#include <string>
#include <vector>

namespace plaudit {
namespace {

// A letter, the size that it stands for and the argument that fixed it.
struct Letter {
  char name;
  c10::SymInt size;
  std::string_view owner;
};

std::string letters(std::string_view sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i) text += (i ? std::string(",") : "") + sizes[i];
  return text + "]";
}

void bind(const Check& check, const ShapedTensor& argument, std::vector<Letter>& known) {
  const auto& t = argument.value;
  if (t.dim() != static_cast<int64_t>(argument.sizes.size()))
    check.refuse(ErrorKind::shape, argument.name,
                 fmt::format("must have shape {}, got {}", letters(argument.sizes), shape_of(t)));
  for (int64_t i = 0; i < t.dim(); ++i) {
    const char letter = argument.sizes[static_cast<size_t>(i)];
    const auto size = t.sym_size(i);
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const Letter& l) { return l.name == letter; });
    if (found == known.end()) {
      known.push_back({letter, size, argument.name});
    } else if (found->size != size) {
      check.refuse(ErrorKind::shape, argument.name,
                   fmt::format("must have shape {} with {} = {} as in {}, got {}", letters(argument.sizes),
                               letter, found->size.guard_int(__FILE__, __LINE__), found->owner, shape_of(t)));
    }
  }
}

}  // namespace

void check_not_empty(const Check& check, ShapedTensors arguments) {
  for (const auto& a : arguments) {
    if (a.value.defined()) check.not_empty(a.name, a.value);
  }
}

void check_sizes(const Check& check, ShapedTensors arguments) {
  std::vector<Letter> known;
  for (const auto& a : arguments) {
    if (a.value.defined() && a.sizes != "...") bind(check, a, known);
  }
}

void check_finite(const Check& check, ShapedTensors arguments) {
  for (const auto& a : arguments) {
    if (a.value.defined()) check.finite(a.name, a.value);
  }
}

void check_arguments(const Check& check, ShapedTensors arguments) {
  check_not_empty(check, arguments);
  check_sizes(check, arguments);
  check_finite(check, arguments);
}

void check_discount(const Check& check, double gamma) {
  check.that(gamma >= 0 && gamma <= 1, "gamma", "in [0, 1]", gamma);
}

void check_elementwise(const Check& check, std::initializer_list<NamedTensor> tensors) {
  const auto& first = *tensors.begin();
  for (const auto& t : tensors) check.not_empty(t.name, t.value);
  for (const auto& t : tensors) check.same_shape(first.name, first.value, t.name, t.value);
  for (const auto& t : tensors) check.finite(t.name, t.value);
}

}  // namespace plaudit
