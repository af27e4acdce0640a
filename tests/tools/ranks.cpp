// Driven by tests/python/test_distributed.py under torchrun: prints what the collectives gave this rank.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "plaudit/core/distributed.h"
#include "plaudit/core/errors.h"

int main() try {
  const auto group = plaudit::Distributed::from_environment(60);
  const auto rank = static_cast<double>(group->rank());
  std::vector<at::Tensor> sums = {at::full({3}, rank + 1, at::kDouble),
                                  at::full({2, 2}, 10 * rank, at::kFloat)};
  group->all_reduce_sum(sums);
  std::vector<at::Tensor> first = {at::full({2}, 7 + rank, at::kDouble)};
  group->broadcast(first);
  group->barrier();
  fmt::print("rank {} of {}: sums {} {}, first {}\n", group->rank(), group->world(),
             sums[0].sum().item<double>(), sums[1].sum().item<double>(), first[0].sum().item<double>());
} catch (const plaudit::UserError& error) {
  fmt::print(stderr, "{}\n", plaudit::message_of(error));
  return 2;
}
