#define PLAUDIT_KERNEL_SET kernels_generic
#define PLAUDIT_KERNEL_NAME "generic"
#define PLAUDIT_NATIVE_BF16 false
#define PLAUDIT_TILE_ROWS 2
#include "plaudit/model/decode_kernels_impl.h"
