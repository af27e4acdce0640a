#include "plaudit/data/jsonl.h"

#include <fmt/format.h>
#include <zlib.h>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

// "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without its first part.
std::string problem_of(const Json::exception& error) {
  const std::string_view text = error.what();
  const size_t end = text.find("] ");
  return std::string(text.substr(end == std::string_view::npos ? 0 : end + 2));
}

RawRecord parse(int64_t line, const std::string& text) {
  try {
    return {line, Json::parse(text), ""};
  } catch (const Json::exception& error) {
    return {line, nullptr, problem_of(error)};
  }
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Cuts the text of one JSON array into the texts of its elements, by brackets and quotes alone, so that an
// array of any size is streamed and an element that is not JSON spoils only itself.
class ArraySplitter {
 public:
  ArraySplitter(const std::string& path, const TakeRecord& take) : path_(path), take_(take) {}

  void feed(int64_t line, const std::string& text) {
    for (const char c : text) {
      if (stopped_) return;
      if (depth_ == 0) {
        outside(line, c);
      } else {
        inside(line, c);
      }
    }
    if (depth_ > 0 && !element_.empty()) element_ += '\n';
  }

  void finish() const {
    if (stopped_ || closed_) return;
    fail(ErrorKind::io, path_,
         fmt::format("is cut short: the list does not end; its record {} starts on line {}", count_ + 1,
                     start_));
  }

 private:
  void outside(int64_t line, char c) {
    if (blank({&c, 1})) return;
    if (closed_ || c != '[')
      fail(ErrorKind::io, path_, fmt::format("has text after the end of its list, on line {}", line));
    depth_ = 1;
    start_ = line;
  }

  void inside(int64_t line, char c) {
    if (quoted_) {
      quoted_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      quoted_ = true;
    } else if (c == '[' || c == '{') {
      ++depth_;
    } else if (c == ']' || c == '}') {
      closed_ = --depth_ == 0;
    }
    const bool comma = c == ',' && depth_ == 1 && !quoted_;
    if (comma || closed_) return end_element(line, comma);
    if (element_.empty() && blank({&c, 1})) return;
    if (element_.empty()) start_ = line;
    element_ += c;
  }

  void end_element(int64_t line, bool comma) {
    const bool empty_list = !comma && count_ == 0 && element_.empty();
    if (!empty_list) {
      stopped_ = !take_(parse(element_.empty() ? line : start_, element_));
      ++count_;
    }
    element_.clear();
  }

  const std::string& path_;
  const TakeRecord& take_;
  std::string element_;
  int64_t start_ = 1;  // the line on which the element starts
  int64_t count_ = 0, depth_ = 0;
  bool quoted_ = false, escaped_ = false, closed_ = false, stopped_ = false;
};

// Gzip text of `bytes`, in memory.
std::string compressed(const std::string& bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    bug("write_json_lines", "zlib cannot start");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (state != Z_STREAM_END) bug("write_json_lines", fmt::format("zlib stopped with state {}", state));
  return out;
}

}  // namespace

void for_each_json_line(const std::string& path, const TakeRecord& take) {
  bool more = true;
  for_each_line(path, [&](int64_t number, const std::string& text) {
    if (more && !blank(text)) more = take(parse(number, text));
  });
}

void for_each_json_element(const std::string& path, const TakeRecord& take) {
  ArraySplitter splitter(path, take);
  for_each_line(path, [&](int64_t number, const std::string& text) { splitter.feed(number, text); });
  splitter.finish();
}

void write_json_lines(const std::string& path, const std::vector<Json>& values) {
  constexpr size_t piece = size_t{1} << 24;
  const bool compress = path.ends_with(".gz");
  AtomicFile file(path);
  std::string text;
  // Each piece is a gzip member of its own; readers join members.
  const auto flush = [&] {
    file.write(compress ? compressed(text) : text);
    text.clear();
  };
  for (const auto& value : values) {
    text += value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    if (text.size() > piece) flush();
  }
  if (!text.empty() || values.empty()) flush();
  file.commit();
}

}  // namespace plaudit
