#include "plaudit/data/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "plaudit/core/errors.h"
#include "plaudit/core/rng.h"

namespace plaudit {
namespace {

using Ids = std::vector<int64_t>;

Ids values(const at::Tensor& t) {
  return {t.data_ptr<int64_t>(), t.data_ptr<int64_t>() + t.numel()};
}

TEST(PackedBuilder, PositionsContinueFromTheParent) {
  PackedBuilder builder;
  EXPECT_EQ(builder.add({10, 11, 12}), 0);
  EXPECT_EQ(builder.add({20, 21}, 0), 1);
  EXPECT_EQ(builder.add({30}, 0), 2);
  EXPECT_EQ(builder.add({40, 41}, 1), 3);
  EXPECT_EQ(builder.add({50}), 4);
  const auto batch = builder.build();
  EXPECT_EQ(values(batch.ids), (Ids{10, 11, 12, 20, 21, 30, 40, 41, 50}));
  EXPECT_EQ(values(batch.positions), (Ids{0, 1, 2, 3, 4, 3, 5, 6, 0}));
  EXPECT_EQ(batch.segments[3].begin, 6);
  EXPECT_EQ(batch.segments[3].end, 8);
  EXPECT_EQ(batch.segments[3].parent, 1);
}

TEST(PackedBuilder, EmptySegmentsAndEmptyBatches) {
  PackedBuilder builder;
  EXPECT_EQ(builder.build().tokens(), 0);
  EXPECT_EQ(builder.build().ids.scalar_type(), at::kLong);
  builder.add({});
  builder.add({7}, 0);
  EXPECT_EQ(values(builder.build().positions), (Ids{0}));
}

TEST(PackedBuilder, AParentMustComeEarlier) {
  PackedBuilder builder;
  EXPECT_THROW(builder.add({1}, 0), BugError);
  builder.add({1});
  EXPECT_THROW(builder.add({1}, 1), BugError);
  EXPECT_THROW(builder.add({1}, -2), BugError);
}

// The readable twin: look at every row from the first.
std::vector<Ids> first_fit_by_scanning(const Ids& lengths, int64_t max_length) {
  Ids order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return lengths[a] > lengths[b]; });
  std::vector<Ids> bins;
  Ids used;
  for (const auto i : order) {
    size_t row = 0;
    while (row < bins.size() && used[row] + lengths[i] > max_length) ++row;
    if (row == bins.size()) {
      bins.emplace_back();
      used.push_back(0);
    }
    bins[row].push_back(i);
    used[row] += lengths[i];
  }
  return bins;
}

TEST(PackSequences, EqualsAScanOverRowsOnRandomLengths) {
  Rng rng(1, "packing");
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t max_length = 1 + rng.below(64);
    Ids lengths(static_cast<size_t>(1 + rng.below(200)));
    for (auto& length : lengths) length = 1 + rng.below(max_length);
    EXPECT_EQ(pack_sequences(lengths, max_length).bins, first_fit_by_scanning(lengths, max_length));
  }
}

TEST(PackSequences, EverySequenceIsPlacedOnceAndRowsFit) {
  Rng rng(2, "packing");
  Ids lengths(3000);
  for (auto& length : lengths) length = 1 + rng.below(512);
  const auto rows = pack_sequences(lengths, 512);
  std::vector<int> seen(lengths.size(), 0);
  for (size_t r = 0; r < rows.bins.size(); ++r) {
    ASSERT_EQ(rows.cu_seqlens[r].size(), rows.bins[r].size() + 1);
    ASSERT_LE(rows.cu_seqlens[r].back(), 512);
    ASSERT_EQ(rows.positions[r].size(), static_cast<size_t>(rows.cu_seqlens[r].back()));
    for (size_t s = 0; s < rows.bins[r].size(); ++s) {
      const auto index = static_cast<size_t>(rows.bins[r][s]);
      ++seen[index];
      ASSERT_EQ(rows.cu_seqlens[r][s + 1] - rows.cu_seqlens[r][s], lengths[index]);
      ASSERT_EQ(rows.positions[r][static_cast<size_t>(rows.cu_seqlens[r][s])], 0);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 3000);
  const auto total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  EXPECT_LE(static_cast<double>(rows.bins.size()), 11.0 / 9.0 * static_cast<double>(total / 512 + 1) + 1);
}

TEST(PackSequences, RefusesWhatCannotBePlaced) {
  const auto kind_of = [](const Ids& lengths, int64_t max_length) {
    try {
      pack_sequences(lengths, max_length);
    } catch (const UserError& error) {
      return error.kind();
    }
    return ErrorKind::io;
  };
  EXPECT_EQ(kind_of({}, 4), ErrorKind::empty);
  EXPECT_EQ(kind_of({1, 0}, 4), ErrorKind::value);
  EXPECT_EQ(kind_of({5}, 4), ErrorKind::value);
  EXPECT_EQ(kind_of({1}, 0), ErrorKind::value);
}

}  // namespace
}  // namespace plaudit
