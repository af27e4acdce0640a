// Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): W x + s B(A(dropout x)), s = alpha/r or
// alpha/sqrt(r).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit {

struct LoraOptions {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;
  bool rslora = false;  // scale alpha/sqrt(r) instead of alpha/r
  std::vector<std::string> targets = {"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                      "gate_proj", "up_proj", "down_proj"};
};

struct LoraLayer {
  at::Tensor a;  // [r, in]
  at::Tensor b;  // [out, r]
  double scale = 1;
  double dropout = 0;
};

double lora_scale(double alpha, int64_t rank, bool rslora);

// A uniform in +-1/sqrt(in) (Kaiming with a = sqrt 5, as peft), B zero: the adapter starts as no change.
LoraLayer make_lora(const at::Tensor& weight, const LoraOptions& options, Rng rng);

// weight + s B A: weight [out, in], a [r, in], b [out, r].
at::Tensor lora_merge(const at::Tensor& weight, const at::Tensor& lora_a, const at::Tensor& lora_b,
                      double alpha = 32, bool rslora = false);

}  // namespace plaudit
