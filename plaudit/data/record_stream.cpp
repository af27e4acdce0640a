#include "plaudit/data/record_stream.h"

#include <zlib.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/jsonl.h"
#include "plaudit/data/parquet.h"

namespace plaudit {
namespace {

// The first bytes of a file, decompressed.
std::string beginning(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (!file) return {};
  std::string bytes(4096, '\0');
  const int count = gzread(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose_r(file);
  bytes.resize(static_cast<size_t>(std::max(count, 0)));
  return bytes;
}

bool starts_with_bracket(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '[';
}

}  // namespace

void for_each_record(const std::string& path, const TakeRecord& take) {
  // What cannot be opened is left to the readers, whose messages say why.
  const std::string start = beginning(path);
  if (start.starts_with("PAR1")) return for_each_parquet_row(path, take);
  if (starts_with_bracket(start)) return for_each_json_element(path, take);
  for_each_json_line(path, take);
}

}  // namespace plaudit
