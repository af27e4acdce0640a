#include "plaudit/model/rope.h"

#include <ATen/ATen.h>

#include <numbers>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor frequencies(double theta, int64_t head_dim) {
  const auto exponents = at::arange(0, head_dim, 2, at::kDouble) / static_cast<double>(head_dim);
  return at::pow(theta, -exponents);
}

// Llama-3: long wavelengths are divided by the factor, short ones kept, those between blended.
Tensor llama3_scaled(const Tensor& inv, const RopeScaling& s) {
  const auto context = static_cast<double>(s.original_context);
  const auto wavelength = 2 * std::numbers::pi / inv;
  const auto blend = (context / wavelength - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
  const auto blended = (1 - blend) * inv / s.factor + blend * inv;
  const auto stretched = at::where(wavelength > context / s.low_freq_factor, inv / s.factor, blended);
  return at::where(wavelength < context / s.high_freq_factor, inv, stretched);
}

}  // namespace

Tensor rope_frequencies(const TransformerConfig& config, bool local) {
  const auto inv = frequencies(local ? config.rope_local_theta : config.rope_theta, config.head_dim);
  const auto& scaling = config.rope_scaling;
  // Gemma stretches its full layers only; the other families have one set of frequencies.
  if (scaling.type.empty() || (local && config.is_gemma())) return inv;
  if (scaling.type == "linear") return inv / scaling.factor;
  if (scaling.type == "llama3") return llama3_scaled(inv, scaling);
  return inv / at::tensor(scaling.factors, at::kDouble);
}

RopeTable rope_table(const Tensor& inv, const Tensor& positions) {
  // f32 angles, as every reference has them: at far positions f64 ones would differ.
  const auto angles = at::outer(positions.to(at::kFloat), inv.to(positions.device(), at::kFloat));
  return {angles.cos(), angles.sin()};
}

Tensor rotate(const Tensor& x, const RopeTable& table, bool inverse) {
  const auto half = x.size(-1) / 2;
  const auto wide = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto cos = table.cos.to(wide).unsqueeze(1);
  const auto sin = inverse ? -table.sin.to(wide).unsqueeze(1) : table.sin.to(wide).unsqueeze(1);
  const auto first = x.narrow(-1, 0, half).to(wide), second = x.narrow(-1, half, half).to(wide);
  return at::cat({first * cos - second * sin, second * cos + first * sin}, -1).to(x.scalar_type());
}

Tensor rope(const Tensor& x, const Tensor& positions, double theta, const std::string& layout) {
  const Check check("decode.rope");
  check.not_empty("x", x);
  check_sizes(check, {{"x", x, "THD"}, {"positions", positions, "T"}});
  if (x.size(2) % 2 != 0)
    check.refuse(ErrorKind::shape, "x",
                 fmt::format("must have an even last size, got shape {}", shape_of(x)));
  check.finite("x", x);
  check.no_nan("positions", positions);
  check.that(theta > 0, "theta", "> 0", theta);
  check.choice("layout", layout, {"half", "interleaved"});
  const auto real = as_real(x);
  const auto angles =
      at::outer(positions.to(real.scalar_type()), frequencies(theta, x.size(2)).to(real.options()))
          .unsqueeze(1);
  const auto cos = angles.cos(), sin = angles.sin();
  const auto turned = [&](const Tensor& a, const Tensor& b, bool halves) {
    const std::vector<Tensor> parts = {a * cos - b * sin, b * cos + a * sin};
    return halves ? at::cat(parts, -1) : at::stack(parts, -1).flatten(-2);
  };
  if (layout == "half") return turned(real.chunk(2, -1)[0], real.chunk(2, -1)[1], true);
  const auto pairs = real.unflatten(-1, {-1, 2});
  return turned(pairs.select(-1, 0), pairs.select(-1, 1), false);
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def("rope(Tensor x, Tensor positions, *, float theta=10000.0, str layout=\"half\") -> (Tensor y)", &rope,
        "Rotary position embedding of [T,H,D] at the given positions.", {"90"});
}

}  // namespace plaudit
