// The functions, filters, methods and tests that templates may call.
//
//   functions  raise_exception(message), namespace(name=value, ...), range([start,] stop)
//   filters    trim, length, count, upper, lower, capitalize, first, last, join, default, d, string, int,
//   list,
//              replace, reverse, tojson (of texts, numbers, true, false and none), safe
//   methods    of texts: strip, lstrip, rstrip, startswith, endswith, split, replace, upper, lower;
//              of maps: get, keys, values, items
//   tests      defined, undefined, none, string, number, integer, boolean, mapping, iterable, sequence, true,
//              false, odd, even, divisibleby, equalto, eq
#pragma once

#include <string>
#include <vector>

#include "plaudit/data/jinja_syntax.h"

namespace plaudit::jinja {

// A JSON value that says "undefined".
Json undefined();
bool is_undefined(const Json& value);

bool is_true(const Json& value);
// As {{ value }} prints it; lists and maps are refused.
std::string print(const Json& value, int line);
// "a text", "a list", ...
std::string type_of(const Json& value);

Json binary(const std::string& op, const Json& left, const Json& right, int line);
Json negative(const Json& value, int line);
// value[index] and value.name; undefined when there is no such element.
Json element(const Json& value, const Json& index, int line);
Json slice(const Json& value, const Json& begin, const Json& end, const Json& step, int line);

struct Arguments {
  std::vector<Json> values;
  std::vector<std::pair<std::string, Json>> named;
};
Json call_function(const std::string& name, const Arguments& arguments, int line);
Json call_filter(const std::string& name, const Json& value, const Arguments& arguments, int line);
Json call_method(const std::string& name, const Json& value, const Arguments& arguments, int line);
bool call_test(const std::string& name, const Json& value, const Arguments& arguments, int line);

}  // namespace plaudit::jinja
