// The tree of a reward program. Chains of operators are one node, so the depth of a tree is bounded by
// nesting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace plaudit::program {

struct LibraryFunction;
struct FunctionSyntax;

enum class Op : uint8_t { add, sub, mul, div, floordiv, mod, pow, matmul, lt, le, gt, ge, eq, ne };
enum class Unary : uint8_t { plus, minus, negation };

// What a name stands for, once resolved.
enum class NameKind : uint8_t {
  unresolved,
  local,     // slot `slot`, `hops` environments up
  library,   // a builtin, np.x or math.x
  constant,  // np.pi
  module,    // np, math, ...
  binding,   // self.x of the table, row `slot`
  self
};

enum class ExprKind : uint8_t {
  number,
  string,
  none,
  boolean,
  name,
  attribute,
  call,
  index,
  slice,
  list,
  tuple,
  dict,
  comprehension,
  lambda,
  unary,
  binary,      // children and the operators between them, applied from the left
  comparison,  // chained
  conjunction,
  disjunction,
  conditional  // condition, then, else
};

// The methods and attributes of arrays.
enum class Member : uint8_t {
  none,
  sum,
  mean,
  min,
  max,
  std,
  dot,
  reshape,
  flatten,
  copy,
  astype,
  T,
  shape,
  size
};

struct Expr {
  ExprKind kind;
  int line;
  int column;
  std::string text = {};  // name, attribute or string
  double number = 0;      // number or boolean
  bool integer = false;   // a number without point or exponent
  Unary unary = Unary::plus;
  std::vector<std::unique_ptr<Expr>> children = {};  // a null child of a slice is an absent bound
  std::vector<Op> ops = {};
  std::vector<std::string> keywords = {};         // of the last arguments of a call
  std::shared_ptr<FunctionSyntax> function = {};  // lambda; comprehension: its scope
  struct Clause {                                 // for target in source if conditions
    std::unique_ptr<Expr> target;
    std::unique_ptr<Expr> source;
    std::vector<std::unique_ptr<Expr>> conditions;
  };
  std::vector<Clause> clauses = {};

  // Set by program_resolve.
  NameKind name_kind = NameKind::unresolved;
  Member member = Member::none;
  int slot = 0;
  int hops = 0;
  const LibraryFunction* library = nullptr;
};
using ExprPtr = std::unique_ptr<Expr>;

enum class StmtKind : uint8_t {
  expression,
  assign,
  augmented,
  branch,
  loop,
  break_,
  continue_,
  pass,
  return_,
  def,
  import
};

struct Stmt {
  StmtKind kind;
  int line;
  int column;
  Op op = Op::add;
  std::vector<ExprPtr> targets = {};  // assign: from the left; augmented and loop: one
  ExprPtr value = {};                 // assigned or returned value, iterated value, condition
  std::vector<Stmt> body = {};
  std::vector<Stmt> otherwise = {};
  std::shared_ptr<FunctionSyntax> function = {};  // def
  int slot = 0;                                   // def: of its name, set by program_resolve
  struct Import {
    std::string module;  // "numpy"
    std::string name;    // from module import name
    std::string alias;
    bool from;
  };
  std::vector<Import> imports = {};
};

struct Parameter {
  std::string name;
  int line;
  int column;
  ExprPtr default_value;
};

// A function, a lambda (`result` instead of `body`) or the scope of a comprehension (neither).
struct FunctionSyntax {
  std::string name;
  int line = 0;
  int column = 0;
  std::vector<Parameter> parameters = {};
  std::vector<Stmt> body = {};
  ExprPtr result = {};
  std::vector<std::string> slots = {};  // names of the locals, parameters first
};

// How Python writes an operator.
const char* program_op_text(Op op);

}  // namespace plaudit::program
