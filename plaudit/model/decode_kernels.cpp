#include "plaudit/model/decode_kernels.h"

namespace plaudit::decode {

extern const KernelSet kernels_generic;
#ifdef PLAUDIT_X86_KERNELS
extern const KernelSet kernels_avx2, kernels_avx512, kernels_avx512_bf16;
#endif

std::vector<const KernelSet*> supported_kernels() {
  std::vector<const KernelSet*> sets;
#ifdef PLAUDIT_X86_KERNELS
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) sets.push_back(&kernels_avx512_bf16);
  if (avx512) sets.push_back(&kernels_avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(&kernels_avx2);
#endif
  sets.push_back(&kernels_generic);
  return sets;
}

const KernelSet& kernels() {
  static const KernelSet& best = *supported_kernels().front();
  return best;
}

}  // namespace plaudit::decode
