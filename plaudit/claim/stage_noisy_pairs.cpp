// Reward models on pairs of which a quarter is labelled the wrong way round, where the truth is known: an
// ensemble votes on every pair, then a model is trained on what it makes of the labels.
#include <ATen/ATen.h>

#include "plaudit/claim/table_training.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/eval/auroc.h"
#include "plaudit/eval/preference_metrics.h"
#include "plaudit/feedback/label_noise.h"
#include "plaudit/objective/preference_bradley_terry.h"
#include "plaudit/reward/strength.h"
#include "plaudit/run/stage.h"

namespace plaudit {
namespace {

// Features of pairs as they are labelled, and which labels are wrong.
struct FeaturePairs {
  at::Tensor chosen, rejected;         // [N,32]
  at::Tensor wrong;                    // [N] bool
  at::Tensor test_better, test_worse;  // [M,32], clean
};

struct PairStrength {
  at::Tensor mean;  // [N]
};

struct FeaturePairsOptions {
  int64_t pairs = 3000, test_pairs = 4000;
  double flip = 0.25;
  std::string into = "feature_pairs";
};

struct VoteOptions {
  std::string pairs = "feature_pairs", into = "strength";
  int64_t voters = 10, epochs = 2;
};

struct RelabelOptions {
  std::string pairs = "feature_pairs", strength = "strength";
  std::string recipe = "baseline";
  double fraction = 0.2, alpha = 0.1;
  int64_t epochs = 20;
};

const std::vector<std::string> kRecipes = {"baseline",    "flip",  "margin",     "flip+margin",
                                           "soft+margin", "clean", "random-flip"};

}  // namespace

template <>
void describe(OptionTable<FeaturePairsOptions>& t) {
  using O = FeaturePairsOptions;
  t.field("pairs", &O::pairs, "to learn from", at_least(1));
  t.field("test_pairs", &O::test_pairs, "clean ones", at_least(1));
  t.field("flip", &O::flip, "share of wrong labels", between(0, 1));
  t.field("into", &O::into, "name of the pairs");
}

template <>
void describe(OptionTable<VoteOptions>& t) {
  t.field("pairs", &VoteOptions::pairs, "what is voted on");
  t.field("into", &VoteOptions::into, "name of the strengths");
  t.field("voters", &VoteOptions::voters, "reward models", at_least(1));
  t.field("epochs", &VoteOptions::epochs, "of each", at_least(1));
}

template <>
void describe(OptionTable<RelabelOptions>& t) {
  using O = RelabelOptions;
  t.field("pairs", &O::pairs, "what is learnt");
  t.field("strength", &O::strength, "what the voters made of it");
  t.field("recipe", &O::recipe, "what is done with the strengths", one_of(kRecipes));
  t.field("fraction", &O::fraction, "of pairs that flip turns round", between(0, 1));
  t.field("alpha", &O::alpha, "the smoothing of soft", between(0, 1));
  t.field("epochs", &O::epochs, "of the reward model", at_least(1));
}

namespace {

constexpr int64_t kFeatures = 32;

void save_feature_pairs(const FeaturePairs& p, const std::string& folder) {
  save_safetensors(folder + "/pairs.safetensors", {{"chosen", p.chosen},
                                                   {"rejected", p.rejected},
                                                   {"wrong", p.wrong},
                                                   {"test_better", p.test_better},
                                                   {"test_worse", p.test_worse}});
}
FeaturePairs load_feature_pairs(const std::string& folder) {
  const auto t = load_safetensors(folder + "/pairs.safetensors").tensors;
  return {t.at("chosen"), t.at("rejected"), t.at("wrong"), t.at("test_better"), t.at("test_worse")};
}
void save_strength(const PairStrength& s, const std::string& folder) {
  save_safetensors(folder + "/strength.safetensors", {{"mean", s.mean}});
}
PairStrength load_strength(const std::string& folder) {
  return {load_safetensors(folder + "/strength.safetensors").tensors.at("mean")};
}
PLAUDIT_ARTEFACT(FeaturePairs, "pairs of features", &save_feature_pairs, &load_feature_pairs);
PLAUDIT_ARTEFACT(PairStrength, "strength of pairs", &save_strength, &load_strength);

// A small network with one output: layers of sizes[0], ..., 1 with ReLU between. Weights and biases start
// uniform within 1/sqrt(inputs).
class Network {
 public:
  Network(const std::vector<int64_t>& sizes, Rng rng) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      const double bound = 1 / std::sqrt(static_cast<double>(sizes[i]));
      weights_.push_back(
          ((2 * rng.uniform_tensor({sizes[i + 1], sizes[i]}) - 1) * bound).set_requires_grad(true));
      biases_.push_back(((2 * rng.uniform_tensor({sizes[i + 1]}) - 1) * bound).set_requires_grad(true));
    }
  }

  at::Tensor operator()(at::Tensor x) const {
    for (size_t i = 0; i < weights_.size(); ++i) {
      x = at::linear(x, weights_[i], biases_[i]);
      if (i + 1 < weights_.size()) x = x.relu();
    }
    return x.squeeze(1);
  }

  void scale(double factor) {
    const at::NoGradGuard no_grad;
    for (auto* list : {&weights_, &biases_})
      for (auto& tensor : *list) tensor.mul_(factor);
  }

  std::vector<Parameter> parameters() const {
    std::vector<Parameter> out;
    for (size_t i = 0; i < weights_.size(); ++i) {
      out.push_back({fmt::format("weight.{}", i), weights_[i]});
      out.push_back({fmt::format("bias.{}", i), biases_[i]});
    }
    return out;
  }

 private:
  std::vector<at::Tensor> weights_, biases_;
};

struct LabelledPairs {
  at::Tensor chosen, rejected;
  at::Tensor margin, smoothing;  // [N]; undefined: none
};

// Trains a fresh reward model on the pairs.
Network train_reward(const LabelledPairs& pairs, int64_t epochs, const Rng& rng) {
  Network model({kFeatures, 128, 128, 1}, rng.child("weights"));
  constexpr int64_t batch = 64;
  const int64_t count = pairs.chosen.size(0);
  const TableTraining training{.steps = epochs * ((count + batch - 1) / batch),
                               .batch = batch,
                               .learning_rate = 1e-3,
                               .weight_decay = 0.01};
  train_table("noisy_pairs", model.parameters(), count, training, rng.child("order"),
              [&](const std::vector<int64_t>& examples) {
                const auto index = index_tensor(examples);
                BradleyTerryOptions options;
                if (pairs.margin.defined()) options.margin = pairs.margin.index_select(0, index);
                if (pairs.smoothing.defined())
                  options.label_smoothing = pairs.smoothing.index_select(0, index);
                const auto both = model(
                    at::cat({pairs.chosen.index_select(0, index), pairs.rejected.index_select(0, index)}));
                const auto rewards = both.view({2, -1});
                return mean_loss(bradley_terry_loss(rewards[0], rewards[1], options).losses);
              });
  return model;
}

void run_feature_pairs(const FeaturePairsOptions& o, RunContext& context) {
  const at::NoGradGuard no_grad;
  Network gold({kFeatures, 64, 64, 1}, context.rng("gold"));
  gold.scale(2);
  auto rng = context.rng("features");
  const auto better_first = [&](int64_t count) {
    const auto a = rng.normal_tensor({count, kFeatures}), b = rng.normal_tensor({count, kFeatures});
    const auto first = (gold(a) > gold(b)).unsqueeze(1);
    return std::pair{at::where(first, a, b), at::where(first, b, a)};
  };
  const auto [better, worse] = better_first(o.pairs);
  const auto [test_better, test_worse] = better_first(o.test_pairs);
  const auto uniforms = context.rng("noise").uniform_tensor({o.pairs}, at::kDouble);
  const auto wrong = flip_labels(at::zeros({o.pairs}, at::kLong), uniforms, o.flip).to(at::kBool);
  const auto turned = wrong.unsqueeze(1);
  context.put(o.into, FeaturePairs{at::where(turned, worse, better), at::where(turned, better, worse), wrong,
                                   test_better, test_worse});
}

void run_vote(const VoteOptions& o, RunContext& context) {
  const auto& pairs = context.get<FeaturePairs>(o.pairs);
  std::vector<at::Tensor> chosen, rejected;
  for (int64_t k = 0; k < o.voters; ++k) {
    const auto voter =
        train_reward({pairs.chosen, pairs.rejected, {}, {}}, o.epochs, context.rng("voters").child(k));
    const at::NoGradGuard no_grad;
    chosen.push_back(voter(pairs.chosen));
    rejected.push_back(voter(pairs.rejected));
  }
  const auto mean = preference_strength(at::stack(chosen), at::stack(rejected)).mean;
  const auto weakest = flip_weakest(mean);
  context.summary().metric("auroc", auroc(-mean, pairs.wrong.to(mean.scalar_type())).item<double>());
  context.summary().metric("wrong_among_weakest",
                           pairs.wrong.masked_select(weakest).to(at::kDouble).mean().item<double>());
  context.put(o.into, PairStrength{mean});
}

bool uses(const std::string& recipe, const char* part) {
  return recipe.find(part) != std::string::npos;
}

LabelledPairs relabelled(const RelabelOptions& o, const FeaturePairs& pairs, const at::Tensor& strength,
                         Rng rng) {
  auto turned = at::zeros_like(pairs.wrong);
  if (o.recipe == "clean") turned = pairs.wrong;
  if (o.recipe == "flip" || o.recipe == "flip+margin")
    turned = flip_weakest(strength, {.fraction = o.fraction});
  if (o.recipe == "random-flip") {
    const auto order = rng.permutation(strength.size(0));
    const auto count = static_cast<int64_t>(o.fraction * static_cast<double>(order.size()) + 1e-9);
    turned = turned.index_fill(0, index_tensor({order.begin(), order.begin() + count}), true);
  }
  const auto swap = turned.unsqueeze(1);
  LabelledPairs out{
      at::where(swap, pairs.rejected, pairs.chosen), at::where(swap, pairs.chosen, pairs.rejected), {}, {}};
  if (uses(o.recipe, "margin")) out.margin = adaptive_margin(strength, turned);
  if (uses(o.recipe, "soft")) out.smoothing = soft_labels(strength, turned, {.alpha = o.alpha});
  return out;
}

void run_relabel(const RelabelOptions& o, RunContext& context) {
  const auto& pairs = context.get<FeaturePairs>(o.pairs);
  const auto& strength = context.get<PairStrength>(o.strength).mean;
  const auto model =
      train_reward(relabelled(o, pairs, strength, context.rng("flips")), o.epochs, context.rng("model"));
  const at::NoGradGuard no_grad;
  context.summary().metric(
      "accuracy",
      preference_accuracy(model(pairs.test_better), model(pairs.test_worse)).accuracy.item<double>());
}

PLAUDIT_STAGE(feature_pairs, FeaturePairsOptions,
              {
                  .doc = "Pairs of random features under a known reward, some labelled the wrong way round.",
                  .writes = [](const FeaturePairsOptions& o) { return Names{o.into}; },
                  .run = run_feature_pairs,
              });

PLAUDIT_STAGE(vote, VoteOptions,
              {
                  .doc = "An ensemble of reward models votes on the labels of pairs of features.",
                  .reads = [](const VoteOptions& o) { return Names{o.pairs}; },
                  .writes = [](const VoteOptions& o) { return Names{o.into}; },
                  .run = run_vote,
              });

PLAUDIT_STAGE(
    relabel, RelabelOptions,
    {
        .doc = "Trains a reward model on pairs of features, doing with the votes what a recipe says.",
        .reads =
            [](const RelabelOptions& o) {
              return Names{o.pairs, o.strength};
            },
        .run = run_relabel,
    });

}  // namespace
}  // namespace plaudit
