#include "plaudit/model/multiply.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "plaudit/core/checks.h"

namespace at::native {
// out = alpha a b + beta out by oneDNN. LibTorch exports it without a header: null where one does not.
__attribute__((weak)) void mkldnn_matmul(const Tensor& a, const Tensor& b, const Tensor& out, float beta,
                                         float alpha);
}  // namespace at::native

namespace plaudit {
namespace {

constexpr int64_t kOneDnnColumns = 8;     // narrower products, and smaller ones, cost oneDNN more
constexpr int64_t kOneDnnSize = 500'000;  // before it begins than they cost MKL altogether

bool multiplies_f32_by_onednn() {
#if defined(__x86_64__)
  static const bool yes =
      at::native::mkldnn_matmul != nullptr && multiplies_bf16() && !__builtin_cpu_is("intel");
  return yes;
#else
  return false;
#endif
}

bool is_for_onednn(const Tensor& out, const Tensor& a, const Tensor& b) {
  return a.scalar_type() == at::kFloat && out.scalar_type() == at::kFloat && readable(a) &&
         b.size(1) >= kOneDnnColumns && a.size(0) * a.size(1) * b.size(1) >= kOneDnnSize &&
         multiplies_f32_by_onednn();
}

}  // namespace

bool multiplies_bf16() {
  static const bool yes = c10::Dispatcher::singleton()
                              .findSchemaOrThrow("mkldnn::_is_mkldnn_bf16_supported", "")
                              .typed<bool()>()
                              .call();
  return yes;
}

void multiply_into(Tensor out, const Tensor& a, const Tensor& b, const Tensor& addend, double scale) {
  if (is_for_onednn(out, a, b)) {
    if (addend.defined() && !addend.is_same(out)) out.copy_(addend);
    return at::native::mkldnn_matmul(a, b, out, addend.defined() ? 1.0F : 0.0F, static_cast<float>(scale));
  }
  if (addend.defined())
    at::addmm_out(out, addend, a, b, 1, scale);
  else
    at::mm_out(out, a, b);
}

}  // namespace plaudit
