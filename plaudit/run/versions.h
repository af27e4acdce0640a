// What runs: versions, processor, threads. Kept with every run, so that a figure can be placed.
#pragma once

#include <string>

#include "plaudit/core/options.h"

namespace plaudit {

// {"plaudit", "libtorch", "compiler", "processor", "threads", "gpu", "started"}
Json versions();

// Of the program and its library: another build has another one.
const std::string& program_digest();

}  // namespace plaudit
