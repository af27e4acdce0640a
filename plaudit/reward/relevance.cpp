#include "plaudit/reward/relevance.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "plaudit/core/registry.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

void check_map(const Check& check, const RangeMap& map) {
  check.that(map.src_high > map.src_low, "src_high", fmt::format("> src_low = {}", map.src_low),
             map.src_high);
}

Tensor mapped(const Tensor& x, const RangeMap& map, bool clamp) {
  const auto share = (x - map.src_low) / (map.src_high - map.src_low);
  return map.dst_low + (map.dst_high - map.dst_low) * (clamp ? share.clamp(0, 1) : share);
}

}  // namespace

Tensor relevance(const Tensor& query, const Tensor& response, bool normalize) {
  const Check check("reward.relevance");
  check.alike({{"query", query}, {"response", response}}, 2);
  const auto q = as_real(query), r = as_real(response);
  return normalize ? (unit_rows(q) * unit_rows(r)).sum(1) : (q * r).sum(1);
}

Tensor interpolate(const Tensor& x, const RangeMap& map, bool clamp) {
  const Check check("reward.interpolate");
  check.not_empty("x", x);
  check.dim("x", x, 1);
  check.no_nan("x", x);
  check_map(check, map);
  return mapped(as_real(x), map, clamp);
}

Tensor r3_reward(const ResponseTerms& response, const RangeMap& map, const std::vector<std::string>& terms) {
  const Check check("reward.r3");
  check.alike({{"relevance_query", response.relevance_query},
               {"relevance_reference", response.relevance_reference},
               {"length", response.length},
               {"repetition", response.repetition},
               {"open_ended", response.open_ended}},
              1);
  check.range("repetition", response.repetition, 0, 1);
  check_map(check, map);
  for (const auto& term : terms) check.choice("terms", term, {"length", "repetition", "type"});
  const auto uses = [&](std::string_view term) {
    return std::find(terms.begin(), terms.end(), term) != terms.end();
  };
  auto open = as_real(response.relevance_query);
  auto closed = mapped(as_real(response.relevance_reference), map, true);
  if (uses("length")) open = open * response.length;
  if (uses("repetition")) {
    open = open * response.repetition;
    closed = closed * response.repetition;
  }
  return uses("type") ? at::where(response.open_ended.ne(0), open, closed) : open;
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def("relevance(Tensor query, Tensor response, bool normalize=False) -> (Tensor relevance)", &relevance,
        "Dot product or cosine of two embeddings.", {"22"});
  m.def(
      "interpolate(Tensor x, float src_low, float src_high, float dst_low, float dst_high, bool clamp=True) "
      "-> (Tensor value)",
      [](const Tensor& x, double src_low, double src_high, double dst_low, double dst_high, bool clamp) {
        return interpolate(x, {src_low, src_high, dst_low, dst_high}, clamp);
      },
      "Linear map of one range onto another.", {"22"});
  m.def(
      "r3(Tensor relevance_query, Tensor relevance_reference, Tensor length, Tensor repetition, Tensor "
      "open_ended, float src_low, float src_high, float dst_low, float dst_high, str[]? terms=None) -> "
      "(Tensor reward)",
      [](const Tensor& relevance_query, const Tensor& relevance_reference, const Tensor& length,
         const Tensor& repetition, const Tensor& open_ended, double src_low, double src_high, double dst_low,
         double dst_high, const std::optional<std::vector<std::string>>& terms) {
        return r3_reward({relevance_query, relevance_reference, length, repetition, open_ended},
                         {src_low, src_high, dst_low, dst_high},
                         terms.value_or(std::vector<std::string>{"length", "repetition", "type"}));
      },
      "Regularised relevance: a reward for open-ended and closed queries without preferences.", {"22"});
}

}  // namespace plaudit
