#include "plaudit/feedback/judges.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace plaudit {
namespace {

std::map<std::string, JudgeInfo>& registry() {
  static std::map<std::string, JudgeInfo> judges;
  return judges;
}

// An option away from its default must be one that the judge reads.
void check_options(const JudgeInfo& info, const JudgeOptions& options) {
  const Json given = option_table<JudgeOptions>().write(options);
  const Json usual = option_table<JudgeOptions>().write({});
  for (const auto& [key, value] : given.items()) {
    const bool known = std::find(info.options.begin(), info.options.end(), key) != info.options.end();
    if (key != "name" && value != usual[key] && !known)
      fail(ErrorKind::value, "judge", fmt::format("'{}' has no option '{}'", info.name, key));
  }
}

}  // namespace

template <>
void describe(OptionTable<JudgeOptions>& t) {
  t.field("name", &JudgeOptions::name, "who scores the answers: lexicon, length");
  t.field("lexicon", &JudgeOptions::lexicon,
          "lexicon: file of lines 'token TAB mean'; empty for the one that vaderSentiment installs");
  t.field("words", &JudgeOptions::words, "length: the number of words that an answer should have",
          at_least(0));
}

JudgeRegistrar::JudgeRegistrar(JudgeInfo info) {
  const auto name = info.name;
  if (!registry().emplace(name, std::move(info)).second)
    bug("JudgeRegistrar", "two judges are called " + name);
}

std::vector<JudgeInfo> judges() {
  std::vector<JudgeInfo> list;
  for (const auto& [name, info] : registry()) list.push_back(info);
  return list;
}

std::unique_ptr<Judge> make_judge(const JudgeOptions& options) {
  const auto found = registry().find(options.name);
  if (found == registry().end()) {
    std::vector<std::string> names;
    for (const auto& [name, info] : registry()) names.push_back(name);
    fail(ErrorKind::value, "judge", "'" + options.name + "' is not known" + suggestion(options.name, names));
  }
  check_options(found->second, options);
  return found->second.make(options);
}

}  // namespace plaudit
