// Text that no one meant to send: for tests that whatever reads text ends in a result or a named error.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plaudit/core/rng.h"

namespace plaudit::testing {

// Pieces of answers in a random order: numbers, LaTeX, tags, code, JSON, letters of many scripts, control
// characters, bytes that are no UTF-8; now and then a piece ten thousand times over.
std::string odd_text(Rng& random);

// `text` after one to four edits: parts taken out, doubled, exchanged or cut off, a number or a byte
// replaced, one of `words` put in.
std::string mutated(Rng& random, std::string text, const std::vector<std::string>& words);

// Calls `work`; false when it ends in a UserError, which must say something. Anything else that is thrown
// fails the test, as does a call that takes longer than a second; `what` shows the text.
bool ends(const std::function<void()>& work, const std::string& what);

// Values of every argument that a constraint of verify.constraint may take.
nlohmann::ordered_json constraint_arguments();

}  // namespace plaudit::testing
