#include "plaudit/core/mixed_types.h"

namespace plaudit {

at::ScalarType common_real_type(at::TensorList tensors) {
  auto type = at::kFloat;
  for (const auto& t : tensors) {
    if (!t.is_floating_point() || t.scalar_type() == at::kDouble) type = at::kDouble;
  }
  return type;
}

}  // namespace plaudit
