// The two kinds of errors of plaudit.
//
// UserError  - the caller's mistake: a wrong field, file, shape or value. The message starts with the
// function or field
//              that refuses, prints the offending value and says what was expected. Python sees a ValueError.
// BugError   - our own mistake: an invariant of plaudit does not hold. Please report it.
#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <string_view>
#include <vector>

namespace plaudit {

// What was wrong with the input; the numeric cases (`plaudit conform`) name the same kinds.
enum class ErrorKind { shape, value, empty, nan, type, io };

// The word that cases and JSON results use for a kind: "shape", "value", ...
std::string_view to_string(ErrorKind kind);

class UserError : public c10::ValueError {
 public:
  UserError(ErrorKind kind, std::string message);
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

class BugError : public c10::Error {
 public:
  explicit BugError(std::string message);
};

// Throws UserError with "<where>: <message>".
[[noreturn]] void fail(ErrorKind kind, std::string_view where, std::string_view message);

// Throws BugError with "<where>: <message>".
[[noreturn]] void bug(std::string_view where, std::string_view message);

// The message of any exception, without a backtrace.
std::string message_of(const std::exception& error);

// The candidate with the smallest edit distance to `word`, or "" when none is within a third of its length
// (at least 2).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// ", did you mean 'x'?" for the nearest candidate, or the list of candidates when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace plaudit
