#include "plaudit/feedback/code_reply.h"

#include <optional>
#include <vector>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/data/text.h"
#include "plaudit/data/unicode.h"
#include "plaudit/feedback/letters.h"

namespace plaudit {
namespace {

struct Fence {
  std::string tag;  // lower case
  std::string_view body;
};

// The blocks between ``` and ```, the rest of the opening line being the tag. A block that is never closed is
// none.
std::vector<Fence> fences(std::string_view text) {
  std::vector<Fence> found;
  for (size_t at = 0; (at = text.find("```", at)) != std::string_view::npos;) {
    const auto line_end = text.find('\n', at);
    if (line_end == std::string_view::npos) break;
    const auto close = text.find("```", at + 3);
    if (close == std::string_view::npos) break;
    if (close > line_end) {
      const auto body = text.substr(line_end + 1, close - line_end - 1);
      found.push_back({lower_case(strip(text.substr(at + 3, line_end - at - 3))), body});
    }
    at = close + 3;
  }
  return found;
}

std::string without_last_newline(std::string_view body) {
  if (body.ends_with('\n')) body.remove_suffix(1);
  if (body.ends_with('\r')) body.remove_suffix(1);
  return std::string(body);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

CodeReply extract_code(std::string_view text) {
  const auto blocks = fences(text);
  for (const auto& block : blocks) {
    if ((block.tag == "python" || block.tag == "py") && !strip(block.body).empty())
      return {without_last_newline(block.body), "fenced_python"};
  }
  for (const auto& block : blocks) {
    if (block.tag.empty() && !strip(block.body).empty())
      return {without_last_newline(block.body), "fenced_plain"};
  }
  for (size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    for (const std::string_view start : {"import ", "from ", "def "}) {
      if (rest.starts_with(start)) return {std::string(strip_right(rest)), "bare"};
    }
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  Check("verify.extract_code").refuse(ErrorKind::empty, "text", "holds no code: '" + excerpt(text) + "'");
}

std::string map_symbols(std::string_view code, const std::map<std::string, std::string>& mapping) {
  if (mapping.contains(""))
    Check("verify.map_symbols").refuse(ErrorKind::value, "mapping", "holds an empty key");
  std::string out;
  for (size_t at = 0; at < code.size();) {
    const std::pair<const std::string, std::string>* longest = nullptr;
    const bool free = at == 0 || !(is_name_character(code[at - 1]) || code[at - 1] == '.');
    for (auto entry = mapping.begin(); free && entry != mapping.end(); ++entry) {
      const auto end = at + entry->first.size();
      if (longest != nullptr && entry->first.size() < longest->first.size()) continue;
      if (code.substr(at).starts_with(entry->first) && (end == code.size() || !is_name_character(code[end])))
        longest = &*entry;
    }
    if (longest != nullptr) {
      out += longest->second;
      at += longest->first.size();
    } else {
      out.push_back(code[at++]);
    }
  }
  return out;
}

PLAUDIT_FUNCTIONS(verify, m) {
  m.def("extract_code(str text) -> (str code, str source)",
        [](const std::string& text) { return as_tuple(extract_code(text)); },
        "The program in a reply and how it was marked.", {"28", "34"});
  m.def("map_symbols(str code, str mapping) -> (str code)",
        [](const std::string& code, const std::string& mapping) {
          const Check check("verify.map_symbols");
          const auto json = Json::parse(mapping, nullptr, /*allow_exceptions=*/false);
          if (!json.is_object())
            check.refuse(ErrorKind::type, "mapping", "must be an object, got " + excerpt(mapping));
          std::map<std::string, std::string> names;
          for (const auto& [from, to] : json.items()) {
            if (!to.is_string())
              check.refuse(ErrorKind::type, "mapping",
                           "must hold strings, got " + to.dump() + " for '" + from + "'");
            names[from] = to.get<std::string>();
          }
          return map_symbols(code, names);
        },
        "Renames the symbols of a program in one pass.", {"28"});
}

}  // namespace plaudit
