#include "plaudit/model/attention.h"

#include <ATen/ATen.h>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/shapes.h"
#include "plaudit/model/decode_linear.h"

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
  check.finite("q", q);
  check.finite("k", k);
  check.finite("v", v);
  if (params.window) check.that(*params.window >= 1, "window", ">= 1", *params.window);
  if (params.softcap) check.that(*params.softcap > 0, "softcap", "> 0", *params.softcap);
}

}  // namespace

AttentionPlan plan_attention(const PackedBatch& batch, int64_t window) {
  struct Place {
    size_t tree;
    int64_t index;  // in the tree
  };
  AttentionPlan plan;
  plan.window = window;
  std::vector<Place> places;
  int64_t begin = 0;
  const auto positions = batch.positions.to(at::kCPU, at::kLong).contiguous();
  for (size_t i = 0; i < batch.segments.size(); ++i) {
    const auto& s = batch.segments[i];
    if (s.begin != begin || s.end <= s.begin || s.parent < -1 || s.parent >= static_cast<int64_t>(i))
      fail(ErrorKind::value, "packed batch",
           fmt::format(
               "segment {} is [{}, {}) with parent {}, expected a non-empty one that starts at {} with an "
               "earlier parent or -1",
               i, s.begin, s.end, s.parent, begin));
    begin = s.end;
    if (begin > batch.tokens()) break;
    Place place{plan.trees.size(), 0};
    int64_t parent = -1;
    if (s.parent < 0) {
      plan.trees.emplace_back();
    } else {
      const auto& above = places[static_cast<size_t>(s.parent)];
      parent = above.index;
      place = {above.tree, static_cast<int64_t>(plan.trees[above.tree].segments.size())};
    }
    places.push_back(place);
    auto& tree = plan.trees[place.tree];
    tree.segments.push_back(
        {s.begin, s.end, parent, positions.const_data_ptr<int64_t>()[s.begin], tree.columns});
    tree.columns += decode::round_up(s.end - s.begin, decode::kPanel);
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
