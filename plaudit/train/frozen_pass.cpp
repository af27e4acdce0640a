#include "plaudit/train/frozen_pass.h"

#include <ATen/ATen.h>

#include "plaudit/train/batches.h"

namespace plaudit {

bool frozen_pass(int64_t size, const std::function<int64_t(int64_t)>& tokens,
                 const std::function<void(const std::vector<int64_t>&)>& pass, at::Tensor& values,
                 const std::string& what, const TrainOptions& options, TrainContext& context) {
  const at::NoGradGuard no_grad;
  const auto& ranks = context.collective;
  std::vector<int64_t> mine;
  for (int64_t i = ranks.rank; i < size; i += ranks.world) mine.push_back(i);
  int64_t done = 0;
  bool interrupted = false;
  for (const auto& part : micro_batches(mine, tokens, options.tokens_per_batch)) {
    interrupted = context.interrupt && context.interrupt();
    if (interrupted) break;
    pass(part);
    done += static_cast<int64_t>(part.size());
    if (context.progress && ranks.rank == 0) context.progress(done, static_cast<int64_t>(mine.size()), what);
  }
  std::vector<at::Tensor> sums = {values, at::full({}, interrupted ? 1.0 : 0.0)};
  ranks.all_reduce_sum(sums);
  values = sums[0];
  return sums[1].item<double>() == 0;
}

}  // namespace plaudit
