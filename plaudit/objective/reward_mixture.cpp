#include "plaudit/objective/reward_mixture.h"

#include <ATen/ATen.h>

#include "plaudit/core/masked.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"

namespace plaudit {
namespace {

void check_pairs(const Check& check, const UserPairs& pairs) {
  check.not_empty("user", pairs.user);
  check.alike({{"chosen_rewards", pairs.chosen_rewards}, {"rejected_rewards", pairs.rejected_rewards}}, 2);
  check.dim("user", pairs.user, 1);
  check.same_size("chosen_rewards", pairs.chosen_rewards, 1, "user", pairs.user, 0);
}

// log sigma(r_c - r_r), [G,N].
Tensor pair_logliks(const UserPairs& pairs) {
  return at::log_sigmoid(as_real(pairs.chosen_rewards) - as_real(pairs.rejected_rewards));
}

void check_prior(const Check& check, const Tensor& prior, int64_t groups) {
  check.shape("prior", prior, {groups});
  check.finite("prior", prior);
  if (!readable(prior)) return;
  const auto least = prior.min().item<double>(), total = prior.sum().item<double>();
  check.that(least >= 0, "prior", ">= 0", least);
  check.that(total > 0, "prior", "not all zero", total);
}

}  // namespace

EmAssignment em_assign(const UserPairs& pairs, int64_t num_users, const EmOptions& options) {
  const Check check("preference.em_assign");
  check_pairs(check, pairs);
  const auto groups = pairs.chosen_rewards.size(0);
  if (options.prior) check_prior(check, *options.prior, groups);
  check.that(num_users >= 1, "num_users", ">= 1", num_users);
  check.index_range("user", pairs.user, 0, num_users);
  const auto user = pairs.user.to(at::kLong);
  if (readable(user)) {
    const auto bare = at::bincount(user, {}, num_users).eq(0);
    if (bare.any().item<bool>())
      check.refuse(ErrorKind::empty, "user",
                   fmt::format("has no pair of user {}", bare.to(at::kInt).argmax().item<int64_t>()));
  }
  const auto terms = pair_logliks(pairs).t();
  const auto loglik = at::zeros({num_users, groups}, terms.options()).index_add(0, user, terms);
  const auto prior = options.prior ? options.prior->to(terms.scalar_type())
                                   : at::full({groups}, 1.0 / static_cast<double>(groups), terms.options());
  const auto scores = loglik + prior.log();
  const auto assignment = scores.argmax(1);
  const auto responsibility =
      options.hard ? at::one_hot(assignment, groups).to(terms.scalar_type()) : scores.softmax(1);
  return {loglik, assignment, responsibility, scores.logsumexp(1).sum()};
}

MixtureLoss mixture_loss(const UserPairs& pairs, const Tensor& responsibility) {
  const Check check("preference.mixture_loss");
  check.not_empty("responsibility", responsibility);
  check_pairs(check, pairs);
  check.dim("responsibility", responsibility, 2);
  check.same_size("chosen_rewards", pairs.chosen_rewards, 0, "responsibility", responsibility, 1);
  check.finite("responsibility", responsibility);
  check.index_range("user", pairs.user, 0, responsibility.size(0));
  if (readable(responsibility)) {
    const auto least = responsibility.min().item<double>();
    check.that(least >= 0, "responsibility", ">= 0", least);
  }
  const auto nll = -pair_logliks(pairs);
  const auto weight = responsibility.to(nll.scalar_type()).index_select(0, pairs.user.to(at::kLong)).t();
  const auto total = (weight * nll).sum(1), count = weight.sum(1);
  const auto filled = count.gt(0);
  return {total.sum() / static_cast<double>(nll.size(1)),
          keep_valid(total / at::where(filled, count, 1.0), filled), count};
}

MaxminReward maxmin_reward(const Tensor& rewards, const MaxminOptions& options) {
  const Check check("reward.maxmin");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 2);
  if (options.kl) {
    check.dim("kl", *options.kl, 1);
    check.same_size("rewards", rewards, 0, "kl", *options.kl, 0);
  }
  check.finite("rewards", rewards);
  if (options.kl) check.finite("kl", *options.kl);
  check.that(options.beta >= 0, "beta", ">= 0", options.beta);
  check.choice("level", options.level, {"batch", "sample"});
  const auto r = as_real(rewards);
  auto utility = r.mean(0);
  if (options.kl) utility = utility - options.beta * as_real(*options.kl).mean();
  const auto group = utility.argmin();
  const auto selected =
      options.level == "sample" ? r.amin(1) : r.index_select(1, group.reshape({1})).squeeze(1);
  return {utility, group, selected};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "em_assign(Tensor chosen_rewards, Tensor rejected_rewards, Tensor user, int num_users, bool hard=True, "
      "Tensor? prior=None) -> (Tensor user_loglik, Tensor assignment, Tensor responsibility, Tensor loglik)",
      [](const Tensor& chosen, const Tensor& rejected, const Tensor& user, int64_t num_users, bool hard,
         std::optional<Tensor> prior) {
        return as_tuple(em_assign({chosen, rejected, user}, num_users, {hard, std::move(prior)}));
      },
      "Which group's reward explains each user's preferences.", {"38"});
  m.def(
      "mixture_loss(Tensor chosen_rewards, Tensor rejected_rewards, Tensor user, Tensor responsibility) -> "
      "(Tensor loss, Tensor group_loss, Tensor group_count)",
      [](const Tensor& chosen, const Tensor& rejected, const Tensor& user, const Tensor& responsibility) {
        return as_tuple(mixture_loss({chosen, rejected, user}, responsibility));
      },
      "Bradley-Terry loss of every group, weighted by its users.", {"38"});
}

PLAUDIT_FUNCTIONS(reward, m) {
  m.def(
      "maxmin(Tensor rewards, Tensor? kl=None, float beta=0., str level='batch') -> (Tensor utility, Tensor "
      "group, Tensor selected)",
      [](const Tensor& rewards, std::optional<Tensor> kl, double beta, std::string level) {
        return as_tuple(maxmin_reward(rewards, {std::move(kl), beta, std::move(level)}));
      },
      "The rewards of the group that is served worst.", {"38"});
}

}  // namespace plaudit
