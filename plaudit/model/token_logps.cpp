#include "plaudit/model/token_logps.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/model/fused_rows.h"

namespace plaudit {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows whose f32 softmax is worked on at one time: small enough to stay in the cache.
constexpr int64_t kLogpRows = 32;

// One chunk of rows: logits [c, V] in the compute dtype and what is done to them.
struct Chunk {
  const TokenLogpsOptions& options;
  at::ScalarType wide;
  Tensor logits;   // [c, V]
  Tensor targets;  // [c]

  // Our kernels read the logits once or twice; plain operators, eight times, are for the rest.
  bool fused() const { return !options.softcap && wide == at::kFloat && has_fused_rows(logits); }

  template <class Fn>
  void blocks(Fn fn) const {
    for (int64_t begin = 0; begin < logits.size(0); begin += kLogpRows)
      fn(begin, std::min(kLogpRows, logits.size(0) - begin));
  }

  // z of some rows, and the capped logit before the temperature where there is a cap.
  std::pair<Tensor, Tensor> scaled(int64_t begin, int64_t count) const {
    auto z = logits.narrow(0, begin, count).to(wide);
    Tensor tanh;
    if (options.softcap) {
      tanh = (z / *options.softcap).tanh_();
      z = tanh * *options.softcap;
    }
    return {options.temperature == 1 ? z : z / options.temperature, tanh};
  }

  void statistics(Tensor logps, Tensor entropy, Tensor lse) const {
    if (fused()) {
      const auto rows = fused_logps(logits, targets, options.temperature);
      logps.copy_(rows.logps);
      entropy.copy_(rows.entropy);
      lse.copy_(rows.lse);
      return;
    }
    blocks([&](int64_t begin, int64_t count) {
      const auto z = scaled(begin, count).first;
      const auto rows_lse = at::logsumexp(z, {-1}, true);
      const auto t = targets.narrow(0, begin, count).unsqueeze(1);
      lse.narrow(0, begin, count).copy_(rows_lse.squeeze(1));
      logps.narrow(0, begin, count).copy_((z.gather(1, t) - rows_lse).squeeze(1));
      // H = -sum p log p; the product is zero where p underflows.
      const auto log_p = z - rows_lse;
      entropy.narrow(0, begin, count).copy_((log_p.exp() * log_p).sum(-1).neg_());
    });
  }

  // Overwrites the logits with d(loss)/d(logits), given d(loss)/d(logps) and, where defined,
  // d(loss)/d(entropy) and d(loss)/d(lse).
  void differentiate(const Tensor& lse, const Tensor& grad_logps, const Tensor& entropy,
                     const Tensor& grad_entropy, const Tensor& grad_lse) {
    if (fused())
      return fused_logps_backward(logits, targets, options.temperature, {{}, entropy, lse},
                                  {grad_logps, grad_entropy, grad_lse});
    blocks([&](int64_t begin, int64_t count) {
      const auto rows = [&](const Tensor& t) { return t.narrow(0, begin, count).unsqueeze(1); };
      const auto [z, tanh] = scaled(begin, count);
      const auto log_p = z - rows(lse);
      const auto p = log_p.exp();
      auto dz = p * -rows(grad_logps);
      if (grad_entropy.defined()) dz -= rows(grad_entropy) * p * (log_p + rows(entropy));
      if (grad_lse.defined()) dz += p * rows(grad_lse);
      dz.scatter_add_(1, rows(targets), rows(grad_logps));
      if (options.temperature != 1) dz /= options.temperature;
      if (options.softcap) dz *= 1 - tanh.square();
      logits.narrow(0, begin, count).copy_(dz);
    });
  }
};

class TokenLogps : public torch::autograd::Function<TokenLogps> {
 public:
  // `unit_gradient`: W is frozen, so d(logps)/d(hidden) of each row is computed here, once.
  static variable_list forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                               const Tensor& targets, const TokenLogpsOptions& options,
                               at::ScalarType compute, bool differentiable, bool unit_gradient) {
    const auto wide = compute == at::kDouble ? at::kDouble : at::kFloat;
    const auto rows = hidden.size(0);
    const auto empty = [&] { return at::empty({rows}, hidden.options().dtype(wide)); };
    const Tensor logps = empty(), entropy = empty(), lse = empty();
    const auto w = weight.to(compute);
    Tensor unit, kept;
    if (unit_gradient) unit = at::empty({rows, hidden.size(1)}, hidden.options().dtype(compute));
    for (int64_t begin = 0; begin < rows; begin += options.chunk) {
      const auto count = std::min(options.chunk, rows - begin);
      const auto part = [&](const Tensor& t) { return t.narrow(0, begin, count); };
      kept = Tensor();  // before the next chunk is allocated
      Chunk chunk{options, wide, at::mm(part(hidden).to(compute), w.t()), part(targets)};
      chunk.statistics(part(logps), part(entropy), part(lse));
      if (unit_gradient) {
        chunk.differentiate(part(lse), at::ones_like(part(lse)), part(entropy), {}, {});
        part(unit).copy_(at::mm(chunk.logits, w));
      } else if (differentiable) {
        kept = chunk.logits;
      }
    }
    ctx->save_for_backward({hidden, weight, targets, lse, entropy, unit});
    ctx->saved_data["kept"] = kept;
    ctx->saved_data["temperature"] = options.temperature;
    ctx->saved_data["softcap"] = options.softcap;
    ctx->saved_data["chunk"] = options.chunk;
    ctx->saved_data["compute"] = static_cast<int64_t>(compute);
    ctx->set_materialize_grads(false);
    return {logps, entropy, lse};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[3],
               &entropy = saved[4];
    const TokenLogpsOptions options{ctx->saved_data["temperature"].toDouble(),
                                    ctx->saved_data["softcap"].toOptional<double>(),
                                    ctx->saved_data["chunk"].toInt()};
    const auto compute = static_cast<at::ScalarType>(ctx->saved_data["compute"].toInt());
    variable_list out(7);
    if (!grads[0].defined() && !grads[1].defined() && !grads[2].defined()) return out;
    const auto grad_logps = grads[0].defined() ? grads[0] : at::zeros_like(lse);
    if (saved[5].defined() && !grads[1].defined() && !grads[2].defined()) {
      out[0] = (saved[5] * grad_logps.unsqueeze(1)).to(hidden.scalar_type());
      return out;
    }
    auto kept = ctx->saved_data["kept"].toTensor();
    ctx->saved_data.erase("kept");
    const bool need_hidden = ctx->needs_input_grad(0), need_weight = ctx->needs_input_grad(1);
    const auto w = weight.to(compute);
    if (need_hidden) out[0] = at::empty_like(hidden);
    const auto rows = hidden.size(0);
    for (int64_t begin = (rows - 1) / options.chunk * options.chunk; begin >= 0; begin -= options.chunk) {
      const auto count = std::min(options.chunk, rows - begin);
      const auto part = [&](const Tensor& t) { return t.defined() ? t.narrow(0, begin, count) : t; };
      const auto h = part(hidden).to(compute);
      const bool have = kept.defined() && begin + count == rows;
      Chunk chunk{options, lse.scalar_type(), have ? std::move(kept) : at::mm(h, w.t()), part(targets)};
      kept = Tensor();
      chunk.differentiate(part(lse), part(grad_logps), part(entropy), part(grads[1]), part(grads[2]));
      if (need_hidden) part(out[0]).copy_(at::mm(chunk.logits, w));
      if (!need_weight) continue;
      if (!out[1].defined()) {
        out[1] = at::mm(chunk.logits.t(), h).to(weight.scalar_type());
      } else if (weight.scalar_type() == compute) {
        out[1].addmm_(chunk.logits.t(), h);
      } else {
        out[1].add_(at::mm(chunk.logits.t(), h));
      }
    }
    return out;
  }
};

std::tuple<Tensor, Tensor> token_logps_op(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                          const Tensor& mask, double temperature,
                                          std::optional<double> softcap, int64_t chunk) {
  const Check check("decode.token_logps");
  check.not_empty("hidden", hidden);
  check.not_empty("weight", weight);
  check_sizes(check, {{"hidden", hidden, "BTD"},
                      {"weight", weight, "VD"},
                      {"targets", targets, "BT"},
                      {"mask", mask, "BT"}});
  const auto keep = mask.ne(0);
  check.finite_where("hidden", hidden, keep.unsqueeze(-1).expand_as(hidden));
  check.finite("weight", weight);
  check.that(temperature > 0, "temperature", "> 0", temperature);
  check.that(!softcap || *softcap > 0, "softcap", "> 0", softcap.value_or(0));
  check.that(chunk >= 1, "chunk", ">= 1", chunk);
  const auto rows = keep.flatten().nonzero().squeeze(1);
  const auto h = as_real(hidden).flatten(0, 1).index_select(0, rows);
  const auto w = as_real(weight).to(h.scalar_type());
  const auto chosen = targets.flatten().index_select(0, rows).to(at::kLong);
  check.index_range("targets", chosen, 0, weight.size(0));
  const auto [logps, entropy] = token_logps(h, w, chosen, {temperature, softcap, chunk}, h.scalar_type());
  const auto spread = [&](const Tensor& values) {
    return at::zeros({mask.numel()}, values.options()).index_copy(0, rows, values).view(mask.sizes());
  };
  return {spread(logps), spread(entropy)};
}

}  // namespace

TokenScores token_scores(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                         const TokenLogpsOptions& options, at::ScalarType compute) {
  const bool grad = at::GradMode::is_enabled();
  const bool of_weight = grad && weight.requires_grad(), of_hidden = grad && hidden.requires_grad();
  const auto out = TokenLogps::apply(hidden, weight, targets, options, compute, of_hidden || of_weight,
                                     of_hidden && !of_weight);
  return {out[0], out[1], out[2]};
}

std::pair<Tensor, Tensor> token_logps(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                      const TokenLogpsOptions& options, at::ScalarType compute) {
  auto scores = token_scores(hidden, weight, targets, options, compute);
  return {std::move(scores.logps), std::move(scores.entropy)};
}

std::pair<Tensor, Tensor> token_logps_reference(const Tensor& hidden, const Tensor& weight,
                                                const Tensor& targets, const TokenLogpsOptions& options) {
  auto z = at::matmul(hidden, weight.t());
  if (options.softcap) z = at::tanh(z / *options.softcap) * *options.softcap;
  const auto log_p = at::log_softmax(z / options.temperature, -1);
  return {log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1), -(log_p.exp() * log_p).sum(-1)};
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "token_logps(Tensor hidden, Tensor weight, Tensor targets, Tensor mask, *, float temperature=1.0, "
      "float? "
      "softcap=None, int chunk=1024) -> (Tensor logps, Tensor entropy)",
      &token_logps_op,
      "Log-probabilities of target tokens and entropies from hidden states, a chunk of rows at a time.",
      {"90"});
}

}  // namespace plaudit
