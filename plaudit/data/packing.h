// Packed batches: sequences laid end to end without padding, and the shapes of attention that they need.
//
// A batch is a forest of segments. A segment attends causally to itself and fully to its ancestors, so a
// prompt that is shared by a chosen and a rejected answer (or by K samples) is computed once:
//
//   segment 0  prompt      parent -1   tokens [0, 5)     positions 0..4
//   segment 1  chosen      parent  0   tokens [5, 9)     positions 5..8
//   segment 2  rejected    parent  0   tokens [9, 12)    positions 5..7
//
// The result equals that of separate padded rows; nothing ever depends on a padding id.
// pack_sequences decides which sequences share a row of limited length.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace plaudit {

struct Segment {
  int64_t begin = 0;    // first token in the packed row
  int64_t end = 0;      // one past the last token
  int64_t parent = -1;  // index of an earlier segment, or -1
};

struct PackedBatch {
  at::Tensor ids;        // [N] i64
  at::Tensor positions;  // [N] i64, continuing from the parent's last position
  std::vector<Segment> segments;

  int64_t tokens() const { return ids.numel(); }
};

// Builds a batch segment by segment.
class PackedBuilder {
 public:
  // Appends a segment and returns its index. `parent` must be an earlier segment or -1.
  int64_t add(const std::vector<int64_t>& ids, int64_t parent = -1);
  int64_t tokens() const { return static_cast<int64_t>(ids_.size()); }
  PackedBatch build() const;

 private:
  std::vector<int64_t> ids_;
  std::vector<int64_t> positions_;
  std::vector<Segment> segments_;
};

// Rows of at most `max_length` tokens. Per row: which sequences, in the order in which they were placed; the
// boundaries of the sequences, 0 ... tokens of the row; and positions that restart at each sequence.
struct PackedRows {
  std::vector<std::vector<int64_t>> bins;
  std::vector<std::vector<int64_t>> cu_seqlens;
  std::vector<std::vector<int64_t>> positions;
};

// First-fit decreasing: the longest sequence first (ties: lower index), each into the first row that has
// room. At most 11/9 of the least possible number of rows, plus one. O(n log n). Nothing is truncated: a
// length of 0 or above `max_length` is a UserError of kind value; no lengths at all are kind empty.
PackedRows pack_sequences(const std::vector<int64_t>& lengths, int64_t max_length);

}  // namespace plaudit
