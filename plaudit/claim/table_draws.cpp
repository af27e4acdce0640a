#include "plaudit/claim/table_draws.h"

#include <ATen/ATen.h>

namespace plaudit {

// A gamma variate of shape 2 is the sum of two exponential ones.
at::Tensor dirichlet2(at::IntArrayRef sizes, Rng& rng) {
  const auto exponential = [&] { return -(1 - rng.uniform_tensor(sizes, at::kDouble)).log(); };
  const auto first = exponential();
  const auto gamma = first + exponential();
  return gamma / gamma.sum(-1, /*keepdim=*/true);
}

at::Tensor total_variation(const at::Tensor& log_probs, const at::Tensor& other_log_probs) {
  return (log_probs.exp() - other_log_probs.exp()).abs().sum(-1) / 2;
}

at::Tensor draw_rows(const at::Tensor& probs, Rng& rng) {
  const auto cumulative = probs.cumsum(-1).contiguous();
  const auto u =
      rng.uniform_tensor({probs.size(0), 1}, at::kDouble) * cumulative.narrow(1, probs.size(1) - 1, 1);
  return at::searchsorted(cumulative, u.contiguous(), /*out_int32=*/false, /*right=*/true)
      .squeeze(1)
      .clamp_max(probs.size(1) - 1);
}

}  // namespace plaudit
