// Where claims lie and which of them a user means.
#pragma once

#include <string>
#include <vector>

namespace plaudit {

struct ClaimFile {
  std::string number, path;
};
// The claims of a folder, files like 48-dpo.yaml, by number.
std::vector<ClaimFile> claim_files(const std::string& folder);
// Those that `names` ("48", "48,19", "all", a path) stand for, each once. UserError (value): no such claim,
// with the nearest.
std::vector<ClaimFile> choose_claims(const std::string& folder, const std::vector<std::string>& names);

}  // namespace plaudit
