// A judge scores answers: a lexicon, a verifier, a person, a server, a reward model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

struct Answer {
  Prompt prompt;
  std::string text;
  Json extra = Json::object();  // further fields of the prompt's record: what a verifier checks against
};

// What a judge says of one answer. A judge that cannot judge an answer says so in `error`; it never invents a
// score.
struct Judgement {
  double score = 0;   // higher is better
  std::string error;  // "" when the score stands
};

class Judge {
 public:
  virtual ~Judge() = default;
  virtual std::string name() const = 0;
  virtual std::vector<Judgement> judge(const std::vector<Answer>& answers) = 0;
  // Why no answer to a prompt with this record (Answer::extra) can be judged, "" where one can: what is known
  // before there are answers. A judge that reads no record can use them all.
  virtual std::string unusable(const Json& record) const { return ""; }
};

}  // namespace plaudit
