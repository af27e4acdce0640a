// Text for HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

// With & < > " ' as entities, control characters that XML forbids as U+FFFD.
std::string escape_html(std::string_view text);

}  // namespace plaudit
