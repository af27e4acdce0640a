#include "cli/memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace plaudit::cli {

void keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);  // blocks of any size come from the heap, and go back to it
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace plaudit::cli
