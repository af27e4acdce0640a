// GPT-2's byte characters: byte-level vocabularies write each byte as one printable character (space is
// U+0120, printable Latin-1 characters are themselves).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plaudit {

// The bytes that `text` stands for; nothing when one of its characters is no byte character.
std::optional<std::string> bytes_of_characters(std::string_view text);

// The byte characters of `bytes`.
std::string characters_of_bytes(std::string_view bytes);

// The byte of a SentencePiece byte token "<0x0A>"; -1 for any other token.
int byte_of_token(std::string_view token);

}  // namespace plaudit
