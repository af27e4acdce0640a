// From token vectors to one vector per text.
#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace plaudit {

// The mean of hidden [B, T, D] over the tokens where mask [B, T] is nonzero -> [B, D]; `normalize` divides by
// its L2 norm. Kind empty when a row has no token; `function`
// is the name that an error starts with.
at::Tensor mean_pool(const at::Tensor& hidden, const at::Tensor& mask, bool normalize = true,
                     std::string_view function = "decode.mean_pool");

}  // namespace plaudit
