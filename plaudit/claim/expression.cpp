#include "plaudit/claim/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "plaudit/core/errors.h"

namespace plaudit {

// A constant, a reference, or a function of other nodes.
struct ClaimFormula::Node {
  std::string function;  // "" for the two others
  double number = 0;
  bool is_number = false;
  MetricReference reference;
  std::vector<std::shared_ptr<const Node>> arguments;
};

namespace {

using Node = ClaimFormula::Node;
using NodePtr = std::shared_ptr<const Node>;
using List = std::vector<double>;

ClaimValue shared_value(double x) {
  return {true, {{x}}};
}

ClaimValue elementwise(const ClaimValue& a, const ClaimValue& b,
                       const std::function<double(double, double)>& f) {
  ClaimValue out{a.shared && b.shared, {}};
  const size_t seeds = std::max(a.shared ? 0 : a.seeds.size(), b.shared ? 0 : b.seeds.size());
  for (size_t s = 0; s < std::max<size_t>(seeds, out.shared ? 1 : 0); ++s) {
    const auto &x = a.seeds[a.shared ? 0 : s], &y = b.seeds[b.shared ? 0 : s];
    const size_t n = x.size() == 1 ? y.size() : x.size();
    if (x.size() != n && x.size() != 1) fail(ErrorKind::shape, "formula", "lists of unequal length");
    if (y.size() != n && y.size() != 1)
      fail(ErrorKind::shape, "formula", fmt::format("lists of {} and {} numbers", x.size(), y.size()));
    List row(n);
    for (size_t i = 0; i < n; ++i) row[i] = f(x[x.size() == 1 ? 0 : i], y[y.size() == 1 ? 0 : i]);
    out.seeds.push_back(std::move(row));
  }
  return out;
}

ClaimValue per_seed(const ClaimValue& x, const std::function<List(const List&)>& f) {
  ClaimValue out{x.shared, {}};
  for (const auto& row : x.seeds) out.seeds.push_back(f(row));
  return out;
}

double sum_of(const List& x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}
double mean_of(const List& x) {
  return sum_of(x) / static_cast<double>(x.size());
}
// NaN where an element is: a bar on it must not hold.
double extreme_of(const List& x, bool largest) {
  double out = x.empty() ? std::numeric_limits<double>::quiet_NaN() : x.front();
  for (const double value : x) {
    if (std::isnan(value)) return value;
    out = largest ? std::max(out, value) : std::min(out, value);
  }
  return out;
}

List differences(const List& x) {
  List out;
  for (size_t i = 1; i < x.size(); ++i) out.push_back(x[i] - x[i - 1]);
  return out;
}

ClaimValue best(const ClaimValue& y, const ClaimValue& x, const ClaimValue& limit) {
  const auto allowed =
      elementwise(x, limit, [](double value, double most) { return value <= most ? 1.0 : 0.0; });
  const auto kept = elementwise(y, allowed, [](double value, double ok) {
    return ok > 0 ? value : -std::numeric_limits<double>::infinity();
  });
  return per_seed(kept, [](const List& row) { return List{extreme_of(row, true)}; });
}

using Function = std::function<ClaimValue(const std::vector<ClaimValue>&)>;

Function reduction(double (*over)(const List&)) {
  return [over](const std::vector<ClaimValue>& a) { return shared_value(over(a[0].elements())); };
}

Function extreme(bool largest) {
  return [largest](const std::vector<ClaimValue>& a) {
    if (a.size() == 1) return shared_value(extreme_of(a[0].elements(), largest));
    auto out = a[0];
    for (size_t i = 1; i < a.size(); ++i)
      out = elementwise(out, a[i], [largest](double x, double y) { return extreme_of({x, y}, largest); });
    return out;
  };
}

Function binary(double (*f)(double, double)) {
  return [f](const std::vector<ClaimValue>& a) { return elementwise(a[0], a[1], f); };
}

struct FunctionInfo {
  size_t least = 1, most = 1;
  Function call;
};

const std::map<std::string, FunctionInfo>& functions() {
  static const std::map<std::string, FunctionInfo> table = {
      {"mean", {1, 1, reduction(mean_of)}},
      {"sum", {1, 1, reduction(sum_of)}},
      {"min", {1, 99, extreme(false)}},
      {"max", {1, 99, extreme(true)}},
      {"abs",
       {1, 1,
        [](const auto& a) { return elementwise(a[0], a[0], [](double x, double) { return std::abs(x); }); }}},
      {"differences", {1, 1, [](const auto& a) { return per_seed(a[0], differences); }}},
      {"seed_mean",
       {1, 1, [](const auto& a) { return per_seed(a[0], [](const List& x) { return List{mean_of(x)}; }); }}},
      {"seed_max",
       {1, 1,
        [](const auto& a) {
          return per_seed(a[0], [](const List& x) { return List{extreme_of(x, true)}; });
        }}},
      {"best", {3, 3, [](const auto& a) { return best(a[0], a[1], a[2]); }}},
      {"+", {2, 2, binary([](double x, double y) { return x + y; })}},
      {"-", {2, 2, binary([](double x, double y) { return x - y; })}},
      {"*", {2, 2, binary([](double x, double y) { return x * y; })}},
      {"/", {2, 2, binary([](double x, double y) { return x / y; })}},
      {"<", {2, 2, binary([](double x, double y) { return x < y ? 1.0 : 0.0; })}},
      {"<=", {2, 2, binary([](double x, double y) { return x <= y ? 1.0 : 0.0; })}},
      {">", {2, 2, binary([](double x, double y) { return x > y ? 1.0 : 0.0; })}},
      {">=", {2, 2, binary([](double x, double y) { return x >= y ? 1.0 : 0.0; })}},
  };
  return table;
}

// Recursive descent; comparison, sum, product, unary, primary.
class Parser {
 public:
  Parser(const std::string& text, std::vector<MetricReference>& references)
      : text_(text), references_(references) {}

  NodePtr parse() {
    auto out = comparison();
    if (!at_end()) refuse("a formula ends here");
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorKind::value, "formula", fmt::format("'{}' at character {}: {}", text_, at_ + 1, what));
  }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool at_end() {
    skip();
    return at_ == text_.size();
  }
  bool take(const std::string& word) {
    skip();
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }
  static NodePtr call(const std::string& name, std::vector<NodePtr> arguments) {
    auto node = std::make_shared<Node>();
    node->function = name;
    node->arguments = std::move(arguments);
    return node;
  }

  NodePtr chain(const std::vector<std::string>& operators, NodePtr (Parser::*next)()) {
    auto out = (this->*next)();
    while (true) {
      const auto found =
          std::find_if(operators.begin(), operators.end(), [&](const auto& name) { return take(name); });
      if (found == operators.end()) return out;
      out = call(*found, {out, (this->*next)()});
    }
  }
  NodePtr comparison() { return chain({"<=", ">=", "<", ">"}, &Parser::sum); }
  NodePtr sum() { return chain({"+", "-"}, &Parser::product); }
  NodePtr product() { return chain({"*", "/"}, &Parser::unary); }
  NodePtr unary() {
    if (!take("-")) return primary();
    return call("-", {constant(0), unary()});
  }

  static NodePtr constant(double value) {
    auto node = std::make_shared<Node>();
    node->is_number = true;
    node->number = value;
    return node;
  }

  NodePtr primary() {
    if (at_end()) refuse("something is missing");
    if (take("(")) {
      auto out = comparison();
      if (!take(")")) refuse("')' is missing");
      return out;
    }
    if (take("{")) return reference();
    const char* begin = text_.c_str() + at_;
    char* end = nullptr;
    const double value = std::isalpha(static_cast<unsigned char>(*begin)) ? 0 : std::strtod(begin, &end);
    if (end && end != begin) {
      at_ += static_cast<size_t>(end - begin);
      return constant(value);
    }
    return named();
  }

  NodePtr reference() {
    const auto end = text_.find('}', at_);
    const auto inside = text_.substr(at_, end == std::string::npos ? end : end - at_);
    const auto blank = inside.find(' ');
    if (end == std::string::npos || blank == std::string::npos || blank == 0 || blank + 1 == inside.size())
      refuse("a value is {variant metric}");
    auto node = std::make_shared<Node>();
    node->reference = {inside.substr(0, blank), inside.substr(blank + 1)};
    references_.push_back(node->reference);
    at_ = end + 1;
    return node;
  }

  NodePtr named() {
    std::string name;
    while (at_ < text_.size() && (std::isalpha(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      name += text_[at_++];
    const auto found = functions().find(name);
    if (name.empty() || found == functions().end()) {
      std::vector<std::string> known;
      for (const auto& [key, info] : functions())
        if (std::isalpha(static_cast<unsigned char>(key[0]))) known.push_back(key);
      refuse("there is no function '" + name + "'" + suggestion(name, known));
    }
    if (!take("(")) refuse("'(' is missing");
    std::vector<NodePtr> arguments;
    do arguments.push_back(comparison());
    while (take(","));
    if (!take(")")) refuse("')' is missing");
    if (arguments.size() < found->second.least || arguments.size() > found->second.most)
      refuse(fmt::format("{} takes {} arguments, got {}", name, found->second.least, arguments.size()));
    return call(name, std::move(arguments));
  }

  const std::string& text_;
  std::vector<MetricReference>& references_;
  size_t at_ = 0;
};

ClaimValue value_of(const Node& node, const ClaimFormula::Lookup& lookup) {
  if (node.is_number) return shared_value(node.number);
  if (node.function.empty()) return lookup(node.reference);
  std::vector<ClaimValue> arguments;
  for (const auto& argument : node.arguments) arguments.push_back(value_of(*argument, lookup));
  return functions().at(node.function).call(arguments);
}

}  // namespace

std::vector<double> ClaimValue::elements() const {
  std::vector<double> out;
  for (const auto& row : seeds) out.insert(out.end(), row.begin(), row.end());
  return out;
}

ClaimFormula::ClaimFormula(const std::string& text) : text_(text) {
  root_ = Parser(text_, references_).parse();
}

ClaimValue ClaimFormula::evaluate(const Lookup& lookup) const {
  return value_of(*root_, lookup);
}

}  // namespace plaudit
