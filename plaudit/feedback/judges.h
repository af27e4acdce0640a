// The judges by name, for recipes and commands.
//
// A judge registers itself where it is implemented:
//
//   static const JudgeRegistrar registrar({"lexicon", "sum of graded words", &make_lexicon_judge});
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/feedback/judge.h"

namespace plaudit {

// Options of all judges; one that another judge would need is refused, not ignored.
struct JudgeOptions {
  std::string name = "lexicon";
  std::string lexicon;           // lexicon: file of graded words; "" for the one that vaderSentiment installs
  std::optional<int64_t> words;  // length: the number of words that an answer should have
};
template <>
void describe(OptionTable<JudgeOptions>& table);

struct JudgeInfo {
  std::string name;
  std::string doc;                   // one line
  std::vector<std::string> options;  // the fields of JudgeOptions that it reads
  std::unique_ptr<Judge> (*make)(const JudgeOptions& options);
};

struct JudgeRegistrar {
  explicit JudgeRegistrar(JudgeInfo info);
};

// Sorted by name.
std::vector<JudgeInfo> judges();

// UserErrors of kind value: an unknown name (with the nearest), an option that this judge does not have.
// Whatever the judge needs and does not find is an error here, not at the first answer.
std::unique_ptr<Judge> make_judge(const JudgeOptions& options);

}  // namespace plaudit
