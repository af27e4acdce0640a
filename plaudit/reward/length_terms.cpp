#include "plaudit/reward/length_terms.h"

#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

void check_lengths(const Check& check, const Tensor& lengths, double low, double high) {
  if (!readable(lengths)) return;
  const auto least = lengths.min().item<double>(), most = lengths.max().item<double>();
  check.that(least >= low, "lengths", fmt::format(">= {}", low), least);
  check.that(most <= high, "lengths", fmt::format("<= max_length = {}", high), most);
}

}  // namespace

Tensor salmon_terminal(const Tensor& scores, const Tensor& lengths, const Tensor& has_stop,
                       const SalmonTerminalOptions& options) {
  const Check check("reward.salmon_terminal");
  check.alike({{"scores", scores}, {"lengths", lengths}, {"has_stop", has_stop}}, 1);
  if (options.length_multiplier) {
    check.same_shape("scores", scores, "length_multiplier", *options.length_multiplier);
    check.finite("length_multiplier", *options.length_multiplier);
  }
  check.that(options.max_length >= 1, "max_length", ">= 1", options.max_length);
  check_lengths(check, lengths, 0, static_cast<double>(options.max_length));
  const auto s = as_real(scores);
  auto share = lengths.to(s.scalar_type()) / static_cast<double>(options.max_length);
  if (options.length_multiplier) share = *options.length_multiplier * share;
  const auto stopless = has_stop.eq(0).to(s.scalar_type());
  return s + options.stop_penalty * stopless + options.length_coef * share.clamp_max(options.length_cap);
}

Tensor length_penalty(const Tensor& rewards, const Tensor& lengths, double coef) {
  const Check check("reward.length_penalty");
  check.alike({{"rewards", rewards}, {"lengths", lengths}}, 1);
  check_lengths(check, lengths, 1, INFINITY);
  check.that(std::isfinite(coef), "coef", "finite", coef);
  const auto r = as_real(rewards);
  return r - coef * lengths.to(r.scalar_type()).log();
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "salmon_terminal(Tensor scores, Tensor lengths, Tensor has_stop, int max_length, Tensor? "
      "length_multiplier=None, float length_coef=5., float length_cap=0.8, float stop_penalty=-6.) -> "
      "(Tensor "
      "rewards)",
      [](const Tensor& scores, const Tensor& lengths, const Tensor& has_stop, int64_t max_length,
         std::optional<Tensor> multiplier, double coef, double cap, double penalty) {
        return salmon_terminal(scores, lengths, has_stop,
                               {max_length, std::move(multiplier), coef, cap, penalty});
      },
      "Score of an answer with a length bonus and a penalty for not stopping.", {"29"});
  m.def("length_penalty(Tensor rewards, Tensor lengths, float coef) -> (Tensor rewards)", &length_penalty,
        "Rewards less a multiple of the log-length.", {"43"});
}

}  // namespace plaudit
