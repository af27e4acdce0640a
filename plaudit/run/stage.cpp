#include "plaudit/run/stage.h"

#include <algorithm>

namespace plaudit {
namespace {

// Function-local so that registrars in other files can run before this file's statics; sorted on insertion.
std::vector<StageInfo>& stage_list() {
  static std::vector<StageInfo> list;
  return list;
}

std::vector<SectionInfo>& section_list() {
  static std::vector<SectionInfo> list;
  return list;
}

template <class Info>
void insert_sorted(std::vector<Info>& list, Info info) {
  const auto at = std::lower_bound(list.begin(), list.end(), info.name,
                                   [](const Info& a, const std::string& name) { return a.name < name; });
  if (at != list.end() && at->name == info.name) bug("stage", "'" + info.name + "' is registered twice");
  list.insert(at, std::move(info));
}

template <class Info>
const Info* find_in(const std::vector<Info>& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Info& i) { return i.name == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<StageInfo>& stages() {
  return stage_list();
}

const std::vector<SectionInfo>& sections() {
  return section_list();
}

const StageInfo* find_stage(const std::string& name) {
  return find_in(stage_list(), name);
}

const SectionInfo* find_section(const std::string& name) {
  return find_in(section_list(), name);
}

void detail::register_stage(StageInfo info) {
  insert_sorted(stage_list(), std::move(info));
}

void detail::register_section(SectionInfo info) {
  insert_sorted(section_list(), std::move(info));
}

}  // namespace plaudit
