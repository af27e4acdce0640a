// Chat messages as data files write them.
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

// Why a record cannot be used. Thrown inside the readers, which count it; it never reaches a user as such.
struct BadRecord {
  std::string reason;  // one of a few texts, so that rejections can be counted
  std::string detail;  // what was there
};

// True for a list whose elements are objects: what read_messages expects.
bool looks_like_messages(const Json& value);

// [{"role", "content"}], also [{"from", "value"}]; the roles human and gpt or model are read as user and
// assistant; content may be a list of {"type": "text", "text"} parts. BadRecord when it is none of that,
// names another role than system, user, assistant, or is empty.
std::vector<Message> read_messages(const Json& value, const std::string& column);

}  // namespace plaudit
