// Which tasks of a family to train on, so that their policies serve the others.
//
// Cho et al., "Model-Based Transfer Learning for Contextual RL", 2024, arXiv 2408.04498. `transfer` [N,N]:
// the performance, 0 useless, of the policy of task row in task column. Tasks are numbered; real positions
// are rounded to the nearest number, the lower on ties. UserErrors: empty, shape, nan, value.
#pragma once

#include <optional>

#include "plaudit/model/gaussian_process.h"

namespace plaudit {

// mean_y max(mean(x) + beta std(x) - slope |x - y| - best(y), 0) for every x; all [N], slope and beta >= 0.
Tensor mbtl_acquisition(const Tensor& mean, const Tensor& std, const Tensor& best, const Tensor& tasks,
                        double slope = 0.005, double beta = 1);

struct MbtlOptions {
  double slope = 0.005;  // loss of performance per task of distance
  GpOptions gp = {};     // of the performance of a task's own policy
};

// The middle of the range first, then the untrained task of the largest acquisition with beta =
// sqrt(log(k+1)), lowest on ties; the process is fitted to the best performance that each task had when it
// was trained. [steps] i64.
Tensor mbtl_select(const Tensor& transfer, int64_t steps, const MbtlOptions& options = {});

struct GeneralisedPerformance {
  Tensor per_task;  // [N], of the best source
  Tensor mean;      // scalar
  Tensor curve;     // [K], the mean after the first k+1 sources
};
GeneralisedPerformance generalised_performance(const Tensor& transfer, const Tensor& sources);

// The middle first, then a point of the largest interval: its middle, or one third from its outer end when it
// is the first or the last. [steps] i64 of [0, num_tasks).
Tensor pseudo_greedy(int64_t num_tasks, int64_t steps);

// The middles of `budget` equal parts of the range, from the top. [budget] i64.
Tensor equidistant(int64_t num_tasks, int64_t budget);

// Greedy on the true transfer: each step adds the source that raises the mean of the best the most. [steps]
// i64.
Tensor sequential_oracle(const Tensor& transfer, int64_t steps);

}  // namespace plaudit
