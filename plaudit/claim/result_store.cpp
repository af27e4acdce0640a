#include "plaudit/claim/result_store.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "plaudit/core/files.h"
#include "plaudit/run/versions.h"

namespace plaudit {
namespace {

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value));
}

}  // namespace

std::vector<double> VariantResult::values(const std::string& metric) const {
  const bool all = !metric.empty() && metric.back() == '*';
  const auto stem = all ? metric.substr(0, metric.size() - 1) : metric;
  std::vector<double> out;
  for (const auto& [name, value] : metrics)
    if (all ? name.rfind(stem, 0) == 0 : name == stem) out.push_back(value);
  return out;
}

ResultStore::ResultStore(const std::string& folder, const std::string& digest)
    : folder_(folder + "/results"), digest_(digest + "-" + program_digest()) {
  create_folder(folder_);
}

std::string ResultStore::path(const std::string& variant, int64_t seed) const {
  return fmt::format("{}/{}-seed-{}.json", folder_, variant, seed);
}

void ResultStore::save(const std::string& variant, int64_t seed, const VariantResult& result) const {
  Json metrics = Json::array();
  for (const auto& [name, value] : result.metrics) metrics.push_back({name, number(value)});
  write_json(path(variant, seed), {{"digest", digest_},
                                   {"seconds", result.seconds},
                                   {"prepare_seconds", result.prepare_seconds},
                                   {"metrics", metrics}});
}

std::optional<VariantResult> ResultStore::load(const std::string& variant, int64_t seed) const {
  if (!std::filesystem::exists(path(variant, seed))) return std::nullopt;
  try {
    const auto json = read_json(path(variant, seed));
    if (json.at("digest") != digest_) return std::nullopt;
    VariantResult out{{}, json.at("seconds"), json.at("prepare_seconds"), true};
    for (const auto& metric : json.at("metrics"))
      out.metrics.emplace_back(
          metric.at(0).get<std::string>(),
          metric.at(1).is_number() ? metric.at(1).get<double>() : std::stod(metric.at(1).get<std::string>()));
    return out;
  } catch (const std::exception&) {
    return std::nullopt;  // it is run again
  }
}

}  // namespace plaudit
