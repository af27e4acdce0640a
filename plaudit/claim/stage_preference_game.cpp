// A game of six answers whose preferences run in a circle: rounds of direct Nash optimisation, or a reward
// that ranks them.
#include <ATen/ATen.h>

#include "plaudit/claim/table_draws.h"
#include "plaudit/claim/table_training.h"
#include "plaudit/objective/dno.h"
#include "plaudit/objective/preference_bradley_terry.h"
#include "plaudit/objective/preference_game.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

struct PreferenceGameOptions {
  std::string method = "dno";        // or bradley-terry
  std::string reference = "newest";  // or first
  int64_t rounds = 50, judgements = 64, pairs = 512, steps = 60;
  double eta = 0.3, uniform_share = 0.1, learning_rate = 0.1;
  std::vector<double> betas = {3, 1, 0.5, 0.3, 0.2, 0.1, 0.03};
};

}  // namespace

template <>
void describe(OptionTable<PreferenceGameOptions>& t) {
  using O = PreferenceGameOptions;
  t.field("method", &O::method, "rounds of DNO, or Bradley-Terry scores", one_of({"dno", "bradley-terry"}));
  t.field("reference", &O::reference, "of DNO: the newest policy or the first", one_of({"newest", "first"}));
  t.field("rounds", &O::rounds, "of DNO", at_least(1));
  t.field("judgements", &O::judgements, "of each answer in a round", at_least(1));
  t.field("pairs", &O::pairs, "of a round", at_least(1));
  t.field("steps", &O::steps, "updates of a round", at_least(1));
  t.field("eta", &O::eta, "strength of the pull to the reference", greater_than(0));
  t.field("uniform_share", &O::uniform_share, "of pairs drawn from all answers alike", between(0, 1));
  t.field("learning_rate", &O::learning_rate, "of Adam", greater_than(0));
  t.field("betas", &O::betas, "of bradley-terry: softmax(score/beta), the best counts", greater_than(0));
}

namespace {

constexpr int64_t kGameAnswers = 6, kStrong = 3;

at::Tensor draw_game(Rng rng) {
  auto out = at::full({kGameAnswers, kGameAnswers}, 0.5, at::kDouble);
  const auto set = [&](int64_t i, int64_t j, double p) {
    out[i][j].fill_(p);
    out[j][i].fill_(1 - p);
  };
  set(0, 1, 0.95);
  set(1, 2, 0.65);
  set(2, 0, 0.8);
  for (int64_t i = 0; i < kGameAnswers; ++i)
    for (int64_t j = std::max(i + 1, kStrong); j < kGameAnswers; ++j)
      set(i, j, i < kStrong ? 0.6 + 0.3 * rng.uniform() : 0.4 + 0.2 * rng.uniform());
  return out;
}

// The share of `judgements` single ones against draws of `policy` that each answer wins, [A].
at::Tensor judged_rewards(const at::Tensor& game, const at::Tensor& policy, int64_t judgements, Rng& rng) {
  const auto opponents = draw_rows(policy.expand({kGameAnswers * judgements, kGameAnswers}), rng);
  const auto own = at::arange(kGameAnswers, at::kLong).repeat_interleave(judgements);
  const auto won =
      rng.uniform_tensor({kGameAnswers * judgements}, at::kDouble) < game.index({own, opponents});
  return won.to(at::kDouble).view({kGameAnswers, judgements}).mean(1);
}

void train_game_round(const PreferenceGameOptions& o, const at::Tensor& logits, const at::Tensor& ref_logps,
                      const at::Tensor& policy, const at::Tensor& rewards, Rng rng) {
  const auto law =
      ((1 - o.uniform_share) * policy + o.uniform_share / kGameAnswers).expand({o.pairs, kGameAnswers});
  const auto a = draw_rows(law, rng), b = draw_rows(law, rng);
  const auto at_index = [](const at::Tensor& table, const at::Tensor& index) {
    return table.index_select(0, index);
  };
  train_table("preference_game", {{"logits", logits}}, 1,
              {.steps = o.steps, .batch = 0, .learning_rate = o.learning_rate}, rng.child("order"),
              [&](const std::vector<int64_t>&) {
                const auto logps = logits.log_softmax(0);
                return StepLoss{dno_loss({at_index(logps, a), at_index(logps, b), at_index(ref_logps, a),
                                          at_index(ref_logps, b), at_index(rewards, a), at_index(rewards, b)},
                                         o.eta)
                                    .loss,
                                1,
                                {}};
              });
}

double gap_of(const at::Tensor& game, const at::Tensor& policy) {
  return nash_gap(game, policy / policy.sum()).gap.item<double>();
}

void run_dno(const PreferenceGameOptions& o, const at::Tensor& game, RunContext& context) {
  const auto logits = at::zeros({kGameAnswers}, at::kDouble).set_requires_grad(true);
  const auto first = logits.detach().log_softmax(0);
  auto average = at::zeros({kGameAnswers}, at::kDouble);
  double wins = 0, improved = 0;
  for (int64_t round = 0; round < o.rounds; ++round) {
    auto rng = context.rng("rounds").child(round);
    const auto logps = logits.detach().log_softmax(0).clone();
    const auto policy = logps.exp();
    average += policy / static_cast<double>(o.rounds);
    const auto rewards = judged_rewards(game, policy, o.judgements, rng);
    train_game_round(o, logits, o.reference == "first" ? first : logps, policy, rewards, rng.child("pairs"));
    const auto next = logits.detach().softmax(0);
    const double win = expected_win_rate(next / next.sum(), policy / policy.sum(), game).item<double>();
    wins += win / static_cast<double>(o.rounds);
    improved += (win >= 0.5 ? 1.0 : 0.0) / static_cast<double>(o.rounds);
  }
  auto& summary = context.summary();
  summary.metric("gap", gap_of(game, average));
  summary.metric("last_gap", gap_of(game, logits.detach().softmax(0)));
  summary.metric("round_win_rate", wins);
  summary.metric("improved_rounds", improved);
}

// Scores fitted to the exact preferences over all pairs alike; the best beta counts.
void run_bradley_terry(const PreferenceGameOptions& o, const at::Tensor& game, RunContext& context) {
  const auto scores = at::zeros({kGameAnswers}, at::kDouble).set_requires_grad(true);
  const auto index = at::arange(kGameAnswers, at::kLong);
  const auto winner = index.repeat_interleave(kGameAnswers), loser = index.repeat({kGameAnswers});
  const auto weight = (game * (1 - at::eye(kGameAnswers, at::kDouble))).reshape({-1});
  train_table("bradley_terry", {{"scores", scores}}, 1,
              {.steps = 600, .batch = 0, .learning_rate = 0.1, .schedule = "cosine"}, context.rng("order"),
              [&](const std::vector<int64_t>&) {
                return StepLoss{bradley_terry_loss(scores.index_select(0, winner),
                                                   scores.index_select(0, loser), {.weight = weight})
                                    .loss,
                                1,
                                {}};
              });
  double best = 1;
  for (const double beta : o.betas) {
    const double gap = gap_of(game, (scores.detach() / beta).softmax(0));
    context.summary().metric(fmt::format("gap@{:g}", beta), gap);
    best = std::min(best, gap);
  }
  context.summary().metric("gap", best);
}

void run_preference_game(const PreferenceGameOptions& o, RunContext& context) {
  const auto game = draw_game(context.rng("world"));
  context.summary().metric("uniform_gap",
                           gap_of(game, at::full({kGameAnswers}, 1.0 / kGameAnswers, at::kDouble)));
  if (o.method == "dno")
    run_dno(o, game, context);
  else
    run_bradley_terry(o, game, context);
}

PLAUDIT_STAGE(preference_game, PreferenceGameOptions,
              {
                  .doc = "A game of cyclic preferences: how far a policy is from one that no other beats.",
                  .run = run_preference_game,
              });

}  // namespace
}  // namespace plaudit
