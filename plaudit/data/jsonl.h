// JSON lines and JSON arrays as streams of records; both may be gzip-compressed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plaudit/data/record_stream.h"

namespace plaudit {

// One JSON value per line; blank lines are skipped. A line that is not JSON is a record with a problem.
void for_each_json_line(const std::string& path, const TakeRecord& take);

// The elements of one JSON array, however its lines are broken. An element that is not JSON is a record with
// a problem; an array that does not end, or text around it, is a UserError of kind io.
void for_each_json_element(const std::string& path, const TakeRecord& take);

// One JSON value per line, all or nothing (core/files.h): after a crash the path holds the old file or the
// new one. Compressed when the path ends in ".gz".
void write_json_lines(const std::string& path, const std::vector<Json>& values);

// The records of any of the kinds in data/records.h as JSON lines, which the readers read back unchanged.
template <class Record>
void write_records(const std::string& path, const std::vector<Record>& records) {
  std::vector<Json> values;
  values.reserve(records.size());
  for (const auto& record : records) values.push_back(json_of(record));
  write_json_lines(path, values);
}

}  // namespace plaudit
