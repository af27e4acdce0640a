// What variants measured, and how it is kept in the folder of a claim: results/<variant>-seed-<n>.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plaudit {

// What one variant measured at one seed.
struct VariantResult {
  std::vector<std::pair<std::string, double>> metrics;  // in the order of measuring
  double seconds = 0;                                   // of processor time, in the variant's own stages
  double prepare_seconds = 0;                           // the same in the stages it shares
  bool reused = false;                                  // of an earlier run

  // The metrics of that name, or of that form when it ends in '*'.
  std::vector<double> values(const std::string& metric) const;
};

// Results of one claim as this program computes them; what another claim or program left is not used.
class ResultStore {
 public:
  // `digest` identifies the claim. Makes the folder.
  ResultStore(const std::string& folder, const std::string& digest);

  void save(const std::string& variant, int64_t seed, const VariantResult& result) const;
  // nullopt where there is none, or one that cannot be read.
  std::optional<VariantResult> load(const std::string& variant, int64_t seed) const;

 private:
  std::string path(const std::string& variant, int64_t seed) const;

  std::string folder_, digest_;
};

}  // namespace plaudit
