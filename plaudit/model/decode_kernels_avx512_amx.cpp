#define PLAUDIT_KERNEL_SET kernels_avx512_amx
#define PLAUDIT_KERNEL_NAME "avx512_amx"
#define PLAUDIT_NATIVE_BF16 true
#define PLAUDIT_TILE_ROWS 12
#include "plaudit/model/decode_kernels_impl.h"
