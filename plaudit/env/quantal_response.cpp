#include "plaudit/env/quantal_response.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

using Vector = std::vector<double>;

Vector softmax(const Vector& logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  Vector p(logits.size());
  double total = 0;
  for (size_t i = 0; i < p.size(); ++i) total += p[i] = std::exp(logits[i] - top);
  for (double& x : p) x /= total;
  return p;
}

void centre(Vector& x) {
  double mean = 0;
  for (const double v : x) mean += v;
  mean /= static_cast<double>(x.size());
  for (double& v : x) v -= mean;
}

double largest(const Vector& x) {
  double most = 0;
  for (const double v : x) most = std::max(most, std::abs(v));
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

// Newton's method on the column player's logits l: F(l) = l + M^T softmax(M softmax(l)/a_row)/a_column,
// centred.
class Game {
 public:
  Game(const double* payoff, int64_t rows, int64_t columns)
      : m_(payoff), rows_(static_cast<size_t>(rows)), columns_(static_cast<size_t>(columns)) {}

  double scale() const {
    double most = 0;
    for (size_t i = 0; i < rows_ * columns_; ++i) most = std::max(most, std::abs(m_[i]));
    return most;
  }

  Vector row_of(const Vector& column, double temperature) const {
    Vector logits(rows_, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) logits[i] += m_[i * columns_ + j] * column[j] / temperature;
    }
    return softmax(logits);
  }

  Vector residual(const Vector& l, double row_temperature, double column_temperature) const {
    const auto x = row_of(softmax(l), row_temperature);
    Vector f(columns_, 0.0);
    for (size_t j = 0; j < columns_; ++j) {
      for (size_t i = 0; i < rows_; ++i) f[j] += m_[i * columns_ + j] * x[i] / column_temperature;
    }
    centre(f);
    for (size_t j = 0; j < columns_; ++j) f[j] += l[j];
    return f;
  }

  // True when the residual fell to rounding.
  bool newton(Vector& l, double row_temperature, double column_temperature) const {
    centre(l);
    auto f = residual(l, row_temperature, column_temperature);
    double error = largest(f);
    for (int step = 0; step < 60; ++step) {
      const double done = 1e-13 * (1 + largest(l));
      if (error <= done) return true;
      auto move = solve(jacobian(l, row_temperature, column_temperature), f);
      centre(move);
      bool better = false;
      for (double size = 1; size > 1e-9 && !better; size /= 2) {
        Vector next(columns_);
        for (size_t j = 0; j < columns_; ++j) next[j] = l[j] - size * move[j];
        auto trial = residual(next, row_temperature, column_temperature);
        const double now = largest(trial);
        if (now < error) {
          l = std::move(next);
          f = std::move(trial);
          error = now;
          better = true;
        }
      }
      if (!better) break;
    }
    return error <= 1e-10 * (1 + largest(l));
  }

  double payoff_of(const Vector& x, const Vector& y) const {
    double value = 0;
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) value += x[i] * m_[i * columns_ + j] * y[j];
    }
    return value;
  }

 private:
  // I + C M^T Jx M Jy, Jx = (diag x - x x^T)/a_row, Jy = (diag y - y y^T)/a_column, C the centring.
  Vector jacobian(const Vector& l, double row_temperature, double column_temperature) const {
    const auto y = softmax(l), x = row_of(y, row_temperature);
    Vector mj(rows_ * columns_);  // M Jy
    for (size_t i = 0; i < rows_; ++i) {
      double mean = 0;
      for (size_t j = 0; j < columns_; ++j) mean += m_[i * columns_ + j] * y[j];
      for (size_t j = 0; j < columns_; ++j)
        mj[i * columns_ + j] = y[j] * (m_[i * columns_ + j] - mean) / column_temperature;
    }
    Vector mean(columns_, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) mean[j] += x[i] * mj[i * columns_ + j];
    }
    Vector out(columns_ * columns_, 0.0);
    for (size_t i = 0; i < rows_; ++i) {
      for (size_t j = 0; j < columns_; ++j) {
        const double weighted = x[i] * (mj[i * columns_ + j] - mean[j]) / row_temperature;
        for (size_t k = 0; k < columns_; ++k) out[k * columns_ + j] += m_[i * columns_ + k] * weighted;
      }
    }
    for (size_t j = 0; j < columns_; ++j) {
      double centre_of = 0;
      for (size_t k = 0; k < columns_; ++k) centre_of += out[k * columns_ + j];
      centre_of /= static_cast<double>(columns_);
      for (size_t k = 0; k < columns_; ++k) out[k * columns_ + j] -= centre_of;
      out[j * columns_ + j] += 1;
    }
    return out;
  }

  const double* m_;
  size_t rows_, columns_;
};

double entropy(const Vector& p) {
  double h = 0;
  for (const double x : p) h -= x > 0 ? x * std::log(x) : 0;
  return h;
}

}  // namespace

GameSolution solve_game(const double* payoff, int64_t rows, int64_t columns, double temperature_row,
                        double temperature_column, std::vector<double>& logits) {
  const Game game(payoff, rows, columns);
  auto l = logits;
  const bool warm = !l.empty() && game.newton(l, temperature_row, temperature_column);
  if (!warm) {
    l.assign(static_cast<size_t>(columns), 0.0);
    // About four steps per e-fold, from temperatures at which the game is nearly linear.
    const double hot_row = std::max(game.scale(), temperature_row);
    const double hot_column = std::max(game.scale(), temperature_column);
    const double folds =
        std::max(std::log(hot_row / temperature_row), std::log(hot_column / temperature_column));
    const int steps = static_cast<int>(std::ceil(4 * folds));
    double before = 1;
    for (int i = 0; i <= steps; ++i) {
      const double left = steps ? static_cast<double>(steps - i) / steps : 0;
      const double a_row = temperature_row * std::pow(hot_row / temperature_row, left);
      const double a_column = temperature_column * std::pow(hot_column / temperature_column, left);
      // Logits are payoffs over a temperature: scale the last ones as a first guess.
      if (i > 0) {
        for (double& x : l) x *= before / a_column;
      }
      before = a_column;
      game.newton(l, a_row, a_column);
    }
  }
  logits = l;
  GameSolution out{{}, softmax(l), 0, 0};
  out.row = game.row_of(out.column, temperature_row);
  out.value = game.payoff_of(out.row, out.column);
  out.regularised_value =
      out.value + temperature_row * entropy(out.row) - temperature_column * entropy(out.column);
  return out;
}

QuantalResponse quantal_response(const Tensor& payoff, double temperature_row, double temperature_column) {
  const Check check("tabular.quantal_response");
  check_tables(check, {{"payoff", payoff, "AB"}});
  check.that(temperature_row > 0, "temperature_row", "> 0", temperature_row);
  check.that(temperature_column > 0, "temperature_column", "> 0", temperature_column);
  const auto m = table(payoff);
  std::vector<double> logits;
  const auto solved =
      solve_game(numbers_of(m), m.size(0), m.size(1), temperature_row, temperature_column, logits);
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
