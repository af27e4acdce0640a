// Names of a reward program bound to slots, library functions and bindings before it runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plaudit/reward/program.h"
#include "plaudit/reward/program_lexer.h"
#include "plaudit/reward/program_syntax.h"

namespace plaudit {

struct RewardProgram::Parts {
  std::string source;
  BindingTable table;
  program::FunctionSyntax module;  // statements and names of the module level
  const program::FunctionSyntax* entry = nullptr;
  int entry_slot = 0;
};

// Appends what is wrong to `faults`, in any order.
void program_resolve(RewardProgram::Parts& parts, std::string_view entry, program::ProgramFaults& faults);

}  // namespace plaudit
