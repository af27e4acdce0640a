// What Arrow returns, or an error of the user's that names the file.
#pragma once

#include <arrow/result.h>

#include <string>
#include <utility>

#include "plaudit/core/errors.h"

namespace plaudit {

[[noreturn]] inline void refuse_arrow(const std::string& path, const std::string& message) {
  const std::string format = path.ends_with(".arrow") ? "Arrow" : "Parquet";
  fail(ErrorKind::io, path, "cannot be read as " + format + ": " + message);
}

template <class T>
T arrow_value(const std::string& path, arrow::Result<T> result) {
  if (!result.ok()) refuse_arrow(path, result.status().message());
  return std::move(result).ValueUnsafe();
}

}  // namespace plaudit
