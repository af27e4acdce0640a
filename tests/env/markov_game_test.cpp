#include "plaudit/env/markov_game.h"

#include "plaudit/env/quantal_response.h"
#include "plaudit/env/value_iteration.h"
#include "tests/env/random_mdp.h"

namespace plaudit {
namespace {

using namespace testing;

TEST(QuantalResponse, IsAFixedPointAtAnyTemperature) {
  for_draws(200, [] {
    const auto m = normal({integer(1, 5), integer(1, 5)}, 2);
    const double a = std::pow(10.0, uniform({}, -2, 1).item<double>()),
                 b = std::pow(10.0, uniform({}, -2, 1).item<double>());
    const auto r = quantal_response(m, a, b);
    expect_close(r.row, at::softmax(at::matmul(m, r.column) / a, 0), 1e-7);
    expect_close(r.column, at::softmax(-at::matmul(r.row, m) / b, 0), 1e-7);
    expect_close(r.value, r.row.dot(at::matmul(m, r.column)));
    // Swapping the players turns the payoff round.
    const auto turned = quantal_response(-m.t(), b, a);
    expect_close(turned.row, r.column, 1e-6);
    expect_close(turned.regularised_value, -r.regularised_value, 1e-6);
  });
}

// Payoffs of 1e3 to 1e7 temperatures: the fixed point within what rounding of M y / a allows, and no player
// could gain more than the entropies that the temperatures pay for.
TEST(QuantalResponse, IsAnEquilibriumOfAlmostRationalPlayers) {
  for_draws(600, [] {
    const int64_t rows = integer(1, 6), columns = integer(1, 6);
    auto m = normal({rows, columns}, 2);
    if (integer(0, 3) == 0) m = m.round();  // ties, equal rows and columns
    const double a = std::pow(10.0, uniform({}, -6, -2).item<double>()),
                 b = std::pow(10.0, uniform({}, -6, -2).item<double>());
    const auto r = quantal_response(m, a, b);
    const double rounding = 1e-13 / std::min(a, b) + 1e-9;
    expect_close(r.row, at::softmax(at::matmul(m, r.column) / a, 0), rounding);
    expect_close(r.column, at::softmax(-at::matmul(r.row, m) / b, 0), rounding);
    const double gain = (at::matmul(m, r.column).max() - at::matmul(r.row, m).min()).item<double>();
    EXPECT_LE(gain, a * std::log(rows) + b * std::log(columns) + 1e-9);
  });
}

// Equal rows share what one would get.
TEST(QuantalResponse, TreatsEqualRowsAlike) {
  for_draws(100, [] {
    const auto m = normal({3, 4}, 2);
    const auto twice = at::cat({m, m});
    const auto r = quantal_response(twice, 1e-4, 1e-3);
    expect_close(r.row.slice(0, 0, 3), r.row.slice(0, 3, 6), 1e-8);
    // log 2 more entropy for the row player, whatever the column player does.
    const auto once = quantal_response(m, 1e-4, 1e-3);
    expect_close(r.column, once.column, 1e-7);
    EXPECT_NEAR(r.regularised_value.item<double>(),
                once.regularised_value.item<double>() + 1e-4 * std::log(2), 1e-8);
  });
}

TEST(QuantalResponse, SolvesALargeGameAtALowTemperature) {
  for_draws(5, [] {
    const auto m = normal({30, 40});
    const auto r = quantal_response(m, 1e-5, 1e-5);
    expect_close(r.row, at::softmax(at::matmul(m, r.column) / 1e-5, 0), 1e-7);
    expect_close(r.column, at::softmax(-at::matmul(r.row, m) / 1e-5, 0), 1e-7);
  });
}

TEST(QuantalResponse, ReachesNashOfMatchingPennies) {
  const auto pennies = at::tensor({2.0, -1.0, -1.0, 1.0}, at::kDouble).view({2, 2});
  const auto r = quantal_response(pennies, 1e-4, 1e-4);
  EXPECT_NEAR(r.value.item<double>(), 0.2, 1e-3);
}

TEST(SoftMarkovGame, EqualsItsOwnEvaluation) {
  for_draws(40, [] {
    const int64_t s = integer(1, 4), a = integer(1, 3), b = integer(1, 3);
    const auto transition = at::softmax(normal({s, a, b, s}, 2), -1), reward = normal({s, a, b});
    const double gamma = uniform({}, 0, 0.97).item<double>(), hot = uniform({}, 0.05, 1).item<double>();
    const auto game = soft_markov_game(transition, reward, gamma, hot, 2 * hot);
    const auto v =
        markov_game_evaluation(transition, reward, game.protagonist, game.adversary, gamma, {hot, 2 * hot});
    expect_close(game.values, v.values, 1e-8);
    EXPECT_LE((robust_value(transition, reward, game.protagonist, gamma) -
               markov_game_evaluation(transition, reward, game.protagonist, game.adversary, gamma).values)
                  .max()
                  .item<double>(),
              1e-9);
  });
}

TEST(SoftMarkovGame, AnAdversaryWithoutAChoiceLeavesTheSoftMdp) {
  for_draws(40, [] {
    const auto m = RandomMdp::draw();
    const auto expected = (m.transition * m.reward).sum(-1);
    const auto game = soft_markov_game(m.transition.unsqueeze(2), expected.unsqueeze(2), m.gamma, 0.5, 1);
    expect_close(game.values,
                 soft_value_iteration(m.transition, m.reward, m.gamma, {.temperature = 0.5}).values, 1e-8);
  });
}

TEST(MarkovGame, ErrorsNameTheArgument) {
  expect_error(ErrorKind::value, "temperature_column", [] { quantal_response(at::ones({2, 2}), 1, 0); });
  expect_error(ErrorKind::value, "tabular.quantal_response: payoff", [] {
    quantal_response(at::tensor({1e9, -1.0, -1.0, 1.0}, at::kDouble).view({2, 2}), 1e-300, 1e-300);
  });
  expect_error(ErrorKind::shape, "reward", [] {
    soft_markov_game(at::ones({1, 1, 1, 1}), at::ones({1, 1, 2}), 0.9, 1, 1);
  });
}

}  // namespace
}  // namespace plaudit
