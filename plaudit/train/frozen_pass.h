// What a model that does not learn says of all examples, computed once before training.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "plaudit/train/loop.h"

namespace plaudit {

// Calls `pass` with parts of 0..size-1 that fit tokens_per_batch, without gradient; each rank gets its share
// and writes what it finds into `values`, zeros before, which are then summed over the ranks. False when it
// stopped because of context.interrupt on any rank. `what` stands on the progress line.
bool frozen_pass(int64_t size, const std::function<int64_t(int64_t)>& tokens,
                 const std::function<void(const std::vector<int64_t>&)>& pass, at::Tensor& values,
                 const std::string& what, const TrainOptions& options, TrainContext& context);

}  // namespace plaudit
