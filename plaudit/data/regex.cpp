#include "plaudit/data/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "plaudit/core/errors.h"
#include "plaudit/data/unicode.h"

namespace plaudit {
namespace {

std::string message_of_code(int code) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

// Room for the offsets of one match. Only the whole match is read, so one per thread serves every pattern.
pcre2_match_data* match_data() {
  struct Free {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  thread_local const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
  return data.get();
}

}  // namespace

Regex::Regex(std::string_view pattern, std::string_view where) : where_(where) {
  if (pattern.find('\0') != std::string_view::npos)
    fail(ErrorKind::value, where, "has a NUL in the pattern; write \\x00");
  const auto source = to_pcre2(pattern, where);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                             PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  if (code == nullptr)
    fail(ErrorKind::value, where,
         "cannot read the pattern '" + std::string(pattern) + "': " + message_of_code(error));
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it the interpreter gives the same matches
  code_ = std::shared_ptr<const void>(code, [code](const void*) { pcre2_code_free(code); });
}

bool Regex::find(std::string_view subject, size_t from, Match& match) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const auto run = [&](uint32_t options) {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), from,
                       PCRE2_NO_UTF_CHECK | options, match_data(), nullptr);
  };
  int found = run(0);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = run(PCRE2_NO_JIT);  // the interpreter uses the heap
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) fail(ErrorKind::value, where_, "the pattern cannot be matched: " + message_of_code(found));
  const auto* offsets = pcre2_get_ovector_pointer(match_data());
  match = {offsets[0], offsets[1]};
  return true;
}

void Regex::find_all(std::string_view subject, std::vector<Match>& out) const {
  out.clear();
  Match match;
  for (size_t from = 0; from < subject.size() && find(subject, from, match);) {
    if (match.end > match.begin) {
      out.push_back(match);
      from = match.end;
    } else if ((from = match.end) < subject.size()) {
      next_code_point(subject, from);
    }
  }
}

}  // namespace plaudit
