#include "plaudit/core/errors.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace plaudit {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::shape:
      return "shape";
    case ErrorKind::value:
      return "value";
    case ErrorKind::empty:
      return "empty";
    case ErrorKind::nan:
      return "nan";
    case ErrorKind::type:
      return "type";
    case ErrorKind::io:
      return "io";
  }
  return "unknown";
}

// Without a backtrace: it says nothing about the user's input, and collecting it takes milliseconds.
UserError::UserError(ErrorKind kind, std::string message)
    : c10::ValueError(std::move(message), nullptr), kind_(kind) {}

BugError::BugError(std::string message)
    : c10::Error(c10::SourceLocation{__func__, __FILE__, __LINE__}, std::move(message)) {}

void fail(ErrorKind kind, std::string_view where, std::string_view message) {
  throw UserError(kind, std::string(where) + ": " + std::string(message));
}

void bug(std::string_view where, std::string_view message) {
  throw BugError(std::string(where) + ": " + std::string(message));
}

std::string message_of(const std::exception& error) {
  if (const auto* c10_error = dynamic_cast<const c10::Error*>(&error))
    return c10_error->what_without_backtrace();
  return error.what();
}

namespace {

// Letters inserted, left out, replaced or swapped with their neighbour (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, last, row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (const std::string near = nearest(word, candidates); !near.empty())
    return ", did you mean '" + near + "'?";
  std::string list;
  for (const auto& candidate : candidates) list += (list.empty() ? "" : ", ") + candidate;
  return candidates.empty() ? "" : ", expected one of: " + list;
}

}  // namespace plaudit
