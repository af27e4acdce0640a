// Random tables and distances between laws that stand in them.
#pragma once

#include <ATen/core/Tensor.h>

#include "plaudit/core/rng.h"

namespace plaudit {

// Rows drawn from the Dirichlet law with all concentrations 2, f64.
at::Tensor dirichlet2(at::IntArrayRef sizes, Rng& rng);

// Half the summed absolute difference of the rows' probabilities.
at::Tensor total_variation(const at::Tensor& log_probs, const at::Tensor& other_log_probs);

// One draw from each row of probabilities [X,A], [X] i64.
at::Tensor draw_rows(const at::Tensor& probs, Rng& rng);

}  // namespace plaudit
