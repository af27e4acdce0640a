#include "plaudit/data/packing.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

// Free room of a growing list of rows; finds the first row with enough of it in O(log rows).
class Rooms {
 public:
  Rooms(size_t capacity, int64_t room) : room_(room) {
    while (leaves_ < capacity) leaves_ *= 2;
    largest_.assign(2 * leaves_, 0);
  }

  // Takes `length` from the first row that has room, opening one at the end where none has.
  size_t place(int64_t length) {
    if (largest_[1] < length) {
      set(rows_, room_ - length);
      return rows_++;
    }
    size_t node = 1;
    while (node < leaves_) node = largest_[2 * node] >= length ? 2 * node : 2 * node + 1;
    const size_t row = node - leaves_;
    set(row, largest_[node] - length);
    return row;
  }

 private:
  void set(size_t row, int64_t room) {
    size_t node = leaves_ + row;
    largest_[node] = room;
    while (node /= 2) largest_[node] = std::max(largest_[2 * node], largest_[2 * node + 1]);
  }

  int64_t room_;
  size_t leaves_ = 1, rows_ = 0;
  std::vector<int64_t> largest_;  // a heap-shaped tree of maxima; row r is leaf leaves_ + r
};

void check_lengths(const Check& check, const std::vector<int64_t>& lengths, int64_t max_length) {
  if (lengths.empty()) check.refuse(ErrorKind::empty, "lengths", "is empty, expected at least one length");
  check.that(max_length >= 1, "max_length", ">= 1", max_length);
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 1 || lengths[i] > max_length)
      check.refuse(ErrorKind::value, fmt::format("lengths[{}]", i),
                   fmt::format("must be in 1..{} (max_length), got {}", max_length, lengths[i]));
  }
}

}  // namespace

int64_t PackedBuilder::add(const std::vector<int64_t>& ids, int64_t parent) {
  const auto count = static_cast<int64_t>(segments_.size());
  if (parent < -1 || parent >= count)
    bug("PackedBuilder", fmt::format("parent {} of segment {} is not an earlier segment", parent, count));
  int64_t position = 0;
  for (int64_t up = parent; up >= 0; up = segments_[static_cast<size_t>(up)].parent)
    position += segments_[static_cast<size_t>(up)].end - segments_[static_cast<size_t>(up)].begin;
  segments_.push_back({tokens(), tokens() + static_cast<int64_t>(ids.size()), parent});
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  for (size_t i = 0; i < ids.size(); ++i) positions_.push_back(position++);
  return count;
}

PackedBatch PackedBuilder::build() const {
  return {at::tensor(ids_, at::kLong), at::tensor(positions_, at::kLong), segments_};
}

PackedRows pack_sequences(const std::vector<int64_t>& lengths, int64_t max_length) {
  check_lengths(Check("decode.pack_sequences"), lengths, max_length);
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });

  PackedRows rows;
  Rooms rooms(lengths.size(), max_length);
  for (const size_t i : order) {
    const size_t row = rooms.place(lengths[i]);
    if (row == rows.bins.size()) {
      rows.bins.emplace_back();
      rows.cu_seqlens.push_back({0});
      rows.positions.emplace_back();
    }
    rows.bins[row].push_back(static_cast<int64_t>(i));
    rows.cu_seqlens[row].push_back(rows.cu_seqlens[row].back() + lengths[i]);
    for (int64_t t = 0; t < lengths[i]; ++t) rows.positions[row].push_back(t);
  }
  return rows;
}

PLAUDIT_FUNCTIONS(decode, m) {
  m.def(
      "pack_sequences(int[] lengths, int max_length) -> (int[][] bins, int[][] cu_seqlens, int[][] "
      "positions)",
      [](std::vector<int64_t> lengths, int64_t max_length) {
        auto rows = pack_sequences(lengths, max_length);
        return std::tuple(std::move(rows.bins), std::move(rows.cu_seqlens), std::move(rows.positions));
      },
      "Which sequences share a row of limited length, by first-fit decreasing, without padding.", {"90"});
}

}  // namespace plaudit
