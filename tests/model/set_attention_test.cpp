#include "plaudit/model/set_attention.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

SetAttentionWeights random_weights(int64_t z) {
  return {normal({z, z}), normal({z, z}), normal({z, z}), normal({z}), normal({z}), normal({z})};
}

TEST(SetAttention, DoesNotDependOnTheOrderOrOnWhatIsHidden) {
  for_draws(100, [] {
    const int64_t u = integer(1, 3), n = integer(1, 5), z = integer(1, 4);
    const auto weights = random_weights(z);
    const auto x = normal({u, n, z}), mask = random_mask(u, n);
    const auto pooled = set_attention_pool(x, mask, weights);
    const auto order = at::randperm(n, at::kLong);
    expect_close(set_attention_pool(x.index_select(1, order), mask.index_select(1, order), weights), pooled);
    const auto hidden = at::where(mask.unsqueeze(-1).ne(0), x, NAN);
    expect_close(set_attention_pool(hidden, mask, weights), pooled);
    expect_gradient([&](const auto& t) { return set_attention_pool(t[0], mask, weights).sum(); }, {x}, 1e-4);
  });
}

TEST(SetAttention, ErrorsNameTheArgument) {
  const auto weights = random_weights(2);
  const auto x = normal({1, 3, 2});
  expect_error(ErrorKind::empty, "mask", [&] { set_attention_pool(x, at::zeros({1, 3}), weights); });
  expect_error(ErrorKind::shape, "wq", [&] {
    set_attention_pool(normal({1, 3, 3}), at::ones({1, 3}), weights);
  });
}

}  // namespace
}  // namespace plaudit
