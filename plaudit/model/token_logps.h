// Log-probabilities of chosen tokens without ever storing the logits of all positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <utility>

namespace plaudit {

struct TokenLogpsOptions {
  double temperature = 1;         // divides the logits, after the cap
  std::optional<double> softcap;  // logits become c tanh(logit/c)
  int64_t chunk = 1024;           // rows whose logits exist at one time
  int64_t tile = 4096;            // tokens of the vocabulary worked on at a time
};

// With z = cap(hidden W^T)/temperature: log softmax(z)[target] and the entropy of softmax(z), each [R] f32
// (f64 for f64 inputs). hidden [R, D], weight [V, D], targets [R] i64; the products run in `compute`, the
// softmax in f32. Both results are differentiable. Peak extra memory is chunk * tile numbers without
// gradient, chunk * V with: the logits of the last chunk are kept for the backward pass, those of the others
// are computed again there. With a frozen weight the gradient of the log-probabilities is computed in the
// forward pass instead, and nothing is computed twice.
std::pair<at::Tensor, at::Tensor> token_logps(const at::Tensor& hidden, const at::Tensor& weight,
                                              const at::Tensor& targets, const TokenLogpsOptions& options,
                                              at::ScalarType compute);

// The same with logsumexp(z), [R], differentiable too: z[target] = logps + lse. Read as soft Q-values,
// z[target] is Q of the token and lse the value of the state.
struct TokenScores {
  at::Tensor logps, entropy, lse;
};
TokenScores token_scores(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         const TokenLogpsOptions& options, at::ScalarType compute);

// The same by log_softmax over all logits: the reference.
std::pair<at::Tensor, at::Tensor> token_logps_reference(const at::Tensor& hidden, const at::Tensor& weight,
                                                        const at::Tensor& targets,
                                                        const TokenLogpsOptions& options);

}  // namespace plaudit
