// Character references of HTML.
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

// Names and code points, "name:hex" or "name:hex+hex", each followed by a space; "name!hex" where the name
// counts without a semicolon, too.
std::string_view html_entity_table();

// `text` (valid UTF-8) with its references replaced, named and numeric, as HTML reads them and Python's
// html.unescape does: of "&notit;" the longest name that counts without a semicolon, numbers of Windows-1252
// as what was meant, those that are no characters as U+FFFD or nothing. What is no reference stays.
std::string unescape_html(std::string_view text);

}  // namespace plaudit
