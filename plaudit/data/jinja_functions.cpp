#include "plaudit/data/jinja_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "plaudit/core/errors.h"
#include "plaudit/data/normalizer.h"
#include "plaudit/data/unicode.h"

namespace plaudit::jinja {
namespace {

// One call of a filter, method, test or function: what it is applied to, and its arguments.
struct Call {
  std::string name;
  const Json& value;
  const Arguments& arguments;
  int line;

  // Argument i, or the one named `key`; undefined when it is not given.
  Json argument(size_t i, const std::string& key = "") const {
    if (i < arguments.values.size()) return arguments.values[i];
    for (const auto& [name_of, given] : arguments.named) {
      if (!key.empty() && name_of == key) return given;
    }
    return undefined();
  }
  // Every argument must be one that the callee reads.
  void expect(size_t most, const std::vector<std::string>& keys = {}) const {
    if (arguments.values.size() > most)
      refuse(line,
             fmt::format("'{}' takes at most {} arguments, got {}", name, most, arguments.values.size()));
    for (const auto& [key, given] : arguments.named) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        refuse(line, "'" + name + "' does not know the argument '" + key + "'");
    }
  }
  const std::string& text() const { return text_of(value); }
  const std::string& text_of(const Json& given) const {
    if (!given.is_string()) refuse(line, "'" + name + "' needs a text, got " + type_of(given));
    return given.get_ref<const std::string&>();
  }
  const Json& list() const {
    if (!value.is_array()) refuse(line, "'" + name + "' needs a list, got " + type_of(value));
    return value;
  }
};

using Function = std::function<Json(const Call&)>;
using FunctionTable = std::map<std::string, Function>;

Json apply(const FunctionTable& table, const std::string& kind, const Call& call) {
  const auto found = table.find(call.name);
  if (found != table.end()) return found->second(call);
  std::vector<std::string> names;
  for (const auto& [name, function] : table) names.push_back(name);
  refuse(call.line, "does not know the " + kind + " '" + call.name + "'" + suggestion(call.name, names));
}

// For texts a function of one text.
Function of_text(std::function<std::string(std::string_view)> function) {
  return [function](const Call& call) -> Json {
    call.expect(0);
    return function(call.text());
  };
}

std::string to_lower(std::string_view text) {
  std::string out;
  for (size_t pos = 0; pos < text.size();) append_lower(out, next_code_point(text, pos));
  return out;
}

char ascii_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

// ASCII only, and refused elsewhere: templates write the words of their markup so.
Json upper(const Call& call) {
  call.expect(0);
  std::string out = call.text();
  for (auto& c : out) {
    if (c < 0) refuse(call.line, "'" + call.name + "' only knows ASCII text");
    c = ascii_upper(c);
  }
  return out;
}

Json capitalize(const Call& call) {
  call.expect(0);
  auto out = to_lower(call.text());
  if (!out.empty() && out[0] < 0) refuse(call.line, "'capitalize' only knows a first letter of ASCII");
  if (!out.empty()) out[0] = ascii_upper(out[0]);
  return out;
}

std::string stripped(std::string_view text, const std::string& characters, bool left, bool right) {
  if (characters.empty()) {
    if (left) text = strip_left(text);
    return std::string(right ? strip_right(text) : text);
  }
  const auto outside = [&](char c) { return characters.find(c) == std::string::npos; };
  while (left && !text.empty() && !outside(text.front())) text.remove_prefix(1);
  while (right && !text.empty() && !outside(text.back())) text.remove_suffix(1);
  return std::string(text);
}

Function strip_of(bool left, bool right) {
  return [=](const Call& call) -> Json {
    call.expect(1, {"chars"});
    const auto given = call.argument(0, "chars");
    const auto characters = is_undefined(given) ? "" : call.text_of(given);
    if (std::any_of(characters.begin(), characters.end(), [](char c) { return c < 0; }))
      refuse(call.line, "'" + call.name + "' only knows ASCII characters to strip");
    return stripped(call.text(), characters, left, right);
  };
}

Json length(const Call& call) {
  call.expect(0);
  if (call.value.is_string()) return count_code_points(call.text());
  if (!call.value.is_structured())
    refuse(call.line, "'" + call.name + "' needs a text, list or map, got " + type_of(call.value));
  return call.value.size();
}

Json replace(const Call& call) {
  call.expect(2);
  const auto from = call.text_of(call.argument(0)), to = call.text_of(call.argument(1));
  if (from.empty()) refuse(call.line, "'replace' needs a text to replace");
  return replace_all(call.text(), from, to);
}

Json split(const Call& call) {
  call.expect(1, {"sep"});
  const auto separator = call.text_of(call.argument(0, "sep"));
  if (separator.empty()) refuse(call.line, "'split' needs a separator");
  const std::string_view text = call.text();
  Json out = Json::array();
  size_t done = 0;
  for (size_t hit; (hit = text.find(separator, done)) != std::string_view::npos;
       done = hit + separator.size())
    out.push_back(std::string(text.substr(done, hit - done)));
  out.push_back(std::string(text.substr(done)));
  return out;
}

Json join(const Call& call) {
  call.expect(1, {"d"});
  const auto given = call.argument(0, "d");
  const auto separator = is_undefined(given) ? "" : call.text_of(given);
  std::string out;
  for (size_t i = 0; i < call.list().size(); ++i)
    out += (i > 0 ? separator : "") + print(call.list()[i], call.line);
  return out;
}

Json default_value(const Call& call) {
  call.expect(2, {"default_value", "boolean"});
  auto fallback = call.argument(0, "default_value");
  if (is_undefined(fallback)) fallback = "";
  const bool also_false = is_true(call.argument(1, "boolean"));
  return is_undefined(call.value) || (also_false && !is_true(call.value)) ? fallback : call.value;
}

Json to_int(const Call& call) {
  call.expect(0);
  if (call.value.is_number_integer()) return call.value;
  if (call.value.is_boolean()) return call.value.get<bool>() ? 1 : 0;
  refuse(call.line, "'int' needs an integer, got " + type_of(call.value));
}

Json to_list(const Call& call) {
  call.expect(0);
  if (call.value.is_array()) return call.value;
  refuse(call.line, "'list' needs a list, got " + type_of(call.value));
}

Json to_json(const Call& call) {
  call.expect(0);
  if (is_undefined(call.value) || call.value.is_structured())
    refuse(call.line, "'tojson' does not know " + type_of(call.value));
  return call.value.dump();
}

Json reversed(const Call& call) {
  call.expect(0);
  return slice(call.value, nullptr, nullptr, -1, call.line);
}

const FunctionTable& filters() {
  static const FunctionTable table = {
      {"trim", strip_of(true, true)},
      {"length", length},
      {"count", length},
      {"upper", upper},
      {"lower", of_text(to_lower)},
      {"capitalize", capitalize},
      {"first", [](const Call& call) { return element(call.value, 0, call.line); }},
      {"last", [](const Call& call) { return element(call.value, -1, call.line); }},
      {"join", join},
      {"default", default_value},
      {"d", default_value},
      {"string", [](const Call& call) -> Json { return print(call.value, call.line); }},
      {"int", to_int},
      {"list", to_list},
      {"replace", replace},
      {"reverse", reversed},
      {"tojson", to_json},
      {"safe", [](const Call& call) { return call.value; }},
  };
  return table;
}

const FunctionTable& text_methods() {
  static const FunctionTable table = {
      {"strip", strip_of(true, true)},
      {"lstrip", strip_of(true, false)},
      {"rstrip", strip_of(false, true)},
      {"startswith",
       [](const Call& call) -> Json { return call.text().starts_with(call.text_of(call.argument(0))); }},
      {"endswith",
       [](const Call& call) -> Json { return call.text().ends_with(call.text_of(call.argument(0))); }},
      {"split", split},
      {"replace", replace},
      {"upper", upper},
      {"lower", of_text(to_lower)},
  };
  return table;
}

// Keys, values or pairs of a map.
Function entries(bool keys, bool values) {
  return [=](const Call& call) {
    call.expect(0);
    Json out = Json::array();
    for (const auto& [key, value] : call.value.items()) {
      if (keys && values)
        out.push_back(Json::array({key, value}));
      else
        out.push_back(keys ? Json(key) : value);
    }
    return out;
  };
}

const FunctionTable& map_methods() {
  static const FunctionTable table = {
      {"get",
       [](const Call& call) {
         call.expect(2);
         const auto found = element(call.value, call.argument(0), call.line);
         const auto fallback = call.argument(1);
         if (!is_undefined(found)) return found;
         return is_undefined(fallback) ? Json(nullptr) : fallback;
       }},
      {"keys", entries(true, false)},
      {"values", entries(false, true)},
      {"items", entries(true, true)},
  };
  return table;
}

const FunctionTable& tests() {
  const auto is = [](auto property) -> Function {
    return [property](const Call& call) -> Json { return property(call.value); };
  };
  const auto equal = [](const Call& call) { return binary("==", call.value, call.argument(0), call.line); };
  const auto divisible = [](int64_t by, int64_t rest) -> Function {
    return [=](const Call& call) {
      return binary("==", binary("%", call.value, by, call.line), rest, call.line);
    };
  };
  static const FunctionTable table = {
      {"defined", is([](const Json& v) { return !is_undefined(v); })},
      {"undefined", is([](const Json& v) { return is_undefined(v); })},
      {"none", is([](const Json& v) { return v.is_null(); })},
      {"string", is([](const Json& v) { return v.is_string(); })},
      {"number", is([](const Json& v) { return v.is_number() || v.is_boolean(); })},
      {"integer", is([](const Json& v) { return v.is_number_integer(); })},
      {"boolean", is([](const Json& v) { return v.is_boolean(); })},
      {"mapping", is([](const Json& v) { return v.is_object(); })},
      {"iterable", is([](const Json& v) { return v.is_structured() || v.is_string(); })},
      {"sequence", is([](const Json& v) { return v.is_structured() || v.is_string(); })},
      {"true", is([](const Json& v) { return v.is_boolean() && v.get<bool>(); })},
      {"false", is([](const Json& v) { return v.is_boolean() && !v.get<bool>(); })},
      {"odd", divisible(2, 1)},
      {"even", divisible(2, 0)},
      {"divisibleby",
       [](const Call& call) {
         return binary("==", binary("%", call.value, call.argument(0), call.line), 0, call.line);
       }},
      {"equalto", equal},
      {"eq", equal},
  };
  return table;
}

Json make_range(const Call& call) {
  call.expect(2);
  const auto bound = [&](size_t i) {
    const auto given = call.argument(i);
    if (!given.is_number_integer()) refuse(call.line, "'range' needs integers, got " + type_of(given));
    return given.get<int64_t>();
  };
  const bool two = call.arguments.values.size() == 2;
  const int64_t begin = two ? bound(0) : 0, end = bound(two ? 1 : 0);
  constexpr int64_t kLongest = 100000;
  if (begin < end && (end > begin + kLongest || begin + kLongest < begin))
    refuse(call.line, fmt::format("'range' makes at most {} numbers", kLongest));
  Json out = Json::array();
  for (int64_t i = begin; i < end; ++i) out.push_back(i);
  return out;
}

const FunctionTable& functions() {
  static const FunctionTable table = {
      {"raise_exception",
       [](const Call& call) -> Json { refuse(call.line, print(call.argument(0), call.line)); }},
      {"namespace",
       [](const Call& call) {
         Json out = Json::object();
         for (const auto& [key, value] : call.arguments.named) out[key] = value;
         return out;
       }},
      {"range", make_range},
  };
  return table;
}

}  // namespace

Json call_function(const std::string& name, const Arguments& arguments, int line) {
  return apply(functions(), "function", {name, Json(), arguments, line});
}

Json call_filter(const std::string& name, const Json& value, const Arguments& arguments, int line) {
  return apply(filters(), "filter", {name, value, arguments, line});
}

Json call_method(const std::string& name, const Json& value, const Arguments& arguments, int line) {
  if (!value.is_string() && !value.is_object())
    refuse(line, "does not know the method '" + name + "' of " + type_of(value));
  return apply(value.is_string() ? text_methods() : map_methods(), "method", {name, value, arguments, line});
}

bool call_test(const std::string& name, const Json& value, const Arguments& arguments, int line) {
  return apply(tests(), "test", {name, value, arguments, line}).get<bool>();
}

}  // namespace plaudit::jinja
