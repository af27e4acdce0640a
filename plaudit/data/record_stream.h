// The raw records of a data file, one JSON value after another, whatever the file's format.
//
// The format is found from the content: Parquet by its magic bytes, a JSON array by its "[", JSON lines
// otherwise; the two JSON formats may be gzip-compressed. Files are streamed: memory holds one record
// (Parquet: one batch of rows) at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "plaudit/data/records.h"

namespace plaudit {

struct RawRecord {
  int64_t line = 0;     // where the record starts in a text file, from 1; the row number in Parquet
  Json value;           // null when there is a problem
  std::string problem;  // "" or why the text is not JSON
};

// Called for each record; false stops the reading.
using TakeRecord = std::function<bool(RawRecord)>;

// UserErrors: the file is missing, damaged or cut short (kind io).
void for_each_record(const std::string& path, const TakeRecord& take);

}  // namespace plaudit
