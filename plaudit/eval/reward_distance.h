// How far apart two rewards are, and how much return the distance can cost.
//
// Distances between canonical, standardised rewards (reward/canonical.h) and the exact regret of optimising
// one for the other. Skalse et al., "STARC", 2024, arXiv 2309.15257. UserErrors as in env/tabular.h.
#pragma once

#include <optional>
#include <string>

#include "plaudit/env/tabular.h"

namespace plaudit {

struct StarcOptions {
  std::string canonicalisation = "value";       // value, minimal, epic, dard or none
  double norm_order = 2;                        // of the standardisation: 1, 2 or infinity
  double distance_order = 2;                    // of the norm of the difference
  std::optional<Tensor> policy = std::nullopt;  // [S,A], of "value"; default uniform
};

// |s(a) - s(b)|, s the standardised canonical form: in [0,2], 0 iff both order all policies alike ("value",
// "minimal").
Tensor starc_distance(const Tensor& transition, const Tensor& reward_a, const Tensor& reward_b, double gamma,
                      const StarcOptions& options = {});

// sqrt((1 - rho)/2) with the weighted correlation of tensors of one shape; sqrt(1/2) when one side is
// constant, 0 when both are.
Tensor pearson_distance(const Tensor& a, const Tensor& b,
                        const std::optional<Tensor>& weights = std::nullopt);

struct DistanceLaws {
  std::optional<Tensor> state_distribution = std::nullopt;   // [S], default uniform
  std::optional<Tensor> action_distribution = std::nullopt;  // [A], default uniform
};

// pearson_distance of the EPIC forms under weights D_S D_A D_S.
Tensor epic_distance(const Tensor& reward_a, const Tensor& reward_b, double gamma,
                     const DistanceLaws& laws = {});

// pearson_distance of the DARD forms under weights D_S D_A transition.
Tensor dard_distance(const Tensor& transition, const Tensor& reward_a, const Tensor& reward_b, double gamma,
                     const DistanceLaws& laws = {});

// Sampled canonical rewards [B], each divided by its sample norm (mean |x|^p)^(1/p) unless that is at most
// 1e-12; the sample norm of their difference.
Tensor sampled_distance(const Tensor& canonical_a, const Tensor& canonical_b, double order = 2);

constexpr double kTrivial = 1e-12;  // a range or norm of nothing

struct Regret {
  Tensor regret;      // scalar, max J_true - J_true of the learned reward's policy
  Tensor normalised;  // over the range of J_true; 0 where that is at most 1e-12
};

// Of the lowest-index optimal policy of the learned reward.
Regret regret(const Tensor& transition, const Tensor& reward_true, const Tensor& reward_learned,
              const Tensor& initial, double gamma);

// max over policies with J_learned(b) >= J_learned(a) of [J_true(a) - J_true(b)] / range, in [0,1]; 0 where
// the true range is at most 1e-12, else 1 where the learned one is. By duality min over lambda >= 0 of the
// range of reward_true - lambda reward_learned, both scaled to range 1: convex and piecewise linear, solved
// by cutting planes.
Tensor worst_case_regret(const Tensor& transition, const Tensor& reward_true, const Tensor& reward_learned,
                         const Tensor& initial, double gamma);

}  // namespace plaudit
