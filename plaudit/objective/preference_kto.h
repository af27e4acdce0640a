// KTO: preference training from single answers marked desirable or not.
//
// Source: Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization", 2024, arXiv
// 2402.01306, eq. 7-8.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// The reference point z0 = max(0, mean(log pi - log pi_ref)) over mismatched pairs (x_i, y_{i+1}), [M] each;
// a scalar without gradient.
Tensor kto_reference_point(const Tensor& kl_logps, const Tensor& kl_ref_logps);

struct KtoOptions {
  double beta = 0.1;              // > 0
  double desirable_weight = 1;    // >= 0; keep desirable_weight nD / (undesirable_weight nU) in [1, 4/3]
  double undesirable_weight = 1;  // >= 0
};

struct KtoResult {
  Tensor loss;     // scalar
  Tensor losses;   // [B]
  Tensor rewards;  // [B], beta times the log-ratio, detached
};

// Desirable: lD (1 - sigma(beta (r - z0))); otherwise lU (1 - sigma(beta (z0 - r))), with r = log pi/pi_ref
// [B]. `desirable` [B] is true or nonzero for the desirable; `kl` >= 0 (kind value) is z0, a scalar.
KtoResult kto_loss(const Tensor& logps, const Tensor& ref_logps, const Tensor& desirable, const Tensor& kl,
                   const KtoOptions& options = {});

}  // namespace plaudit
