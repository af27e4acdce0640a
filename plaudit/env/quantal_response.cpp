#include "plaudit/env/quantal_response.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

using Vector = std::vector<double>;

// log softmax: the largest probabilities keep all their digits, however large the logits are.
Vector log_softmax(Vector logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const double x : logits) total += std::exp(x - top);
  for (double& x : logits) x -= top + std::log(total);
  return logits;
}

Vector exponentials(Vector x) {
  for (double& v : x) v = std::exp(v);
  return x;
}

void centre(Vector& x) {
  double mean = 0;
  for (const double v : x) mean += v;
  mean /= static_cast<double>(x.size());
  for (double& v : x) v -= mean;
}

double largest(const Vector& x) {
  double most = 0;
  for (const double v : x) most = std::isnan(v) ? v : std::max(most, std::abs(v));
  return most;
}

// Gaussian elimination with partial pivoting; `a` is n x n, row-major.
Vector solve(Vector a, Vector b) {
  const size_t n = b.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    std::swap_ranges(a.begin() + static_cast<long>(k * n), a.begin() + static_cast<long>((k + 1) * n),
                     a.begin() + static_cast<long>(pivot * n));
    std::swap(b[k], b[pivot]);
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
    b[k] /= a[k * n + k];
  }
  return b;
}

struct Temperatures {
  double row, column;
};

// Log-probabilities of both players. Both are unknowns of Newton's method: computing one from the other
// multiplies its rounding by payoff/temperature.
struct Play {
  Vector row, column;
};

// Newton's method on F = (log x - M y/a_row, log y + M^T x/a_column), each up to a constant.
class Game {
 public:
  Game(const double* payoff, int64_t rows, int64_t columns)
      : m_(payoff), rows_(static_cast<size_t>(rows)), columns_(static_cast<size_t>(columns)) {
    for (size_t i = 0; i < rows_ * columns_; ++i) scale_ = std::max(scale_, std::abs(m_[i]));
  }

  double scale() const { return scale_; }

  // M y / temperature.
  Vector row_logits(const Vector& y, double temperature) const {
    Vector out(rows_, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) out[i] += m_[i * columns_ + j] * y[j];
      out[i] /= temperature;
    }
    return out;
  }

  // -M^T x / temperature.
  Vector column_logits(const Vector& x, double temperature) const {
    Vector out(columns_, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) out[j] -= m_[i * columns_ + j] * x[i];
    }
    for (double& v : out) v /= temperature;
    return out;
  }

  // Moves `play` to the equilibrium; true when the residual fell to rounding.
  bool newton(Play& play, const Temperatures& t, int most_steps) const {
    auto f = residual(play, t);
    double error = size_of(f, t);
    for (int step = 0; step < most_steps && error > 2e-15; ++step) {
      const auto move = newton_step(play, f, t);
      bool better = false;
      for (double size = 1; size > 1e-9 && !better; size /= 2) {
        Play next = play;
        for (size_t i = 0; i < rows_; ++i) next.row[i] += size * move.row[i];
        for (size_t j = 0; j < columns_; ++j) next.column[j] += size * move.column[j];
        next = {log_softmax(std::move(next.row)), log_softmax(std::move(next.column))};
        auto trial = residual(next, t);
        const double now = size_of(trial, t);
        better = now < error;
        if (!better) continue;
        play = std::move(next);
        f = std::move(trial);
        error = now;
      }
      if (!better) break;
    }
    return error <= 1e-13;
  }

  double payoff_of(const Vector& x, const Vector& y) const {
    double value = 0;
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) value += x[i] * m_[i * columns_ + j] * y[j];
    }
    return value;
  }

 private:
  Play residual(const Play& play, const Temperatures& t) const {
    Play f{row_logits(exponentials(play.column), t.row), column_logits(exponentials(play.row), t.column)};
    for (size_t i = 0; i < rows_; ++i) f.row[i] = play.row[i] - f.row[i];
    for (size_t j = 0; j < columns_; ++j) f.column[j] = play.column[j] - f.column[j];
    centre(f.row);
    centre(f.column);
    return f;
  }

  // Relative to the logits that payoffs make.
  double size_of(const Play& f, const Temperatures& t) const {
    return std::max(largest(f.row) / (1 + scale_ / t.row), largest(f.column) / (1 + scale_ / t.column));
  }

  // The step as changes w, z of the probabilities over their square roots r, s, where the system is
  // [a_row I, -K; K^T, a_column I] with K = P_r diag(r) M diag(s) P_s, P projecting on what keeps the sum:
  // as well conditioned as the game, however small some probabilities are.
  Play newton_step(const Play& play, const Play& f, const Temperatures& t) const {
    const size_t n = rows_ + columns_;
    const Vector r = roots(play.row), s = roots(play.column);
    Vector k(rows_ * columns_);
    for (size_t i = 0; i < rows_; ++i) {
      double across = 0;  // along s
      for (size_t j = 0; j < columns_; ++j) across += r[i] * m_[i * columns_ + j] * s[j] * s[j];
      for (size_t j = 0; j < columns_; ++j)
        k[i * columns_ + j] = r[i] * m_[i * columns_ + j] * s[j] - across * s[j];
    }
    for (size_t j = 0; j < columns_; ++j) {
      double down = 0;  // along r
      for (size_t i = 0; i < rows_; ++i) down += r[i] * k[i * columns_ + j];
      for (size_t i = 0; i < rows_; ++i) k[i * columns_ + j] -= down * r[i];
    }
    Vector system(n * n, 0.0), right(n);
    for (size_t i = 0; i < rows_; ++i) {
      system[i * n + i] = t.row;
      right[i] = -t.row * r[i] * f.row[i];
      for (size_t j = 0; j < columns_; ++j) {
        system[i * n + rows_ + j] = -k[i * columns_ + j];
        system[(rows_ + j) * n + i] = k[i * columns_ + j];
      }
    }
    for (size_t j = 0; j < columns_; ++j) {
      system[(rows_ + j) * n + rows_ + j] = t.column;
      right[rows_ + j] = -t.column * s[j] * f.column[j];
    }
    project(right.data(), r);
    project(right.data() + rows_, s);
    auto change = solve(std::move(system), std::move(right));
    project(change.data(), r);
    project(change.data() + rows_, s);
    for (size_t i = 0; i < rows_; ++i) change[i] *= r[i];
    for (size_t j = 0; j < columns_; ++j) change[rows_ + j] *= s[j];
    const auto split = change.begin() + static_cast<long>(rows_);
    Play move{row_logits({split, change.end()}, t.row), column_logits({change.begin(), split}, t.column)};
    for (size_t i = 0; i < rows_; ++i) move.row[i] -= f.row[i];
    for (size_t j = 0; j < columns_; ++j) move.column[j] -= f.column[j];
    return move;
  }

  static Vector roots(Vector log_p) {
    for (double& v : log_p) v = std::exp(v / 2);
    return log_p;
  }

  // x - u (u^T x), u of length 1.
  static void project(double* x, const Vector& u) {
    double along = 0;
    for (size_t i = 0; i < u.size(); ++i) along += x[i] * u[i];
    for (size_t i = 0; i < u.size(); ++i) x[i] -= along * u[i];
  }

  const double* m_;
  size_t rows_, columns_;
  double scale_ = 0;
};

// Follows the equilibrium down from temperatures at which the game is nearly linear, four steps per e-fold to
// begin with; where the players change their minds, Newton's method asks for shorter ones.
bool cool_down(const Game& game, Play& play, const Temperatures& target) {
  const Temperatures hot{std::max(game.scale(), target.row), std::max(game.scale(), target.column)};
  const double folds = std::max(std::log(hot.row / target.row), std::log(hot.column / target.column));
  const auto at = [&](double part) {
    return part >= 1 ? target
                     : Temperatures{hot.row * std::pow(target.row / hot.row, part),
                                    hot.column * std::pow(target.column / hot.column, part)};
  };
  if (!game.newton(play, hot, 60)) return false;
  Temperatures now = hot;
  double part = 0, length = folds > 0 ? 0.25 / folds : 1;
  constexpr int most_steps = 1000;  // thirty e-folds take about 80
  for (int step = 0; part < 1 && step < most_steps; ++step) {
    const double next_part = std::min(1.0, part + length);
    const auto t = at(next_part);
    // Logits are payoffs over a temperature: scale the last ones as a first guess.
    Play next = play;
    for (double& x : next.row) x *= now.row / t.row;
    for (double& x : next.column) x *= now.column / t.column;
    next = {log_softmax(std::move(next.row)), log_softmax(std::move(next.column))};
    if (game.newton(next, t, 20)) {
      play = std::move(next);
      now = t;
      part = next_part;
      length *= 1.5;
    } else {
      length /= 3;
    }
  }
  return part >= 1;
}

double entropy_of(const Vector& p) {
  double h = 0;
  for (const double x : p) h -= x > 0 ? x * std::log(x) : 0;
  return h;
}

}  // namespace

GameSolution solve_game(const Check& check, std::string_view argument, const double* payoff, int64_t rows,
                        int64_t columns, double temperature_row, double temperature_column,
                        std::vector<double>& logits) {
  const Game game(payoff, rows, columns);
  const Temperatures t{temperature_row, temperature_column};
  Play play;
  bool found = false;
  if (!logits.empty()) {
    play.column = log_softmax(logits);
    play.row = log_softmax(game.row_logits(exponentials(play.column), t.row));
    found = game.newton(play, t, 60);
  }
  if (!found) {
    play = {log_softmax(Vector(static_cast<size_t>(rows), 0.0)),
            log_softmax(Vector(static_cast<size_t>(columns), 0.0))};
    found = cool_down(game, play, t);
  }
  if (!found) {
    check.refuse(ErrorKind::value, argument,
                 fmt::format("of up to {} is too far from the temperatures {} and {} for double precision",
                             game.scale(), temperature_row, temperature_column));
  }
  logits = play.column;
  GameSolution out{exponentials(play.row), exponentials(play.column), 0, 0};
  out.value = game.payoff_of(out.row, out.column);
  out.regularised_value =
      out.value + temperature_row * entropy_of(out.row) - temperature_column * entropy_of(out.column);
  return out;
}

QuantalResponse quantal_response(const Tensor& payoff, double temperature_row, double temperature_column) {
  const Check check("tabular.quantal_response");
  check_tables(check, {{"payoff", payoff, "AB"}});
  check.that(temperature_row > 0, "temperature_row", "> 0", temperature_row);
  check.that(temperature_column > 0, "temperature_column", "> 0", temperature_column);
  const auto m = on_cpu_f64(payoff);
  std::vector<double> logits;
  const auto solved = solve_game(check, "payoff", numbers_of(m), m.size(0), m.size(1), temperature_row,
                                 temperature_column, logits);
  return {at::tensor(solved.row, at::kDouble), at::tensor(solved.column, at::kDouble),
          at::scalar_tensor(solved.value, at::kDouble),
          at::scalar_tensor(solved.regularised_value, at::kDouble)};
}

PLAUDIT_FUNCTIONS(tabular, m) {
  m.def(
      "quantal_response(Tensor payoff, float temperature_row, float temperature_column) -> (Tensor row, "
      "Tensor "
      "column, Tensor value, Tensor regularised_value)",
      [](const Tensor& payoff, double row, double column) {
        return as_tuple(quantal_response(payoff, row, column));
      },
      "The entropy-regularised equilibrium of a zero-sum matrix game.", {"24"});
}

}  // namespace plaudit
