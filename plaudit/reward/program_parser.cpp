// Statements of reward programs.
#include "plaudit/reward/program_parser.h"

#include <utility>

#include "plaudit/reward/program_cursor.h"

namespace plaudit::program {
namespace {

class Parser {
 public:
  Parser(std::string_view source, ProgramFaults& forbidden) : c_(source, forbidden) {}

  std::vector<Stmt> run() {
    std::vector<Stmt> out;
    while (!c_.at_kind(TokenKind::end)) {
      if (c_.at_kind(TokenKind::indent)) c_.fail("unexpected indent");
      if (c_.at_kind(TokenKind::newline)) {
        c_.next();
        continue;
      }
      statement(out);
    }
    return out;
  }

 private:
  static Stmt make(StmtKind kind, const Token& at) { return Stmt{kind, at.line, at.column}; }

  void statement(std::vector<Stmt>& out) {
    const Token at = c_.peek();
    if (at.kind == TokenKind::name) {
      if (at.text == "if") return out.push_back(branch());
      if (at.text == "for") return out.push_back(loop());
      if (at.text == "def") return out.push_back(definition());
      if (at.text == "while" || at.text == "with" || at.text == "class" || at.text == "try" ||
          at.text == "async")
        return compound(out);
    }
    if (at_match()) return skip_match();
    if (c_.at_op("@")) return decorated(out);
    for (;;) {
      simple(out);
      if (!c_.take_op(";")) break;
      if (c_.at_kind(TokenKind::newline)) break;
    }
    if (c_.at_kind(TokenKind::end)) return;
    if (!c_.at_kind(TokenKind::newline)) c_.fail();
    c_.next();
  }

  std::vector<Stmt> block(const char* after, int line) {
    std::vector<Stmt> out;
    c_.expect_op(":");
    if (!c_.at_kind(TokenKind::newline)) {  // on the same line
      for (;;) {
        simple(out);
        if (!c_.take_op(";") || c_.at_kind(TokenKind::newline)) break;
      }
      if (!c_.at_kind(TokenKind::newline)) c_.fail();
      c_.next();
      return out;
    }
    c_.next();
    if (!c_.at_kind(TokenKind::indent))
      c_.fail(std::string("expected an indented block after ") + after + " on line " + std::to_string(line));
    c_.next();
    while (!c_.at_kind(TokenKind::dedent)) {
      if (c_.at_kind(TokenKind::indent)) c_.fail("unexpected indent");
      if (c_.at_kind(TokenKind::end)) break;
      statement(out);
    }
    c_.next();
    return out;
  }

  // `otherwise` holds the elifs in order, then the else, which has no condition: a long ladder does not nest.
  Stmt branch() {
    const auto at = c_.next();
    Stmt out = make(StmtKind::branch, at);
    out.value = condition();
    out.body = block("'if' statement", at.line);
    while (c_.at_word("elif")) {
      const auto elif = c_.next();
      Stmt next = make(StmtKind::branch, elif);
      next.value = condition();
      next.body = block("'elif' statement", elif.line);
      out.otherwise.push_back(std::move(next));
    }
    if (c_.at_word("else")) {
      const auto otherwise = c_.next();
      Stmt last = make(StmtKind::branch, otherwise);
      last.body = block("'else' statement", otherwise.line);
      out.otherwise.push_back(std::move(last));
    }
    return out;
  }

  ExprPtr condition() {
    auto out = parse_expression(c_);
    if (c_.at_op(":=")) {
      c_.forbid(c_.next(), "the operator := is not allowed");
      out = parse_expression(c_);
    }
    return out;
  }

  Stmt loop() {
    const auto at = c_.next();
    Stmt out = make(StmtKind::loop, at);
    out.targets.push_back(parse_target_list(c_));
    check_target(c_, *out.targets[0], false);
    c_.expect_word("in");
    out.value = parse_expression_list(c_);
    const bool outer = std::exchange(in_loop_, true);
    out.body = block("'for' statement", at.line);
    in_loop_ = outer;
    if (c_.at_word("else")) {
      const auto otherwise = c_.next();
      c_.forbid(otherwise, "else after a loop is not allowed");
      block("'else' statement", otherwise.line);
    }
    return out;
  }

  Stmt definition() {
    const auto at = c_.next();
    Stmt out = make(StmtKind::def, at);
    if (in_function_) c_.forbid(at, "functions are defined at module level only");
    out.function = std::make_shared<FunctionSyntax>();
    auto& function = *out.function;
    function.line = at.line;
    function.column = at.column;
    function.name = c_.expect_name().text;
    c_.expect_op("(");
    function.parameters = parse_parameters(c_, ")", /*annotated=*/true);
    c_.expect_op(")");
    if (c_.take_op("->")) parse_expression(c_);
    const bool outer = std::exchange(in_function_, true), outer_loop = std::exchange(in_loop_, false);
    function.body = block("function definition", at.line);
    in_function_ = outer;
    in_loop_ = outer_loop;
    return out;
  }

  void decorated(std::vector<Stmt>& out) {
    c_.forbid(c_.peek(), "decorators are not allowed");
    while (c_.take_op("@")) {
      parse_expression(c_);
      if (!c_.at_kind(TokenKind::newline)) c_.fail();
      c_.next();
    }
    if (!c_.at_word("def") && !c_.at_word("class") && !c_.at_word("async")) c_.fail();
    statement(out);
  }

  // Statements of Python that are not of the language: their parts are parsed for syntax, then dropped.
  void compound(std::vector<Stmt>& out) {
    const auto at = c_.next();
    c_.forbid(at, "'" + at.text + "' is not allowed");
    if (at.text == "async") {
      if (!c_.at_word("def") && !c_.at_word("for") && !c_.at_word("with")) c_.fail();
      return statement(out);
    }
    if (at.text == "while") {
      condition();
      const bool outer = std::exchange(in_loop_, true);
      block("'while' statement", at.line);
      in_loop_ = outer;
      if (c_.take_word("else")) block("'else' statement", at.line);
    } else if (at.text == "with") {
      do {
        parse_expression(c_);
        if (c_.take_word("as")) parse_target(c_);
      } while (c_.take_op(","));
      block("'with' statement", at.line);
    } else if (at.text == "class") {
      c_.expect_name();
      if (c_.at_op("(")) parse_expression(c_);
      const bool outer = std::exchange(in_function_, false);
      block("class definition", at.line);
      in_function_ = outer;
    } else {
      attempt(at.line);
    }
  }

  // `match` is a name like any other but before an expression, a colon and a block that begins with `case`.
  bool at_match() const {
    if (!c_.at_word("match")) return false;
    size_t end = 1;
    while (c_.peek(end).kind != TokenKind::newline && c_.peek(end).kind != TokenKind::end) ++end;
    const auto &colon = c_.peek(end - 1), &first = c_.peek(end + 2);
    return end > 2 && c_.peek(end).kind == TokenKind::newline && colon.kind == TokenKind::op &&
           colon.text == ":" && c_.peek(end + 1).kind == TokenKind::indent && first.kind == TokenKind::name &&
           first.text == "case";
  }

  // Patterns are a language of their own: what belongs to the statement is passed over.
  void skip_match() {
    c_.forbid(c_.peek(), "'match' is not allowed");
    while (!c_.at_kind(TokenKind::indent)) c_.next();
    int depth = 0;
    do {
      const auto kind = c_.next().kind;
      depth += kind == TokenKind::indent ? 1 : kind == TokenKind::dedent ? -1 : 0;
    } while (depth > 0);
  }

  static void parse_target(ProgramCursor& c) { check_target(c, *parse_expression(c), false); }

  void attempt(int line) {
    block("'try' statement", line);
    bool handled = false;
    while (c_.at_word("except")) {
      const auto at = c_.next();
      c_.take_op("*");
      if (!c_.at_op(":")) {
        parse_expression_list(c_);
        if (c_.take_word("as")) c_.expect_name();
      }
      block("'except' statement", at.line);
      handled = true;
    }
    if (handled && c_.take_word("else")) block("'else' statement", line);
    if (c_.take_word("finally")) {
      block("'finally' statement", line);
      handled = true;
    }
    if (!handled) c_.fail("expected 'except' or 'finally' block");
  }

  bool at_statement_end() const {
    return c_.at_kind(TokenKind::newline) || c_.at_op(";") || c_.at_kind(TokenKind::end);
  }

  void simple(std::vector<Stmt>& out) {
    const Token at = c_.peek();
    if (at.kind == TokenKind::name) {
      const auto& word = at.text;
      if (word == "pass") return out.push_back(make(StmtKind::pass, c_.next()));
      if (word == "break" || word == "continue") {
        if (!in_loop_) c_.fail("'" + word + "' outside loop");
        return out.push_back(make(word == "break" ? StmtKind::break_ : StmtKind::continue_, c_.next()));
      }
      if (word == "return") {
        if (!in_function_) c_.fail("'return' outside function");
        Stmt stmt = make(StmtKind::return_, c_.next());
        if (!at_statement_end()) stmt.value = parse_expression_list(c_);
        return out.push_back(std::move(stmt));
      }
      if (word == "import" || word == "from") return out.push_back(import());
      if (word == "del" || word == "assert" || word == "raise" || word == "global" || word == "nonlocal" ||
          word == "yield")
        return outside(at);
    }
    expression(out, at);
  }

  void outside(const Token& at) {
    c_.next();
    c_.forbid(at, "'" + at.text + "' is not allowed");
    if (at.text == "yield") c_.take_word("from");
    if (at_statement_end()) {
      if (at.text != "raise" && at.text != "yield") c_.fail();
      return;
    }
    parse_expression_list(c_);
    if (at.text == "raise" && c_.take_word("from")) parse_expression(c_);
  }

  void expression(std::vector<Stmt>& out, const Token& at) {
    static const std::pair<std::string_view, Op> augmented[] = {
        {"+=", Op::add},       {"-=", Op::sub}, {"*=", Op::mul},  {"/=", Op::div},
        {"//=", Op::floordiv}, {"%=", Op::mod}, {"**=", Op::pow}, {"@=", Op::matmul}};
    auto first = parse_expression_list(c_);
    for (const auto& [text, op] : augmented) {
      if (!c_.at_op(text)) continue;
      check_target(c_, *first, /*augmented=*/true);
      c_.next();
      Stmt stmt = make(StmtKind::augmented, at);
      stmt.op = op;
      stmt.targets.push_back(std::move(first));
      stmt.value = parse_expression_list(c_);
      return out.push_back(std::move(stmt));
    }
    if (c_.at_any_op({"&=", "|=", "^=", "<<=", ">>="})) {
      check_target(c_, *first, true);
      c_.forbid(at, "the operator " + c_.next().text + " is not allowed");
      parse_expression_list(c_);
      return;
    }
    if (c_.at_op(":")) {  // x: float = 1.0
      check_target(c_, *first, true);
      c_.forbid(at, "annotations of variables are not allowed");
      c_.next();
      parse_expression(c_);
      if (!c_.take_op("=")) return;
      Stmt stmt = make(StmtKind::assign, at);
      stmt.targets.push_back(std::move(first));
      stmt.value = parse_expression_list(c_);
      return out.push_back(std::move(stmt));
    }
    Stmt stmt = make(c_.at_op("=") ? StmtKind::assign : StmtKind::expression, at);
    while (c_.take_op("=")) {
      check_target(c_, *first, false);
      stmt.targets.push_back(std::move(first));
      first = parse_expression_list(c_);
    }
    stmt.value = std::move(first);
    out.push_back(std::move(stmt));
  }

  std::string dotted() {
    std::string out = c_.expect_name().text;
    while (c_.take_op(".")) out += "." + c_.expect_name().text;
    return out;
  }

  Stmt import() {
    const auto at = c_.next();
    Stmt out = make(StmtKind::import, at);
    if (in_function_) c_.forbid(at, "imports stand at module level");
    if (at.text == "import") {
      do {
        Stmt::Import entry{dotted(), "", "", false};
        if (c_.take_word("as")) entry.alias = c_.expect_name().text;
        out.imports.push_back(std::move(entry));
      } while (c_.take_op(","));
      return out;
    }
    std::string module;
    while (c_.at_op(".") || c_.at_op("...")) module += c_.next().text;  // relative
    if (module.empty() || !c_.at_word("import")) module += dotted();
    c_.expect_word("import");
    if (c_.take_op("*")) {
      out.imports.push_back({module, "*", "", true});
      return out;
    }
    const bool parenthesis = c_.take_op("(");
    do {
      if (parenthesis && c_.at_op(")")) break;
      Stmt::Import entry{module, c_.expect_name().text, "", true};
      if (c_.take_word("as")) entry.alias = c_.expect_name().text;
      out.imports.push_back(std::move(entry));
    } while (c_.take_op(","));
    if (parenthesis) c_.expect_op(")");
    if (out.imports.empty()) c_.fail();
    return out;
  }

  ProgramCursor c_;
  bool in_loop_ = false;
  bool in_function_ = false;
};

}  // namespace

std::vector<Stmt> program_parse(std::string_view source, ProgramFaults& forbidden) {
  return Parser(source, forbidden).run();
}

}  // namespace plaudit::program
