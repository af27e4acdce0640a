// Messages to the person at the terminal: plain lines on standard error, and one live line below them that is
// rewritten in place. Safe to call from any thread.
#pragma once

#include <string>
#include <string_view>

namespace plaudit {

// "plaudit: <text>"
void say(std::string_view text);

// "plaudit: warning: <text>"; shown even when quiet.
void warn(std::string_view text);

// Quiet hides what `say` and the live line would show; ranks other than 0 are quiet.
void set_quiet(bool quiet);
bool is_quiet();

// Whether standard error is a terminal that can rewrite a line, and how many columns it has.
bool has_live_line();
int terminal_columns();

// Replaces the live line, "" removes it. Without a terminal it does nothing.
void set_live_line(const std::string& text);

}  // namespace plaudit
