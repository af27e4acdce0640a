// Renders chat templates: the part of Jinja that the templates of published models use.
//
// What is understood is listed in jinja_syntax.h (statements, expressions) and jinja_functions.h (functions,
// filters, methods, tests). Anything else is a UserError (kind value) "chat template: line N: ..." that names
// it. Values are JSON; an undefined one prints as nothing, is false, and is refused by operators.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace plaudit {

using Json = nlohmann::ordered_json;

// `source` is valid UTF-8; `variables` is an object.
std::string render_jinja(std::string_view source, const Json& variables);

}  // namespace plaudit
