#include "plaudit/data/jinja.h"

#include "plaudit/core/errors.h"
#include "plaudit/data/jinja_functions.h"
#include "plaudit/data/jinja_syntax.h"

namespace plaudit {
namespace jinja {
namespace {

class Renderer {
 public:
  explicit Renderer(const Json& variables) { scopes_.push_back(variables); }

  enum class Flow { normal, leave, next };

  Flow run(const Block& block) {
    for (const auto& node : block) {
      const Flow flow = run(*node);
      if (flow != Flow::normal) return flow;
    }
    return Flow::normal;
  }
  std::string take() { return std::move(out_); }

 private:
  Flow run(const Node& node) {
    switch (node.kind) {
      case Node::Kind::text:
        out_ += node.text;
        return Flow::normal;
      case Node::Kind::output:
        out_ += print(value(*node.expr), node.line);
        return Flow::normal;
      case Node::Kind::loop:
        return run_loop(node);
      case Node::Kind::branch:
        for (size_t i = 0; i < node.blocks.size(); ++i) {
          if (!node.conditions[i] || is_true(value(*node.conditions[i]))) return run(node.blocks[i]);
        }
        return Flow::normal;
      case Node::Kind::set:
        assign(node, value(*node.expr));
        return Flow::normal;
      case Node::Kind::set_block:
        assign(node, rendered(node.blocks[0]));
        return Flow::normal;
      case Node::Kind::leave:
        return Flow::leave;
      case Node::Kind::next:
        return Flow::next;
    }
    bug("jinja", "unknown statement");
  }

  std::string rendered(const Block& block) {
    std::string outer;
    outer.swap(out_);
    run(block);
    outer.swap(out_);
    return outer;
  }

  void assign(const Node& node, Json assigned) {
    if (node.member.empty()) {
      scopes_.back()[node.text] = std::move(assigned);
      return;
    }
    auto* target = find(node.text);
    if (target == nullptr || !target->is_object())
      fail(ErrorKind::value, place(node.line), "'" + node.text + "' is no namespace");
    (*target)[node.member] = std::move(assigned);
  }

  Json* find(const std::string& name) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->find(name); found != scope->end()) return &*found;
    }
    return nullptr;
  }

  // What a loop goes over: the elements of a list, the keys of a map, the characters of a text.
  Json items_of(const Node& node) {
    const Json over = value(*node.expr);
    Json items = Json::array();
    if (over.is_object()) {
      for (const auto& [key, unused] : over.items()) items.push_back(key);
    } else if (over.is_array()) {
      items = over;
    } else if (over.is_string()) {
      const auto size = call_filter("length", over, {}, node.line).get<int64_t>();
      for (int64_t i = 0; i < size; ++i) items.push_back(element(over, i, node.line));
    } else if (!is_undefined(over)) {
      fail(ErrorKind::value, place(node.line), "cannot loop over " + type_of(over));
    }
    if (!node.filter) return items;
    Json kept = Json::array();
    for (const auto& item : items) {
      scopes_.push_back(Json::object());
      bind(node, item);
      if (is_true(value(*node.filter))) kept.push_back(item);
      scopes_.pop_back();
    }
    return kept;
  }

  void bind(const Node& node, const Json& item) {
    auto& scope = scopes_.back();
    if (node.names.size() == 1) {
      scope[node.names[0]] = item;
      return;
    }
    if (!item.is_array() || item.size() != node.names.size())
      fail(ErrorKind::value, place(node.line), "cannot unpack " + type_of(item) + " into the loop's names");
    for (size_t i = 0; i < node.names.size(); ++i) scope[node.names[i]] = item[i];
  }

  Flow run_loop(const Node& node) {
    const Json items = items_of(node);
    const auto size = static_cast<int64_t>(items.size());
    for (int64_t i = 0; i < size; ++i) {
      scopes_.push_back(Json::object());
      bind(node, items[static_cast<size_t>(i)]);
      Json loop = {{"index", i + 1},           {"index0", i},    {"first", i == 0},
                   {"last", i + 1 == size},    {"length", size}, {"revindex", size - i},
                   {"revindex0", size - i - 1}};
      if (i > 0) loop["previtem"] = items[static_cast<size_t>(i - 1)];
      if (i + 1 < size) loop["nextitem"] = items[static_cast<size_t>(i + 1)];
      scopes_.back()["loop"] = std::move(loop);
      const Flow flow = run(node.blocks[0]);
      scopes_.pop_back();
      if (flow == Flow::leave) break;
    }
    return size == 0 && node.blocks.size() > 1 ? run(node.blocks[1]) : Flow::normal;
  }

  Arguments arguments(const Expr& expr, size_t from) {
    Arguments out;
    for (size_t i = from; i < expr.args.size(); ++i) out.values.push_back(value(*expr.args[i]));
    for (const auto& [name, given] : expr.named) out.named.emplace_back(name, value(*given));
    return out;
  }

  Json optional(const ExprPtr& expr) { return expr ? value(*expr) : Json(nullptr); }

  Json binary_value(const Expr& expr) {
    Json left = value(*expr.args[0]);
    if (expr.text == "and") return is_true(left) ? value(*expr.args[1]) : left;
    if (expr.text == "or") return is_true(left) ? left : value(*expr.args[1]);
    return binary(expr.text, left, value(*expr.args[1]), expr.line);
  }

  Json unary_value(const Expr& expr) {
    const Json operand = value(*expr.args[0]);
    if (expr.text == "not") return !is_true(operand);
    const Json negated = negative(operand, expr.line);
    return expr.text == "-" ? negated : negative(negated, expr.line);
  }

  Json structure(const Expr& expr) {
    Json out = expr.kind == Expr::Kind::list ? Json::array() : Json::object();
    if (expr.kind == Expr::Kind::list) {
      for (const auto& arg : expr.args) out.push_back(value(*arg));
      return out;
    }
    for (size_t i = 0; i < expr.args.size(); i += 2)
      out[print(value(*expr.args[i]), expr.line)] = value(*expr.args[i + 1]);
    return out;
  }

  Json value(const Expr& expr) {
    switch (expr.kind) {
      case Expr::Kind::literal:
        return expr.value;
      case Expr::Kind::name: {
        const auto* found = find(expr.text);
        return found == nullptr ? undefined() : *found;
      }
      case Expr::Kind::list:
      case Expr::Kind::dict:
        return structure(expr);
      case Expr::Kind::member:
        return element(value(*expr.args[0]), expr.text, expr.line);
      case Expr::Kind::subscript:
        return element(value(*expr.args[0]), value(*expr.args[1]), expr.line);
      case Expr::Kind::slice:
        return slice(value(*expr.args[0]), optional(expr.args[1]), optional(expr.args[2]),
                     optional(expr.args[3]), expr.line);
      case Expr::Kind::call:
        return call_function(expr.text, arguments(expr, 0), expr.line);
      case Expr::Kind::method:
        return call_method(expr.text, value(*expr.args[0]), arguments(expr, 1), expr.line);
      case Expr::Kind::filter:
        return call_filter(expr.text, value(*expr.args[0]), arguments(expr, 1), expr.line);
      case Expr::Kind::test:
        return call_test(expr.text, value(*expr.args[0]), arguments(expr, 1), expr.line);
      case Expr::Kind::unary:
        return unary_value(expr);
      case Expr::Kind::binary:
        return binary_value(expr);
      case Expr::Kind::conditional:
        if (is_true(value(*expr.args[1]))) return value(*expr.args[0]);
        return expr.args[2] ? value(*expr.args[2]) : undefined();
    }
    bug("jinja", "unknown expression");
  }

  std::vector<Json> scopes_;
  std::string out_;
};

}  // namespace
}  // namespace jinja

std::string render_jinja(std::string_view source, const Json& variables) {
  const auto block = jinja::parse(source);
  jinja::Renderer renderer(variables);
  renderer.run(block);
  return renderer.take();
}

}  // namespace plaudit
