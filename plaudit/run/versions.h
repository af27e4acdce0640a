// What runs: versions, processor, threads. Kept with every run, so that a figure can be placed.
#pragma once

#include "plaudit/core/options.h"

namespace plaudit {

// {"plaudit", "libtorch", "compiler", "processor", "threads", "gpu", "started"}
Json versions();

}  // namespace plaudit
