#include "plaudit/reward/program_resolve.h"

#include <algorithm>
#include <map>

#include "plaudit/reward/program_library.h"

namespace plaudit {

using namespace program;  // the syntax tree

namespace {

struct Scope {
  FunctionSyntax* function;
  Scope* parent;
  std::map<std::string, int, std::less<>> slots = {};
  bool has_self = false;

  int slot(const std::string& name) {
    const auto [at, added] = slots.emplace(name, static_cast<int>(function->slots.size()));
    if (added) function->slots.push_back(name);
    return at->second;
  }
};

// The names that a target assigns become locals.
void add_targets(const Expr& target, Scope& scope) {
  if (target.kind == ExprKind::name) scope.slot(target.text);
  if (target.kind == ExprKind::tuple || target.kind == ExprKind::list) {
    for (const auto& child : target.children) add_targets(*child, scope);
  }
}

void add_locals(const std::vector<Stmt>& body, Scope& scope) {
  for (const auto& stmt : body) {
    for (const auto& target : stmt.targets) add_targets(*target, scope);
    if (stmt.kind == StmtKind::def) scope.slot(stmt.function->name);
    add_locals(stmt.body, scope);
    add_locals(stmt.otherwise, scope);
  }
}

class Resolver {
 public:
  Resolver(RewardProgram::Parts& parts, ProgramFaults& faults) : parts_(parts), faults_(faults) {
    for (size_t i = 0; i < parts.table.size(); ++i) bindings_[parts.table[i].path] = static_cast<int>(i);
    aliases_ = {{"np", "np"}, {"math", "math"}, {"sdist", "sdist"}, {"cdist", "sdist.cdist"}};
  }

  void run(std::string_view entry) {
    auto& module = parts_.module;
    Scope scope{&module, nullptr};
    add_locals(module.body, scope);
    // Imports first: functions find names when they are called.
    for (auto& stmt : module.body) {
      if (stmt.kind == StmtKind::import) import(stmt);
    }
    for (auto& stmt : module.body) top_level(stmt, scope);
    find_entry(entry, scope);
  }

 private:
  void fault(ProgramErrorKind kind, int line, int column, std::string message,
             std::vector<std::string> nearest = {}) {
    faults_.push_back({kind, line, column, std::move(message), std::move(nearest)});
  }
  void fault(ProgramErrorKind kind, const Expr& at, std::string message,
             std::vector<std::string> nearest = {}) {
    fault(kind, at.line, at.column, std::move(message), std::move(nearest));
  }

  // --- module level ---

  void import(const Stmt& stmt) {
    for (const auto& entry : stmt.imports) {
      const auto forbidden = [&] {
        fault(ProgramErrorKind::forbidden, stmt.line, stmt.column,
              "import of " + entry.module + (entry.from ? "." + entry.name : "") +
                  (entry.module.starts_with("torch")
                       ? " is not allowed: rewards are written for one environment, with NumPy"
                       : " is not allowed; import numpy as np, import math and scipy.spatial.distance are"));
      };
      if (!entry.from) {
        if (entry.module == "numpy" && entry.alias == "np") {
          aliases_["np"] = "np";
        } else if (entry.module == "math" && entry.alias.empty()) {
          aliases_["math"] = "math";
        } else if (entry.module == "scipy.spatial.distance" && !entry.alias.empty()) {
          aliases_[entry.alias] = "sdist";
        } else {
          forbidden();
        }
      } else if (entry.module == "scipy.spatial" && entry.name == "distance") {
        aliases_[entry.alias.empty() ? entry.name : entry.alias] = "sdist";
      } else if ((entry.module == "math" || entry.module == "scipy.spatial.distance") &&
                 entry.alias.empty() && entry.name != "*") {
        const std::string module = entry.module == "math" ? "math" : "sdist",
                          full = module + "." + entry.name;
        if (program::find_function(full) == nullptr && program::find_constant(full) == nullptr) {
          fault(ProgramErrorKind::name, stmt.line, stmt.column,
                entry.module + " has no '" + entry.name + "' here",
                program_nearest(entry.name, program::names_below(module)));
        } else {
          aliases_[entry.name] = full;
        }
      } else {
        forbidden();
      }
    }
  }

  static bool plain_target(const Expr& target) {
    if (target.kind == ExprKind::tuple || target.kind == ExprKind::list)
      return std::all_of(target.children.begin(), target.children.end(),
                         [](const auto& c) { return plain_target(*c); });
    return target.kind == ExprKind::name;
  }

  void top_level(Stmt& stmt, Scope& scope) {
    const auto before = faults_.size();
    statement(stmt, scope);
    const bool allowed =
        stmt.kind == StmtKind::import || stmt.kind == StmtKind::def || stmt.kind == StmtKind::pass ||
        (stmt.kind == StmtKind::assign && std::all_of(stmt.targets.begin(), stmt.targets.end(),
                                                      [](const auto& t) { return plain_target(*t); })) ||
        (stmt.kind == StmtKind::expression && stmt.value->kind == ExprKind::string);
    // A name error inside says more.
    if (!allowed && (stmt.kind != StmtKind::expression || faults_.size() == before))
      fault(ProgramErrorKind::forbidden, stmt.line, stmt.column,
            "only imports, functions and assignments of constants stand at module level");
  }

  void find_entry(std::string_view entry, Scope& scope) {
    const Stmt* found = nullptr;
    std::vector<std::string> defined;
    for (const auto& stmt : parts_.module.body) {
      if (stmt.kind != StmtKind::def) continue;
      defined.push_back(stmt.function->name);
      if (stmt.function->name == entry) found = &stmt;
    }
    if (found == nullptr) {
      if (faults_.empty())
        fault(ProgramErrorKind::signature, 1, 1,
              "the program defines no function " + std::string(entry) + "(self, action)",
              program_nearest(entry, defined));
      return;
    }
    parts_.entry = found->function.get();
    parts_.entry_slot = scope.slot(found->function->name);
    const auto& parameters = found->function->parameters;
    if (parameters.size() < 2 || parameters.size() > 3 || parameters[0].name != "self")
      fault(ProgramErrorKind::signature, found->line, found->column,
            "the parameters of " + std::string(entry) + " must be (self, action) or (self, action, obs)");
  }

  // --- statements ---

  void statements(std::vector<Stmt>& body, Scope& scope) {
    for (auto& stmt : body) statement(stmt, scope);
  }

  void statement(Stmt& stmt, Scope& scope) {
    if (stmt.kind == StmtKind::def) {
      stmt.slot = scope.slot(stmt.function->name);
      function(*stmt.function, scope);
      return;
    }
    if (stmt.value) expression(*stmt.value, scope);
    for (auto& target : stmt.targets) assigned(*target, scope);
    statements(stmt.body, scope);
    statements(stmt.otherwise, scope);
  }

  void function(FunctionSyntax& f, Scope& scope) {
    for (auto& parameter : f.parameters) {
      if (parameter.default_value) expression(*parameter.default_value, scope);
    }
    Scope inner{&f, &scope};
    for (const auto& parameter : f.parameters) {
      inner.slot(parameter.name);
      inner.has_self = inner.has_self || parameter.name == "self";
    }
    add_locals(f.body, inner);
    statements(f.body, inner);
    if (f.result) expression(*f.result, inner);
  }

  void assigned(Expr& target, Scope& scope) {
    switch (target.kind) {
      case ExprKind::name:
        local(target, scope);
        return;
      case ExprKind::tuple:
      case ExprKind::list:
        for (auto& child : target.children) assigned(*child, scope);
        return;
      case ExprKind::index:
        expression(target, scope);
        if (binding_below(target))
          fault(ProgramErrorKind::forbidden, target,
                "bindings cannot be written; copy the value to a local first");
        return;
      default:  // an attribute: forbidden by the parser
        return;
    }
  }

  static bool binding_below(const Expr& e) {
    if (e.name_kind == NameKind::binding) return true;
    return (e.kind == ExprKind::index || e.kind == ExprKind::attribute) && binding_below(*e.children[0]);
  }

  // --- expressions ---

  bool local(Expr& e, Scope& scope) {
    int hops = 0;
    for (Scope* s = &scope; s != nullptr; s = s->parent, ++hops) {
      const auto found = s->slots.find(e.text);
      if (found == s->slots.end()) continue;
      e.name_kind = NameKind::local;
      e.slot = found->second;
      e.hops = hops;
      return true;
    }
    return false;
  }

  static bool shadowed(std::string_view name, const Scope& scope) {
    for (const Scope* s = &scope; s != nullptr; s = s->parent) {
      if (s->slots.contains(name)) return true;
    }
    return false;
  }

  static bool self_here(const Scope& scope) {
    for (const Scope* s = &scope; s != nullptr; s = s->parent) {
      if (s->has_self) return true;
    }
    return false;
  }

  void name(Expr& e, Scope& scope, bool callee) {
    if (e.text == "self" && self_here(scope)) {
      e.name_kind = NameKind::self;
      return;
    }
    if (local(e, scope)) return;
    if (const auto alias = aliases_.find(e.text); alias != aliases_.end()) return library(e, alias->second);
    if (bindings_.contains(e.text)) return binding(e, e.text, callee);
    if (const auto* f = program::find_function(e.text)) {
      e.name_kind = NameKind::library;
      e.library = f;
      return;
    }
    unknown_name(e, scope);
  }

  void unknown_name(const Expr& e, const Scope& scope) {
    std::vector<std::string> legal = program::names_below("");
    for (const Scope* s = &scope; s != nullptr; s = s->parent)
      legal.insert(legal.end(), s->function->slots.begin(), s->function->slots.end());
    for (const auto& [alias, full] : aliases_) legal.push_back(alias);
    fault(ProgramErrorKind::name, e, "name '" + e.text.substr(0, 60) + "' is not defined",
          program_nearest(e.text, legal));
  }

  // A function, constant or module of the library by its full name.
  bool library_if(Expr& e, const std::string& full) {
    if (const auto* f = program::find_function(full)) {
      e.name_kind = NameKind::library;
      e.library = f;
    } else if (const auto* c = program::find_constant(full)) {
      e.name_kind = NameKind::constant;
      e.number = *c;
    } else if (full == "np.newaxis") {
      e.kind = ExprKind::none;
      e.children.clear();
    } else {
      return false;
    }
    return true;
  }

  void library(Expr& e, const std::string& full) {
    if (library_if(e, full)) return;
    fault(ProgramErrorKind::type, e, "the module " + full + " is not a value");
  }

  void binding(Expr& e, const std::string& path, bool callee) {
    e.name_kind = NameKind::binding;
    e.slot = bindings_.find(path)->second;
    const bool query = parts_.table[static_cast<size_t>(e.slot)].query;
    if (query && !callee) fault(ProgramErrorKind::type, e, path + " is a query: call it with parentheses");
    if (!query && callee) fault(ProgramErrorKind::type, e, path + " is a value and cannot be called");
  }

  // "self.gripper.position" for chains of attributes that start at a name; "" for other expressions. Modules
  // come with their full names.
  std::string path_of(const Expr& e, const Scope& scope) const {
    if (e.kind == ExprKind::name) {
      if (e.text == "self" && self_here(scope)) return "self";
      if (shadowed(e.text, scope)) return "";
      const auto alias = aliases_.find(e.text);
      if (alias != aliases_.end()) return program::is_module(alias->second) ? alias->second : "";
      return has_binding_root(e.text) ? e.text : "";
    }
    if (e.kind != ExprKind::attribute) return "";
    const auto base = path_of(*e.children[0], scope);
    return base.empty() ? "" : base + "." + e.text;
  }

  bool has_binding_root(const std::string& root) const {
    const auto found = bindings_.lower_bound(root + ".");
    return found != bindings_.end() && found->first.starts_with(root + ".");
  }

  // Whether something of its own stands at the path.
  bool known(const std::string& path) const {
    return bindings_.contains(path) || program::find_function(path) != nullptr ||
           program::find_constant(path) != nullptr;
  }

  void attribute(Expr& e, Scope& scope, bool callee) {
    const auto path = path_of(e, scope);
    if (!path.empty()) {
      const bool of_module = program::is_module(path.substr(0, path.find('.')));
      if (of_module && library_if(e, path)) return;
      if (of_module && program::is_module(path)) {
        fault(ProgramErrorKind::type, e, "the module " + path + " is not a value");
        return;
      }
      if (bindings_.contains(path)) return binding(e, path, callee);
      bool below = false;  // an attribute of a binding
      for (auto dot = path.find('.'); dot != std::string::npos && !below; dot = path.find('.', dot + 1))
        below = known(path.substr(0, dot));
      if (!below) return unknown_path(e, path, of_module);
    }
    expression(*e.children[0], scope);
    e.member = program::find_member(e.text);
    if (e.member == Member::none) {
      fault(ProgramErrorKind::name, e, "attribute '" + e.text.substr(0, 60) + "' is not available",
            program_nearest(e.text, program::member_names()));
    } else if (program::is_method(e.member) && !callee) {
      fault(ProgramErrorKind::type, e, "the method '" + e.text + "' must be called with parentheses");
    }
  }

  void unknown_path(const Expr& e, const std::string& path, bool of_module) {
    if (of_module) {
      auto module = path.substr(0, path.rfind('.'));
      while (!program::is_module(module)) module = module.substr(0, module.rfind('.'));
      fault(ProgramErrorKind::name, e, "'" + path.substr(0, 100) + "' is not available",
            program_nearest(path.substr(module.size() + 1), program::names_below(module)));
      return;
    }
    std::vector<std::string> legal;
    for (const auto& row : parts_.table) legal.push_back(row.path);
    fault(ProgramErrorKind::name, e, "there is no binding '" + path.substr(0, 100) + "'",
          program_nearest(path, legal));
  }

  void expression(Expr& e, Scope& scope, bool callee = false) {
    switch (e.kind) {
      case ExprKind::name:
        return name(e, scope, callee);
      case ExprKind::attribute:
        return attribute(e, scope, callee);
      case ExprKind::call:
        expression(*e.children[0], scope, /*callee=*/true);
        for (size_t i = 1; i < e.children.size(); ++i) expression(*e.children[i], scope);
        return;
      case ExprKind::lambda:
        return function(*e.function, scope);
      case ExprKind::comprehension:
        return comprehension(e, scope);
      default:
        for (auto& child : e.children) {
          if (child) expression(*child, scope);
        }
    }
  }

  // The first source belongs to the scope around, everything else to the comprehension's own.
  void comprehension(Expr& e, Scope& scope) {
    expression(*e.clauses[0].source, scope);
    Scope inner{e.function.get(), &scope};
    for (const auto& clause : e.clauses) add_targets(*clause.target, inner);
    for (size_t i = 0; i < e.clauses.size(); ++i) {
      if (i > 0) expression(*e.clauses[i].source, inner);
      assigned(*e.clauses[i].target, inner);
      for (auto& condition : e.clauses[i].conditions) expression(*condition, inner);
    }
    expression(*e.children[0], inner);
  }

  RewardProgram::Parts& parts_;
  ProgramFaults& faults_;
  std::map<std::string, int, std::less<>> bindings_;
  std::map<std::string, std::string, std::less<>> aliases_;
};

}  // namespace

void program_resolve(RewardProgram::Parts& parts, std::string_view entry, ProgramFaults& faults) {
  Resolver(parts, faults).run(entry);
}

}  // namespace plaudit
