// Runs numeric cases: inputs, parameters and expected outputs, gradients or kind of error of a registered
// function. The format is that of `docs/conform.md`.
#pragma once

#include <string>
#include <vector>

#include "plaudit/core/call.h"

namespace plaudit {

struct CaseResult {
  std::string id;
  std::string function;
  std::string status;  // "pass", "fail" or "missing" (no such function)
  std::string message;
  double seconds = 0;
};

// Runs one case object. Never throws for a case that fails.
CaseResult run_case(const Json& test);

// Runs every case of a file {"system", "cases": [...]}. UserError (io, type) when the file cannot be read.
// `only` keeps the cases of functions whose name starts with it.
std::vector<CaseResult> run_case_file(const std::string& path, const std::string& only = "");

}  // namespace plaudit
