#define PLAUDIT_KERNEL_SET kernels_avx2
#define PLAUDIT_KERNEL_NAME "avx2"
#define PLAUDIT_NATIVE_BF16 false
#define PLAUDIT_TILE_ROWS 6
#define PLAUDIT_WHOLE_ROWS 2
#include "plaudit/model/decode_kernels_impl.h"
