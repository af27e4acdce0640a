#include "plaudit/model/step_kernels.h"

#include "plaudit/model/decode_kernels.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// Every instruction set gives what the recursion gives, at lengths around a block.
TEST(StepKernels, EveryInstructionSetEqualsTheRecursion) {
  for (const auto* set : decode::supported_kernels()) {
    for (const int64_t length : {1, 7, 8, 9, 16, 23, 40, 96, 150}) {
      const int64_t rows = 3;
      const auto r = normal({rows, length}), v = normal({rows, length}), d = uniform({rows, length});
      const auto mask = random_mask(rows, length).to(at::kDouble);
      const auto bytes = mask.to(at::kByte);
      const auto make = [&] { return at::zeros({rows, length}, at::kDouble); };
      auto scan = make(), even = make(), advantages = make(), returns = make(), to_go = make();
      const auto in = [](const Tensor& t) { return t.const_data_ptr<double>(); };
      const auto out = [](const Tensor& t) { return t.mutable_data_ptr<double>(); };
      const auto& steps = set->steps.f64;
      steps.scan({in(r), rows, length, 0, in(d), out(scan)});
      steps.scan({in(r), rows, length, 0.9, nullptr, out(even)});
      const auto found = steps.gae_u8({in(r), in(v), bytes.const_data_ptr<uint8_t>(), rows, length, 0.9, 0.7,
                                       out(advantages), out(returns), false});
      EXPECT_TRUE(found.any && !found.bad && !found.hole) << set->name << " " << length;
      steps.returns({in(r), in(mask), rows, length, 0.9, false, out(to_go)});
      for (int64_t b = 0; b < rows; ++b) {
        double y = 0, e = 0, a = 0, g = 0, later = 0;
        for (int64_t t = length - 1; t >= 0; --t) {
          const double x = r[b][t].item<double>(), ok = mask[b][t].item<double>();
          const double value = ok * v[b][t].item<double>();
          y = x + d[b][t].item<double>() * y;
          e = x + 0.9 * e;
          a = ok * x + 0.9 * later - value + 0.7 * a;
          g = ok * x + 0.9 * g;
          later = value;
          EXPECT_NEAR(scan[b][t].item<double>(), y, 1e-12) << set->name;
          EXPECT_NEAR(even[b][t].item<double>(), e, 1e-12) << set->name;
          EXPECT_NEAR(advantages[b][t].item<double>(), a, 1e-12) << set->name;
          EXPECT_NEAR(returns[b][t].item<double>(), a + value, 1e-12) << set->name;
          EXPECT_NEAR(to_go[b][t].item<double>(), ok * g, 1e-12) << set->name;
        }
      }
    }
  }
}

// What `gae` finds in rows of `length`, one mask and one spoiled reward or value.
template <class T>
decode::StepsFound found_by_gae(const decode::StepKernelsOf<T>& steps, const Tensor& rewards,
                                const Tensor& values, const Tensor& mask, double decay) {
  auto advantages = at::empty_like(rewards), returns = at::empty_like(rewards);
  return steps.gae({rewards.const_data_ptr<T>(), values.const_data_ptr<T>(), mask.const_data_ptr<T>(),
                    rewards.size(0), rewards.size(1), static_cast<T>(decay), static_cast<T>(decay),
                    advantages.mutable_data_ptr<T>(), returns.mutable_data_ptr<T>(), false});
}

TEST(StepKernels, GaeFindsHolesAndWhatIsNotFinite) {
  for (const auto* set : decode::supported_kernels()) {
    for_draws(300, [&] {
      const int64_t rows = 2, length = integer(1, 300), valid = integer(1, length),
                    at = integer(0, length - 1);
      auto mask = at::zeros({rows, length}, at::kFloat);
      mask[0].fill_(1);
      mask[1].slice(0, 0, valid).fill_(1);
      mask[1][at] = 1 - mask[1][at].item<float>();
      const bool hole = at < valid - 1 || at > valid;
      auto rewards = at::zeros_like(mask), values = at::zeros_like(mask);
      auto& spoiled = integer(0, 1) == 0 ? rewards : values;
      const int64_t row = integer(0, 1), step = integer(0, length - 1);
      spoiled[row][step] = integer(0, 1) == 0 ? std::nan("") : -INFINITY;
      const bool seen = mask[row][step].item<float>() != 0;
      const auto found =
          found_by_gae<float>(set->steps.f32, rewards, values, mask, integer(0, 1) == 0 ? 0 : 0.97);
      EXPECT_TRUE(found.any);
      EXPECT_EQ(found.hole, hole) << set->name << " " << length << " " << valid << " " << at;
      if (!hole) {  // where there is one, the rest is for the caller to refuse
        EXPECT_EQ(found.bad, seen) << set->name << " " << length << " " << row << " " << step;
      }
    });
  }
}

// Returns that pass the cache by are the same, wherever rows begin.
TEST(StepKernels, StreamedReturnsAreTheSame) {
  for (const auto* set : decode::supported_kernels()) {
    for (const int64_t length : {16, 64, 75}) {
      for (const int64_t offset : {0, 1}) {
        const int64_t rows = 5;
        const auto r = normal({rows, length}), v = normal({rows, length});
        const auto mask = random_mask(rows, length).to(at::kDouble);
        Tensor out[2];
        for (const bool stream : {false, true}) {
          const auto advantages = at::empty_like(r), memory = at::full({rows * length + 1}, 7., at::kDouble);
          set->steps.f64.gae({r.const_data_ptr<double>(), v.const_data_ptr<double>(),
                              mask.const_data_ptr<double>(), rows, length, 0.9, 0.7,
                              advantages.mutable_data_ptr<double>(),
                              memory.mutable_data_ptr<double>() + offset, stream});
          out[stream] = at::cat({advantages.flatten(), memory});
        }
        EXPECT_TRUE(out[0].equal(out[1])) << set->name << " " << length << " " << offset;
      }
    }
  }
}

TEST(VectorKernels, DotAndAddScaled) {
  for (const auto* set : decode::supported_kernels()) {
    for (const int64_t n : {1, 8, 31, 32, 75}) {
      const auto a = normal({n}), b = normal({n}), sum = b.clone();
      EXPECT_NEAR(set->vector.dot(a.const_data_ptr<double>(), b.const_data_ptr<double>(), n),
                  (a * b).sum().item<double>(), 1e-12);
      set->vector.add_scaled(0.3, a.const_data_ptr<double>(), n, sum.mutable_data_ptr<double>());
      if (n > 0) expect_close(sum, b + 0.3 * a);
    }
  }
}

}  // namespace
}  // namespace plaudit
