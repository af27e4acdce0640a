// fuzz_programs SECONDS SEED CASES.json...: mutates the reward programs of numeric cases for a while, by
// their grammar, and checks that every one ends in a value or a named error within its limits.
//
// Prints executions, kinds and findings; exit code 1 with findings. A crash or a hang (5 s) prints the
// program that was running.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "plaudit/core/files.h"
#include "plaudit/reward/program_states.h"

namespace {

using namespace plaudit;
using Tokens = std::vector<std::string>;

std::string running;

void show_running(int signal) {
  const char* what = signal == SIGALRM ? "HANG\n" : "CRASH\n";
  (void)!write(2, what, std::strlen(what));
  (void)!write(2, running.data(), running.size());
  _exit(1);
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

// Words, strings, line starts with their indentation, and single characters.
Tokens tokens_of(const std::string& text) {
  Tokens out;
  for (size_t i = 0; i < text.size();) {
    size_t j = i + 1;
    if (is_word(text[i])) {
      while (j < text.size() && is_word(text[j])) ++j;
    } else if (text[i] == '\n' || text[i] == ' ') {
      while (j < text.size() && text[j] == ' ') ++j;
    } else if (text[i] == '"' || text[i] == '\'') {
      while (j < text.size() && text[j] != text[i] && text[j] != '\n') ++j;
      j = std::min(j + 1, text.size());
    }
    out.push_back(text.substr(i, j - i));
    i = j;
  }
  return out;
}

std::string joined(const Tokens& tokens) {
  std::string out;
  for (const auto& token : tokens) out += token;
  return out;
}

class Mutator {
 public:
  Mutator(std::vector<Tokens> corpus, uint64_t seed) : corpus_(std::move(corpus)), random_(seed) {
    for (const auto& program : corpus_) pool_.insert(pool_.end(), program.begin(), program.end());
    for (const char* extra : {"0",
                              "-1",
                              "1e308",
                              "1e-320",
                              "9007199254740993",
                              "65537",
                              "0.0",
                              "True",
                              "None",
                              "np.nan",
                              "np.inf",
                              "[]",
                              "()",
                              "{}",
                              "self",
                              "action",
                              "np.zeros((0, 3))",
                              "np.zeros(0)",
                              "np.newaxis",
                              "range(5)",
                              "lambda x: x",
                              " if ",
                              " else ",
                              " for i in ",
                              " and ",
                              " not ",
                              "[::-1]",
                              "[-1]",
                              ".T",
                              ".reshape(-1)",
                              "**",
                              "//",
                              "@",
                              "%",
                              "==",
                              "<=",
                              "axis=1",
                              "keepdims=True",
                              "np.cross(",
                              "np.linalg.norm(",
                              "cdist("})
      pool_.push_back(extra);
  }

  std::string draw() {
    auto program = corpus_[below(corpus_.size())];
    for (size_t n = 1 + below(4); n-- > 0 && !program.empty();) change(program);
    return joined(program);
  }

 private:
  using Range = std::pair<size_t, size_t>;

  size_t below(size_t n) { return random_() % n; }

  // A bracketed expression with its brackets, or one token.
  Range span_of(const Tokens& program) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const size_t at = below(program.size());
      if (program[at] != "(" && program[at] != "[" && program[at] != "{") continue;
      int depth = 0;
      for (size_t i = at; i < program.size(); ++i) {
        depth += program[i] == "(" || program[i] == "[" || program[i] == "{";
        depth -= program[i] == ")" || program[i] == "]" || program[i] == "}";
        if (depth == 0) return {at, i + 1};
      }
    }
    const size_t at = below(program.size());
    return {at, at + 1};
  }

  Range line_of(const Tokens& program) {
    const size_t at = below(program.size());
    size_t first = at, last = at;
    while (first > 0 && program[first][0] != '\n') --first;
    while (last < program.size() && (last == at || program[last][0] != '\n')) ++last;
    return {first, last};
  }

  static Tokens cut(const Tokens& program, Range r) {
    return {program.begin() + static_cast<long>(r.first), program.begin() + static_cast<long>(r.second)};
  }

  static void put(Tokens& program, Range r, const Tokens& part) {
    program.erase(program.begin() + static_cast<long>(r.first),
                  program.begin() + static_cast<long>(r.second));
    program.insert(program.begin() + static_cast<long>(r.first), part.begin(), part.end());
  }

  void change(Tokens& program) {
    const auto& other = corpus_[below(corpus_.size())];
    switch (below(8)) {
      case 0:  // an expression of another program
        put(program, span_of(program), cut(other, span_of(other)));
        break;
      case 1:  // one of its own
        put(program, span_of(program), cut(program, span_of(program)));
        break;
      case 2: {  // a line of another program
        const size_t at = line_of(program).first;
        put(program, {at, at}, cut(other, line_of(other)));
        break;
      }
      case 3:
        put(program, line_of(program), {});
        break;
      case 4: {  // a line twice
        const auto line = line_of(program);
        put(program, {line.first, line.first}, cut(program, line));
        break;
      }
      case 5: {
        const size_t at = below(program.size() + 1);
        put(program, {at, at}, {pool_[below(pool_.size())]});
        break;
      }
      default: {
        const size_t at = below(program.size());
        put(program, {at, at + 1}, {pool_[below(pool_.size())]});
      }
    }
  }

  std::vector<Tokens> corpus_;
  Tokens pool_;
  std::mt19937_64 random_;
};

std::string finding(const RewardOut& out, const ProgramError& error, double seconds) {
  if (error && (error.line < 1 || error.column < 1)) return "an error without a place";
  if (error && error.message.empty()) return "an error without a message";
  if (!error && !std::isfinite(out.reward)) return "a reward that is not finite";
  if (out.peak_bytes > size_t{4} << 20) return "more than 4 MiB";
  if (out.fuel_used > 20'000 + 66'000) return fmt::format("{} of 20000 steps", out.fuel_used);
  if (seconds > 0.5) return fmt::format("{:.2f} s", seconds);
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: fuzz_programs SECONDS SEED CASES.json...\n");
    return 2;
  }
  std::vector<Tokens> corpus;
  Json bindings = Json::object();
  for (int i = 3; i < argc; ++i) {
    const auto cases = read_json(argv[i]);
    for (const auto& one : cases["cases"]) {
      if (!one.contains("inputs") || !one["inputs"].contains("source")) continue;
      const auto source = one["inputs"]["source"].get<std::string>();
      if (source.size() < 4000) corpus.push_back(tokens_of(source));
      if (one["inputs"].contains("bindings") && one["inputs"]["bindings"].is_object())
        bindings.update(one["inputs"]["bindings"]);
    }
  }
  if (corpus.empty()) {
    fmt::print(stderr, "no programs in the cases\n");
    return 2;
  }
  const auto shown = example_bindings(Check("fuzz_programs"), bindings);
  const std::vector<double> action = {0.1, -0.2, 0.7};
  for (const int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM})
    std::signal(signal, show_running);
  Mutator mutator(corpus, std::strtoull(argv[2], nullptr, 10));
  std::map<std::string, int64_t> kinds;
  int64_t executions = 0, findings = 0;
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const auto start = Clock::now();
  while (since(start) < std::atof(argv[1])) {
    running = mutator.draw();
    alarm(5);
    const auto begin = Clock::now();
    const auto compiled = RewardProgram::compile(running, shown.table);
    RewardOut out;
    if (compiled.program) compiled.program->eval({.state = &shown.given}, action, out, {20'000, 0});
    const auto& error = compiled.program ? out.error : compiled.error;
    const auto found = finding(out, error, since(begin));
    ++kinds[std::string(to_string(error.kind))];
    ++executions;
    if (found.empty()) continue;
    if (++findings <= 5) fmt::print("FINDING: {}\n{}\n---\n{}\n---\n", found, running, error.text());
  }
  alarm(0);
  fmt::print("{} programs from {} seeds, {} findings\n", executions, corpus.size(), findings);
  for (const auto& [kind, n] : kinds) fmt::print("  {:10} {}\n", kind, n);
  return findings > 0 ? 1 : 0;
}
