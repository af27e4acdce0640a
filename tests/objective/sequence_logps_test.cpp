#include "plaudit/objective/sequence_logps.h"

#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

struct Batch {
  Tensor logits;  // [B,T,V]
  Tensor labels;  // [B,T], at least one label counts after the first position
};

Batch random_batch(int64_t rows, int64_t length, int64_t vocabulary) {
  auto labels = at::randint(0, vocabulary, {rows, length}, at::kLong);
  const auto prompt = at::randint(0, length - 1, {rows, 1}, at::kLong);
  const auto position = at::arange(length, at::kLong).unsqueeze(0);
  return {normal({rows, length, vocabulary}, 3), labels.masked_fill(position < prompt, -100)};
}

// The readable twin: a whole log-softmax and one gather.
Tensor plain_token_logps(const Batch& b) {
  const auto labels = b.labels.slice(1, 1), counted = labels.ne(-100);
  const auto logps = at::log_softmax(b.logits.slice(1, 0, -1), -1);
  return logps.gather(2, labels.clamp_min(0).unsqueeze(2)).squeeze(2) * counted;
}

TEST(SequenceLogps, EqualsTheWholeLogSoftmax) {
  for_draws(200, [] {
    const auto b = random_batch(integer(1, 4), integer(2, 9), integer(2, 12));
    const auto r = sequence_logps(b.logits, b.labels);
    expect_close(r.token_logps, plain_token_logps(b));
    expect_close(r.logps, r.token_logps.sum(1));
    EXPECT_TRUE(at::equal(r.lengths, b.labels.slice(1, 1).ne(-100).sum(1)));
    expect_close(sequence_logps(b.logits, b.labels, {.average = true}).logps, r.logps / r.lengths);
  });
}

TEST(SequenceLogps, ChunksChangeNothing) {
  // 3 x 40 x 50000 numbers need two chunks.
  at::manual_seed(1);
  const auto b = random_batch(3, 40, 50000);
  expect_close(sequence_logps(b.logits, b.labels).token_logps, plain_token_logps(b));
}

TEST(SequenceLogps, GradientMatchesFiniteDifferences) {
  for_draws(60, [] {
    const auto b = random_batch(integer(1, 2), integer(2, 4), 3);
    const auto weight = normal({b.logits.size(0)});
    expect_gradient([&](const auto& x) { return (sequence_logps(x[0], b.labels).logps * weight).sum(); },
                    {b.logits});
  });
}

TEST(SequenceLogps, NothingUnderAnIgnoredLabelMatters) {
  for_draws(100, [] {
    const auto b = random_batch(3, 6, 4);
    const auto ignored = b.labels.slice(1, 1).eq(-100);
    auto poisoned = b.logits.clone();
    poisoned.slice(1, 0, -1).masked_fill_(ignored.unsqueeze(2), std::nan(""));
    poisoned.select(1, -1).fill_(std::nan(""));
    const auto value = [&](const auto& x) { return sequence_logps(x[0], b.labels).logps.sum(); };
    expect_close(value(std::vector<Tensor>{poisoned}), value(std::vector<Tensor>{b.logits}));
    expect_close(gradients(value, {poisoned})[0], gradients(value, {b.logits})[0]);
  });
}

TEST(SequenceLogps, PaddingDoesNotMatter) {
  for_draws(100, [] {
    const auto b = random_batch(3, 5, 4);
    const auto logits = at::cat({b.logits, normal({3, 4, 4})}, 1);
    const auto labels = at::cat({b.labels, at::full({3, 4}, -100, at::kLong)}, 1);
    expect_close(sequence_logps(logits, labels).logps, sequence_logps(b.logits, b.labels).logps);
  });
}

TEST(PackedSequenceLogps, EqualsThePaddedResult) {
  for_draws(200, [] {
    const int64_t documents = integer(1, 5), vocabulary = integer(2, 8);
    std::vector<Tensor> logits, labels, offsets{at::zeros({1}, at::kLong)}, expected;
    for (int64_t s = 0; s < documents; ++s) {
      const auto b = random_batch(1, integer(2, 7), vocabulary);
      logits.push_back(b.logits[0]);
      labels.push_back(b.labels[0]);
      offsets.push_back(offsets.back() + b.labels.size(1));
      expected.push_back(sequence_logps(b.logits, b.labels).logps);
    }
    const auto cu_seqlens = at::cat(offsets);
    const auto packed = packed_sequence_logps(at::cat(logits), at::cat(labels), cu_seqlens);
    expect_close(packed.logps, at::cat(expected));
    const auto f32 = packed_sequence_logps(at::cat(logits).to(at::kFloat), at::cat(labels), cu_seqlens);
    expect_close(f32.logps, packed.logps, 1e-4);
  });
}

TEST(SequenceLogps, ErrorsNameTheArgument) {
  const auto logits = at::zeros({2, 3, 4}, at::kDouble), labels = at::ones({2, 3}, at::kLong);
  expect_error(ErrorKind::empty, "sequence 1", [&] {
    sequence_logps(logits, at::tensor({1, 1, 1, 1, -100, -100}).view({2, 3}));
  });
  expect_error(ErrorKind::value, "labels", [&] { sequence_logps(logits, labels * 4); });
  expect_error(ErrorKind::shape, "labels", [&] { sequence_logps(logits, labels.slice(1, 1)); });
  expect_error(ErrorKind::value, "labels must be integers, got 1.5",
               [&] { sequence_logps(logits, labels.to(at::kDouble) * 1.5); });
  expect_error(ErrorKind::nan, "labels", [&] { sequence_logps(logits, labels.to(at::kDouble) * NAN); });
  expect_error(ErrorKind::nan, "cu_seqlens", [&] {
    packed_sequence_logps(logits.flatten(0, 1), labels.flatten(), at::tensor({0.0, NAN}, at::kDouble));
  });
  expect_error(ErrorKind::nan, "logits", [&] { sequence_logps(logits / 0, labels); });
  auto forbidden = logits.clone();  // -inf beside the label leaves its log-probability finite
  forbidden.select(2, 3).fill_(-INFINITY);
  expect_error(ErrorKind::nan, "logits", [&] { sequence_logps(forbidden, labels); });
  expect_error(ErrorKind::nan, "logits", [&] {
    packed_sequence_logps(forbidden.flatten(0, 1), labels.flatten(), at::tensor({0, 3, 6}));
  });
  forbidden.slice(1, 0, 2).fill_(0);  // what is left stands where nothing counts
  expect_close(sequence_logps(forbidden, labels).logps, sequence_logps(logits, labels).logps);
  expect_error(ErrorKind::value, "cu_seqlens", [&] {
    packed_sequence_logps(logits.flatten(0, 1), labels.flatten(), at::tensor({0, 4, 4, 6}));
  });
  expect_error(ErrorKind::empty, "cu_seqlens", [&] {
    packed_sequence_logps(logits.flatten(0, 1), labels.flatten(), at::zeros({0}, at::kLong));
  });
  expect_error(ErrorKind::empty, "sequence 1", [&] {  // a document of one token predicts nothing
    packed_sequence_logps(logits.flatten(0, 1), labels.flatten(), at::tensor({0, 5, 6}));
  });
}

}  // namespace
}  // namespace plaudit
