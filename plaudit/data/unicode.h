// UTF-8 and the Unicode properties that tokenizers need.
//
// Functions that take text expect valid UTF-8 unless they say otherwise; `repair_utf8` makes it so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plaudit {

bool is_valid_utf8(std::string_view bytes);

// Any bytes as valid UTF-8: each maximal invalid part becomes one U+FFFD, as Python's errors="replace" and
// the web's decoders do.
std::string repair_utf8(std::string_view bytes);

// How many bytes at the end of `bytes` begin a character whose remaining bytes have not come yet (0 to 3).
size_t incomplete_tail(std::string_view bytes);

// The code point that starts at `pos`; moves `pos` behind it.
char32_t next_code_point(std::string_view text, size_t& pos);

void append_utf8(std::string& out, char32_t code_point);

size_t count_code_points(std::string_view text);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
std::string normalize(std::string_view text, NormalForm form);

// Lower case, one character at a time (no context, so a final sigma is an ordinary one).
void append_lower(std::string& out, char32_t code_point);

bool is_white_space(char32_t c);        // White_Space
bool is_number(char32_t c);             // N: Nd, Nl, No
bool is_punctuation(char32_t c);        // P
bool is_ascii_punctuation(char32_t c);  // ! to ~ without letters and digits
bool is_nonspacing_mark(char32_t c);    // Mn
bool is_mark(char32_t c);               // M
bool is_word_character(char32_t c);     // letters, marks, decimal digits, connectors: \w
// Cc, Cf or Co: controls, format characters and private use.
bool is_control_like(char32_t c);

// `text` without white space at one end, by Python's str.strip (data/text.h has both ends).
std::string_view strip_left(std::string_view text);
// Where the white space that may stand at `at` ends.
size_t skip_space(std::string_view text, size_t at);
std::string_view strip_right(std::string_view text);

}  // namespace plaudit
