#include "plaudit/run/stage.h"

#include <algorithm>

namespace plaudit::run {
namespace {

std::vector<StageKind>& mutable_kinds() {
  static std::vector<StageKind> kinds;
  return kinds;
}

}  // namespace

const std::vector<StageKind>& stage_kinds() {
  auto& kinds = mutable_kinds();
  std::sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return kinds;
}

void detail::register_stage(StageKind kind) {
  mutable_kinds().push_back(std::move(kind));
}

}  // namespace plaudit::run
