// Parquet files as streams of records.
#pragma once

#include <string>

#include "plaudit/data/record_stream.h"

namespace plaudit {

// Each row as an object {column: value}: numbers, booleans and text as they are; lists as arrays, structs as
// objects, maps as lists of {key, value}; dates, times and decimals as text; bytes that are not UTF-8 as a
// binary value. A missing value is null. Rows are numbered from 1. UserError of kind io when the file is
// damaged.
void for_each_parquet_row(const std::string& path, const TakeRecord& take);

}  // namespace plaudit
