// Best-of-n: the answer that a proxy likes most among n, and what it is worth in gold.
//
// Estimators are exact expectations over all n-subsets of the N answers at hand (Gao et al. 2022, arXiv
// 2210.10760; Nakano et al. 2021): with scores sorted ascending, answer i (1-based) is the best of a subset
// with probability C(i-1, n-1) / C(N, n). Answers of equal score share their mean gold.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace plaudit::eval {

// Probabilities [N] that each rank (ascending) is the maximum of a random n-subset; log-weights, stable for
// large N.
at::Tensor best_of_n_weights(int64_t total, int64_t n);

// Mean over prompts of the expected gold of the best of n by score. scores, gold [P, N]; 1 <= n <= N.
// mode "unbiased": expectation over subsets; "prefix": the first maximum among the first n.
at::Tensor best_of_n(const at::Tensor& scores, const at::Tensor& gold, int64_t n,
                     const std::string& mode = "unbiased");

struct BestOfNCurve {
  at::Tensor proxy;  // [K] expected score of the selected answer
  at::Tensor gold;   // [K] expected gold of the selected answer
  at::Tensor kl;     // [K] log n - (n-1)/n, nats
};
// One prompt: scores, gold [N], at every n of `ns`.
BestOfNCurve best_of_n_curve(const at::Tensor& scores, const at::Tensor& gold,
                             const std::vector<int64_t>& ns);

// KL of best-of-n sampling from its base, log n - (n-1)/n nats: exact without ties, else an upper bound. n
// >= 1.
double best_of_n_kl(int64_t n);

// Expected maximum of n draws without replacement from rewards [N].
at::Tensor best_of_n_reward(const at::Tensor& rewards, int64_t n);

struct BestOfNLaw {
  at::Tensor probs;     // [A] probability that best-of-n returns each answer
  at::Tensor kl;        // KL to `probs` of the input, nats
  at::Tensor expected;  // expected reward
};
// Exact law for a discrete distribution: q(y in tie group G) = [(F_G + P_G)^n - F_G^n] p(y)/P_G.
BestOfNLaw best_of_n_distribution(const at::Tensor& probs, const at::Tensor& rewards, int64_t n);

}  // namespace plaudit::eval
