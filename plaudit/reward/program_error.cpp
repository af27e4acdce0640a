#include "plaudit/reward/program_error.h"

#include <algorithm>

#include "plaudit/core/errors.h"

namespace plaudit {

std::string_view to_string(ProgramErrorKind kind) {
  static constexpr std::string_view names[] = {"none",  "syntax", "forbidden", "name", "signature", "type",
                                               "shape", "value",  "return",    "fuel", "memory"};
  return names[static_cast<size_t>(kind)];
}

std::string ProgramError::text() const {
  std::string out = "ERROR " + std::string(to_string(kind)) + " at line " + std::to_string(line) + "\n";
  out += source_line + "\n";
  // Tabs stay tabs, so that the caret stands below its character.
  for (int i = 0; i + 1 < column; ++i)
    out +=
        i < static_cast<int>(source_line.size()) && source_line[static_cast<size_t>(i)] == '\t' ? '\t' : ' ';
  out += "^\n" + message;
  if (!message.ends_with('.')) out += '.';
  if (!nearest.empty()) {
    out += " Nearest legal names: ";
    for (size_t i = 0; i < nearest.size(); ++i) out += (i == 0 ? "" : ", ") + nearest[i];
    out += '.';
  }
  return out + "\n";
}

std::string_view program_source_line(std::string_view source, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = source.find('\n');
    if (end == std::string_view::npos) return "";
    source.remove_prefix(end + 1);
  }
  source = source.substr(0, source.find('\n'));
  if (source.ends_with('\r')) source.remove_suffix(1);
  return source;
}

std::vector<std::string> program_nearest(std::string_view word, std::vector<std::string> candidates) {
  std::vector<std::string> out;
  word = word.substr(0, 64);  // hostile names are long
  while (out.size() < 3) {
    const auto best = plaudit::nearest(word, candidates);
    if (best.empty()) break;
    std::erase(candidates, best);
    out.push_back(best);
  }
  return out;
}

}  // namespace plaudit
