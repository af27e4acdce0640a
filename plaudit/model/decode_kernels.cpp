#include "plaudit/model/decode_kernels.h"

#ifdef PLAUDIT_X86_KERNELS
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace plaudit::decode {

extern const KernelSet kernels_generic;
#ifdef PLAUDIT_X86_KERNELS
extern const KernelSet kernels_avx2, kernels_avx512, kernels_avx512_bf16, kernels_avx512_amx;

namespace {

// The processor has bf16 tiles, and the system lets this process use them (it must be asked: the registers
// are large).
bool can_use_amx() {
#ifdef __linux__
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kBf16) == 0 || (d & kTiles) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace
#endif

std::vector<const KernelSet*> supported_kernels() {
  std::vector<const KernelSet*> sets;
#ifdef PLAUDIT_X86_KERNELS
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  if (bf16 && can_use_amx()) sets.push_back(&kernels_avx512_amx);
  if (bf16) sets.push_back(&kernels_avx512_bf16);
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
