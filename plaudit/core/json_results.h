// Results that are objects travel as JSON text through the dispatcher, whose types know no objects. Other
// text stays text even where it happens to be JSON: an answer "[1, 2]", the input of a tool, a canonical
// request.
#pragma once

#include <string_view>

namespace plaudit {

// True when the result of that name of "area.name" is JSON text for an object, which `plaudit call` and
// Python give back as the object.
bool holds_json(std::string_view function, std::string_view result);

}  // namespace plaudit
