// Returns of a policy that may decide only every n-th step, for several n.
//
// Patel and Siegelmann, "Overcoming Slow Decision Frequencies in Continuous Control", ICLR 2025; the area
// under the curve is frequency_averaged_score (eval/control_scores.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "plaudit/env/environment.h"

namespace plaudit {

// The next `length` actions [E,length,A] in (-1, 1), from observations [E,S] and the actions taken last
// [E,A], zeros at the start; f32.
using SequencePolicy =
    std::function<at::Tensor(const at::Tensor& observations, const at::Tensor& previous, int64_t length)>;

// Returns [L,E] of E episodes for each of the decision intervals `lengths` (>= 1, kind value), from the same
// starts. Actions are stretched to the environment's box. An episode counts until it ends or its time limit.
// A simulation that diverges is an error (nan) that names episode and step.
at::Tensor frequency_returns(const std::function<std::unique_ptr<Environment>()>& make,
                             const SequencePolicy& policy, const std::vector<int64_t>& lengths,
                             int64_t episodes, const Rng& rng);

}  // namespace plaudit
