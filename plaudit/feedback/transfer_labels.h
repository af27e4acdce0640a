// Preference labels carried from one task to another along a transport plan between their segments.
//
// Liu et al., "Zero-shot Cross-task Preference Alignment and Robust Reward Learning", 2024, arXiv 2306.03615,
// section 4.1. The plan comes from transport.entropic_gromov_wasserstein; here it only weighs labels.
#pragma once

#include "plaudit/core/checks.h"

namespace plaudit {

// The label P(j preferred to k) of each target pair (j, k), [P]:
//   z_jk = sum_{i,i'} A_ii' Z_ii' ,   A_ii' = T_ij T_i'k , scaled to sum 1 when `normalize`.
// `plan` T [M,N] couples source and target segments, `source_labels` Z [M,M] in [0,1] holds P(i preferred to
// i'), NaN where nobody labelled the pair; `pairs` [P,2] i64. Missing labels are left out of the sums, so
// normalised labels of (j,k) and (k,j) add to 1 wherever Z does. UserErrors: no pair, or a pair of which no
// source label is known (empty), shape, nan, an index or label out of range (value).
Tensor transfer_labels(const Tensor& plan, const Tensor& source_labels, const Tensor& pairs,
                       bool normalize = true);

}  // namespace plaudit
