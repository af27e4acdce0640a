#include "plaudit/model/attention.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"

namespace plaudit {
namespace {

Tensor attention_op(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& q_positions,
                    const Tensor& k_positions, const std::optional<Tensor>& q_segments,
                    const std::optional<Tensor>& k_segments, std::optional<double> scale,
                    std::optional<int64_t> window, std::optional<double> softcap) {
  const double fallback =
      1 / std::sqrt(static_cast<double>(std::max<int64_t>(q.dim() > 0 ? q.size(-1) : 1, 1)));
  return attention(q, k, v, q_positions, k_positions, q_segments.value_or(Tensor()),
                   k_segments.value_or(Tensor()), {scale.value_or(fallback), window, softcap});
}

void check_attention(const Check& check, const Tensor& q, const Tensor& k, const Tensor& v,
                     const Tensor& q_positions, const Tensor& k_positions, const Tensor& q_segments,
                     const Tensor& k_segments, const AttentionParams& params) {
  check.not_empty("q", q);
  check.not_empty("k", k);
  check.not_empty("v", v);
  check_sizes(check, {{"q", q, "THD"},
                      {"k", k, "SGD"},
                      {"v", v, "SGE"},
                      {"q_positions", q_positions, "T"},
                      {"k_positions", k_positions, "S"},
                      {"q_segments", q_segments, "T"},
                      {"k_segments", k_segments, "S"}});
  if (q.size(1) % k.size(1) != 0)
    check.refuse(ErrorKind::shape, "q",
                 fmt::format("must have a multiple of the {} heads of k, got {}", k.size(1), q.size(1)));
  if (q_segments.defined() != k_segments.defined())
    check.refuse(ErrorKind::shape, q_segments.defined() ? "k_segments" : "q_segments",
                 "must be given together with the other side's segments");
  check.no_nan("q", q);
  check.no_nan("k", k);
  check.no_nan("v", v);
  if (params.window) check.that(*params.window >= 1, "window", ">= 1", *params.window);
  if (params.softcap) check.that(*params.softcap > 0, "softcap", "> 0", *params.softcap);
}

}  // namespace

AttentionPlan plan_attention(const PackedBatch& batch, int64_t window) {
  AttentionPlan plan;
  int64_t begin = 0;
  const auto position = batch.positions.cpu();
  const auto at_row = [&](int64_t row) { return position[row].item<int64_t>(); };
  for (size_t i = 0; i < batch.segments.size(); ++i) {
    const auto& s = batch.segments[i];
    if (s.begin != begin || s.end <= s.begin || s.parent < -1 || s.parent >= static_cast<int64_t>(i))
      fail(ErrorKind::value, "packed batch",
           fmt::format(
               "segment {} is [{}, {}) with parent {}, expected a non-empty one that starts at {} with an "
               "earlier parent or -1",
               i, s.begin, s.end, s.parent, begin));
    begin = s.end;
    plan.shared = plan.shared || s.parent >= 0;
    const auto first = at_row(s.begin), length = s.end - s.begin;
    auto& blocks = plan.segments.emplace_back();
    AttentionBlock own{s.begin, s.end, s.begin, s.end, true, {}};
    if (window > 0 && length > window) {
      const auto ones = at::ones({length, length}, at::kBool);
      const auto visible = ones.tril().logical_and(ones.triu(1 - window));
      own.mask = at::zeros({1, 1, length, length}).masked_fill_(visible.logical_not(), -INFINITY);
      own.causal = false;
    }
    blocks.push_back(own);
    for (int64_t a = s.parent; a >= 0; a = batch.segments[static_cast<size_t>(a)].parent) {
      const auto& above = batch.segments[static_cast<size_t>(a)];
      AttentionBlock block{s.begin, s.end, above.begin, above.end, false, {}};
      const auto last = at_row(above.end - 1);
      if (window > 0 && first + length - 1 - window >= at_row(above.begin)) {
        // Queries up to last + window - 1 see some of it; keys after first - window are seen by some.
        block.q_end = std::min(s.end, s.begin + last + window - first);
        block.k_begin = std::max(above.begin, above.end - (last - (first - window)));
        if (block.q_end <= block.q_begin || block.k_begin >= block.k_end) continue;
        const auto q = at::arange(block.q_end - block.q_begin).add_(first).unsqueeze(1);
        const auto k = at::arange(block.k_end - block.k_begin).add_(last + 1 - (block.k_end - block.k_begin));
        block.mask =
            at::zeros({1, 1, q.size(0), k.size(0)}).masked_fill_(k.unsqueeze(0) <= q - window, -INFINITY);
      }
      blocks.push_back(block);
    }
  }
  if (begin != batch.tokens())
    fail(ErrorKind::shape, "packed batch",
         fmt::format("segments cover {} tokens, but ids has {}", begin, batch.tokens()));
  return plan;
}

Tensor masked_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& visible,
                        double scale, std::optional<double> softcap) {
  const auto groups = q.size(1) / k.size(1);
  const auto keys = k.repeat_interleave(groups, 1).permute({1, 2, 0});  // [Hq, d, S]
  const auto values = v.repeat_interleave(groups, 1).transpose(0, 1);   // [Hq, S, d]
  auto scores = at::matmul(q.transpose(0, 1), keys) * scale;            // [Hq, T, S]
  if (softcap) scores = at::tanh(scores / *softcap) * *softcap;
  const auto weights = at::softmax(scores.masked_fill(visible.logical_not(), -INFINITY), -1);
  return at::matmul(weights, values).transpose(0, 1);
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& q_positions,
                 const Tensor& k_positions, const Tensor& q_segments, const Tensor& k_segments,
                 const AttentionParams& params) {
  const Check check("decode.attention");
  check_attention(check, q, k, v, q_positions, k_positions, q_segments, k_segments, params);
  const auto qp = q_positions.unsqueeze(1), kp = k_positions.unsqueeze(0);
  auto visible = kp <= qp;
  if (params.window) visible = visible.logical_and(kp > qp - *params.window);
  if (q_segments.defined()) visible = visible.logical_and(q_segments.unsqueeze(1) == k_segments.unsqueeze(0));
  if (readable(visible)) {
    const auto blind = visible.any(1).logical_not().nonzero();
    if (blind.numel() > 0)
      check.refuse(ErrorKind::value, "q_positions",
                   fmt::format("query {} at position {} sees no key", blind[0].item<int64_t>(),
                               q_positions[blind[0].item<int64_t>()].item<double>()));
  }
  const auto real = as_real(q);
  return masked_attention(real, as_real(k).to(real.scalar_type()), as_real(v).to(real.scalar_type()), visible,
                          params.scale, params.softcap);
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "attention(Tensor q, Tensor k, Tensor v, Tensor q_positions, Tensor k_positions, Tensor? "
      "q_segments=None, "
      "Tensor? k_segments=None, *, float? scale=None, int? window=None, float? softcap=None) -> (Tensor out)",
      &attention_op, "Causal grouped-query attention by positions, segments and window.", {"90"});
}

}  // namespace plaudit
