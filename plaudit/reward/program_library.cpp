#include "plaudit/reward/program_library.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace plaudit::program {
namespace {

using Table = std::map<std::string, LibraryFunction, std::less<>>;

const Table& table() {
  static const Table functions = [] {
    Table out;
    for (auto part : {builtin_functions, elementwise_functions, reduction_functions, array_functions}) {
      for (auto& function : part()) out.emplace(function.name, function);
    }
    return out;
  }();
  return functions;
}

const std::map<std::string, double, std::less<>>& constants() {
  static const std::map<std::string, double, std::less<>> values = {
      {"np.pi", M_PI},   {"np.e", M_E},   {"np.inf", std::numeric_limits<double>::infinity()},
      {"math.pi", M_PI}, {"math.e", M_E}, {"math.inf", std::numeric_limits<double>::infinity()}};
  return values;
}

struct MemberEntry {
  Member member;
  const char* name;
  const char* function;  // of np, whose first parameter is the array; null for attributes and special methods
};

constexpr MemberEntry kMembers[] = {{Member::sum, "sum", "np.sum"},
                                    {Member::mean, "mean", "np.mean"},
                                    {Member::min, "min", "np.min"},
                                    {Member::max, "max", "np.max"},
                                    {Member::std, "std", "np.std"},
                                    {Member::dot, "dot", "np.dot"},
                                    {Member::reshape, "reshape", nullptr},
                                    {Member::flatten, "flatten", nullptr},
                                    {Member::copy, "copy", nullptr},
                                    {Member::astype, "astype", nullptr},
                                    {Member::T, "T", nullptr},
                                    {Member::shape, "shape", nullptr},
                                    {Member::size, "size", nullptr}};

const MemberEntry& entry(Member member) {
  return *std::find_if(std::begin(kMembers), std::end(kMembers),
                       [&](const auto& e) { return e.member == member; });
}

// Lists have no array methods: an unknown attribute, as in Python.
void check_array(Machine& m, Member member, const Value& base) {
  if (!base.is_number() && !base.is(Tag::array))
    m.fail(ProgramErrorKind::name,
           std::string(describe(base.tag())) + " has no attribute '" + entry(member).name + "'");
}

Value copied(Machine& m, const Value& a) {
  return a.is_number() ? a : map1(m, a, [](double x) { return x; });
}

}  // namespace

LibraryFunction library_function(std::string name, std::string_view signature, LibraryFunction::Call call) {
  LibraryFunction out{std::move(name), {}, 0, false, call};
  while (!signature.empty()) {
    auto word = signature.substr(0, signature.find(' '));
    signature.remove_prefix(std::min(word.size() + 1, signature.size()));
    if (word == "*") {
      out.variadic = true;
    } else if (word.ends_with('?')) {
      out.parameters.emplace_back(word.substr(0, word.size() - 1));
    } else {
      out.parameters.emplace_back(word);
      out.required = out.parameters.size();
    }
  }
  return out;
}

const LibraryFunction* find_function(std::string_view name) {
  const auto found = table().find(name);
  return found == table().end() ? nullptr : &found->second;
}

const double* find_constant(std::string_view name) {
  const auto found = constants().find(name);
  return found == constants().end() ? nullptr : &found->second;
}

bool is_module(std::string_view name) {
  return name == "np" || name == "np.linalg" || name == "math" || name == "sdist";
}

std::vector<std::string> names_below(std::string_view module) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    const auto dot = name.rfind('.');
    if (module.empty() ? dot == std::string::npos : dot != std::string::npos && name.substr(0, dot) == module)
      out.push_back(module.empty() ? name : name.substr(dot + 1));
  };
  for (const auto& [name, function] : table()) add(name);
  for (const auto& [name, value] : constants()) add(name);
  return out;
}

std::vector<Value> bind_arguments(Machine& m, const LibraryFunction& f, std::vector<Value> positional,
                                  const std::vector<std::string>& keywords, std::vector<Value> named) {
  const auto n = f.parameters.size();
  if (positional.size() > n && !f.variadic)
    m.type(f.name + "() takes at most " + std::to_string(n) + " arguments, got " +
           std::to_string(positional.size()));
  const auto given = positional.size();
  if (given < n) positional.resize(n);
  for (size_t i = 0; i < keywords.size(); ++i) {
    const auto found = std::find(f.parameters.begin(), f.parameters.end(), keywords[i]);
    if (found == f.parameters.end()) m.type(f.name + "() takes no argument '" + keywords[i] + "'");
    const auto at = static_cast<size_t>(found - f.parameters.begin());
    if (at < given) m.type(f.name + "() got two values for '" + keywords[i] + "'");
    positional[at] = std::move(named[i]);
  }
  for (size_t i = 0; i < f.required; ++i) {
    if (positional[i].is(Tag::unbound)) m.type(f.name + "() needs the argument '" + f.parameters[i] + "'");
  }
  return positional;
}

Member find_member(std::string_view name) {
  for (const auto& e : kMembers) {
    if (name == e.name) return e.member;
  }
  return Member::none;
}

bool is_method(Member member) {
  return member != Member::T && member != Member::shape && member != Member::size;
}

std::vector<std::string> member_names() {
  std::vector<std::string> out;
  for (const auto& e : kMembers) out.emplace_back(e.name);
  return out;
}

Value get_member(Machine& m, Member member, const Value& base) {
  check_array(m, member, base);
  const Operand a(m, base);
  if (member == Member::T) return transpose(m, base);
  if (member == Member::size) return Value::integer(static_cast<double>(a->size()));
  auto shape = m.sequence(Tag::tuple, 2);
  if (a->rank == 2) m.append(shape.as<Sequence>(), Value::integer(static_cast<double>(a->rows)));
  if (a->rank >= 1) m.append(shape.as<Sequence>(), Value::integer(static_cast<double>(a->columns)));
  return shape;
}

Value call_member(Machine& m, Member member, const Value& base, std::vector<Value> positional,
                  const std::vector<std::string>& keywords, std::vector<Value> named) {
  check_array(m, member, base);
  if (const auto* name = entry(member).function) {
    const auto& function = *find_function(name);
    positional.insert(positional.begin(), base);
    const auto arguments = bind_arguments(m, function, std::move(positional), keywords, std::move(named));
    return function.call(m, function, arguments);
  }
  const auto at_most = [&](size_t n) {
    if (!keywords.empty() || positional.size() > n)
      m.type(std::string(entry(member).name) + "() takes " + (n == 0 ? "no arguments" : "one argument"));
  };
  switch (member) {
    case Member::reshape:
      if (!keywords.empty()) m.type("reshape() takes sizes only");
      return reshape(m, base, positional);
    case Member::flatten:
      at_most(0);
      return reshape(m, copied(m, base), {Value::integer(-1)});
    case Member::copy:
      at_most(0);
      return copied(m, base);
    default: {
      static const auto* to_float = find_function("float");
      if (positional.empty() && keywords.size() == 1 && keywords[0] == "dtype") {
        positional.push_back(named[0]);
      } else {
        at_most(1);
      }
      if (positional.size() != 1 || !positional[0].is(Tag::library) || &positional[0].library() != to_float)
        m.type("astype() takes float: arrays hold floats only");
      return copied(m, base);
    }
  }
}

}  // namespace plaudit::program
