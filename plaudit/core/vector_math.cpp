// MKL's vector mathematics, to which ATen gives the sines, exponentials and logarithms of large tensors,
// finds out its processor in the first call, and stores an unfinished answer on the way
// (mkl_vml_serv_cpu_detect). ATen makes that call from several threads at once: one that reads too early
// takes the code of another processor and rounds differently, once in some thousand starts of a busy machine,
// and a run is no longer the same bit for bit. Hence one call from one thread, before there are others.
#include <ATen/ops/cos.h>
#include <ATen/ops/zeros.h>

namespace plaudit {
namespace {

[[maybe_unused]] const bool kSettled = [] {
  at::cos(at::zeros({1}, at::kFloat));
  return true;
}();

}  // namespace
}  // namespace plaudit
