// Walks the tree of a resolved reward program.
#pragma once

#include <span>

#include "plaudit/reward/program.h"
#include "plaudit/reward/program_library.h"
#include "plaudit/reward/program_resolve.h"

namespace plaudit::program {

// One call of the entry: fills reward and components, or throws ProgramFault.
void run_program(Machine& m, const RewardProgram::Parts& parts, const ProgramFrame& frame,
                 std::span<const double> action, RewardOut& out);

}  // namespace plaudit::program
