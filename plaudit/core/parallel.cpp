#include "plaudit/core/parallel.h"

#include <ATen/Parallel.h>

#ifndef _OPENMP
#error "compile this file with OpenMP (plaudit/CMakeLists.txt): without it every loop would run on one thread"
#endif

namespace plaudit {

void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& f) {
  at::parallel_for(begin, end, grain, [&f](int64_t first, int64_t last) { f(first, last); });
}

}  // namespace plaudit
