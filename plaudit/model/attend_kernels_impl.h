// Attention of training steps (attend_kernels.h), included by decode_kernels_impl.h once per instruction set.
//
// Keys and values of a tree are packed once per task; then blocks of query rows pass over the pieces of keys
// that they see. With S = scale q k', P = exp(S - lse), D = sum(dO * O):
//   dV = P' dO,  dP = dO V',  dS = P * (dP - D),  dQ = scale dS K,  dK = scale dS' Q.
#pragma once

#include "plaudit/model/attend_kernels.h"
#include "plaudit/model/decode_vector.h"

namespace plaudit::decode {
namespace {

constexpr int64_t kQueryRows = 48;   // queries of one block
constexpr int64_t kPieceKeys = 256;  // keys of one piece in the backward pass: scores stay in the cache

PLAUDIT_INLINE int64_t padded(int64_t n) {
  return (n + kPanel - 1) / kPanel * kPanel;
}

// c [rows, columns] (+)= a [rows, depth] b [depth, columns]; columns a multiple of kPanel. With `Turned`, a
// lies in memory as [depth, rows].
struct Product {
  const float* a;
  int64_t a_stride, rows, depth;
  const float* b;
  int64_t b_stride, columns;
  float* c;
  int64_t c_stride;
};

template <bool Turned, bool Add>
struct ProductBody {
  const Product& p;
  int64_t column;
  PLAUDIT_INLINE float factor(const float* a, int64_t row, int64_t k) const {
    return Turned ? a[k * p.a_stride + row] : a[row * p.a_stride + k];
  }
  template <int R>
  PLAUDIT_INLINE void add_half(V (&sums)[R], const float* a, const float* b) const {
    for (int64_t k = 0; k < p.depth; ++k) {
      const V weights = load(b + k * p.b_stride);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sums[r] += splat(factor(a, r, k)) * weights;
    }
  }
  template <int R>
  void run(int64_t row) const {
    float* c = p.c + row * p.c_stride + column;
    const float* a = Turned ? p.a + row : p.a + row * p.a_stride;
    const float* b = p.b + column;
    Tile<R> tile;
    if constexpr (Add) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        tile.low[r] = load(c + r * p.c_stride);
        tile.high[r] = load(c + r * p.c_stride + 16);
      }
    } else {
      clear(tile);
    }
    if constexpr (R > kWholeRows) {
      add_half<R>(tile.low, a, b);
      add_half<R>(tile.high, a, b + 16);
    } else {
      for (int64_t k = 0; k < p.depth; ++k) {
        const V low = load(b + k * p.b_stride), high = load(b + k * p.b_stride + 16);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          const V x = splat(factor(a, r, k));
          tile.low[r] += x * low;
          tile.high[r] += x * high;
        }
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      save(c + r * p.c_stride, tile.low[r]);
      save(c + r * p.c_stride + 16, tile.high[r]);
    }
  }
};

template <bool Turned, bool Add>
__attribute__((noinline)) void product(const Product& p) {
  for (int64_t c = 0; c < p.columns; c += kPanel) for_tiles(p.rows, ProductBody<Turned, Add>{p, c});
}

// Packing
// -----------------------------------------------------------------------------------------------------

// One row in f32, rotated where there is a table, times `scale`; zeros up to the padded width.
template <class T>
PLAUDIT_INLINE void pack_row(const TreeTask<T>& task, const T* x, int64_t row, bool turn, float scale,
                             float* out) {
  const int64_t n = task.head_dim, half = n / 2;
  if (turn && task.cos != nullptr) {
    const float *cos = task.cos + row * half, *sin = task.sin + row * half;
    for (int64_t i = 0; i < half; ++i) {
      const float first = widened_one(x[i]), second = widened_one(x[half + i]);
      out[i] = (first * cos[i] - second * sin[i]) * scale;
      out[half + i] = (second * cos[i] + first * sin[i]) * scale;
    }
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = widened_one(x[i]) * scale;
  }
  for (int64_t i = n; i < padded(n); ++i) out[i] = 0;
}

// The gradient of the row before rotation, given that of the rotated one.
template <class T, class Out>
PLAUDIT_INLINE void unpack_row(const TreeTask<T>& task, const float* x, int64_t row, float scale, Out* out) {
  const int64_t n = task.head_dim, half = n / 2;
  if (task.cos == nullptr) {
    for (int64_t i = 0; i < n; ++i) save_one(out + i, x[i] * scale);
    return;
  }
  const float *cos = task.cos + row * half, *sin = task.sin + row * half;
  for (int64_t i = 0; i < half; ++i) {
    const float first = x[i] * scale, second = x[half + i] * scale;
    save_one(out + i, first * cos[i] + second * sin[i]);
    save_one(out + half + i, second * cos[i] - first * sin[i]);
  }
}

// All rows of the tree, [columns, padded head]; rows between segments are zero.
template <class T>
void pack_tree(const TreeTask<T>& task, const HeadRows<const T>& x, bool turn, float* out) {
  const int64_t width = padded(task.head_dim);
  for (int64_t s = 0; s < task.n_segments; ++s) {
    const auto& segment = task.segments[s];
    const int64_t rows = segment.end - segment.begin;
    float* to = out + segment.column * width;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = segment.begin + i;
      pack_row(task, x.data + row * x.stride, row, turn, 1, to + i * width);
    }
    for (int64_t i = rows * width; i < padded(rows) * width; ++i) to[i] = 0;
  }
}

// [rows, width] -> [head_dim, rows].
void transpose(const float* x, int64_t rows, int64_t width, int64_t head_dim, float* out) {
  for (int64_t r = 0; r < rows; r += 16) {
    for (int64_t i = 0; i < head_dim; ++i) {
      for (int64_t j = 0; j < 16; ++j) out[i * rows + r + j] = x[(r + j) * width + i];
    }
  }
}

// Which keys a block of queries sees
// ---------------------------------------------------------------------------

// Keys [column, column + count) of the tree.
struct Piece {
  int64_t column, count;
  int64_t offset;    // of its scores in a row of them
  int64_t position;  // of its first key
  int64_t index;     // of its first key in its segment
  bool own;          // of the queries' own segment
};

// The pieces that rows [begin, end) of segment `s` see, of at most `most` keys each; returns how many.
template <class T>
int64_t find_pieces(const TreeTask<T>& task, int64_t s, int64_t begin, int64_t end, int64_t most,
                    Piece* pieces) {
  const auto& own = task.segments[s];
  const int64_t first_query = own.first_position + begin - own.begin;
  int64_t found = 0, offset = 0;
  for (int64_t a = s; a >= 0; a = task.segments[a].parent) {
    const auto& segment = task.segments[a];
    const int64_t last = a == s ? end - segment.begin : segment.end - segment.begin;
    int64_t first = 0;
    if (task.window > 0) {
      const int64_t hidden = first_query - task.window + 1 - segment.first_position;
      if (hidden > 0) first = hidden / kPanel * kPanel;
    }
    for (; first < last; first += most) {
      const int64_t count = last - first < most ? last - first : most;
      pieces[found++] = {segment.column + first,         count, offset,
                         segment.first_position + first, first, a == s};
      offset += padded(count);
    }
  }
  return found;
}

// The keys [low, high) of the piece that a query sees.
struct Span {
  int64_t low, high;
};
template <class T>
PLAUDIT_INLINE Span seen(const TreeTask<T>& task, const TreeSegment& own, int64_t row, const Piece& piece) {
  const int64_t index = row - own.begin;
  Span span{0, piece.count};
  if (piece.own && index - piece.index + 1 < span.high) span.high = index - piece.index + 1;
  if (span.high < 0) span.high = 0;
  if (task.window > 0) {
    const int64_t hidden = own.first_position + index - task.window + 1 - piece.position;
    if (hidden > 0) span.low = hidden < span.high ? hidden : span.high;
  }
  return span;
}

const I kLanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

PLAUDIT_INLINE V where_seen(const Span& span, int64_t j, V value, V otherwise) {
  if (j >= span.low && j + 16 <= span.high) return value;
  const I key = kLanes + splat(static_cast<int32_t>(j));
  return ((key >= splat(static_cast<int32_t>(span.low))) & (key < splat(static_cast<int32_t>(span.high))))
             ? value
             : otherwise;
}

PLAUDIT_INLINE float* take(float*& room, int64_t floats) {
  float* taken = room;
  room += (floats + 15) / 16 * 16;
  return taken;
}

// Pieces of one block: the segments above, and cuts of kPieceKeys.
PLAUDIT_INLINE int64_t piece_limit(int64_t n_segments, int64_t columns) {
  return n_segments + columns / kPieceKeys;
}

int64_t attend_scratch(int64_t n_segments, int64_t columns, int64_t head_dim, bool backward) {
  const int64_t width = padded(head_dim);
  const int64_t pieces =
      piece_limit(n_segments, columns) * static_cast<int64_t>(sizeof(Piece) / sizeof(float));
  const int64_t rows = kQueryRows * (3 * width + 2 * (backward ? kPieceKeys : columns) + 2);
  return pieces + rows + columns * (backward ? 4 * width + 2 * head_dim : 2 * width + head_dim) + 16 * 16;
}

// Forward
// -----------------------------------------------------------------------------------------------------

template <class T>
struct Forward {
  const TreeTask<T>& task;
  int64_t width;
  Piece* pieces;
  float *keys, *values, *queries, *scores, *result;  // [head, columns], [columns, width], three of [rows, .]

  // softmax(scores) of one row without its normalisation; returns 1 / sum.
  float soften(const TreeSegment& own, int64_t row, int64_t n_pieces, float* s, float& lse) const {
    V top = splat(kUnseen), odd{};  // `odd` becomes NaN where a score is not finite
    int64_t end = 0;
    for (int64_t i = 0; i < n_pieces; ++i) {
      const auto span = seen(task, own, row, pieces[i]);
      float* p = s + pieces[i].offset;
      for (int64_t j = 0; j < padded(pieces[i].count); j += 16) {
        const V x = where_seen(span, j, load(p + j), splat(kUnseen));
        save(p + j, x);
        top = vmax(top, x);
        odd += x - x;
      }
      end = pieces[i].offset + padded(pieces[i].count);
    }
    const float largest = greatest(top, kUnseen);
    const float total = soft_weights(s, s, end, largest) + sum(odd);
    lse = largest + __builtin_logf(total);
    return 1 / total;
  }

  void block(int64_t s, int64_t head, int64_t begin, int64_t end) const {
    const auto& own = task.segments[s];
    const int64_t rows = end - begin, stride = task.columns;
    const int64_t offset = head * task.head_dim;
    for (int64_t i = 0; i < rows; ++i)
      pack_row(task, task.q.data + (begin + i) * task.q.stride + offset, begin + i, true, task.scale,
               queries + i * width);
    const int64_t n_pieces = find_pieces(task, s, begin, end, task.columns, pieces);
    for (int64_t i = 0; i < n_pieces; ++i)
      product<false, false>({queries, width, rows, task.head_dim, keys + pieces[i].column, task.columns,
                             padded(pieces[i].count), scores + pieces[i].offset, stride});
    float inverse[kQueryRows];
    for (int64_t i = 0; i < rows; ++i)
      inverse[i] = soften(own, begin + i, n_pieces, scores + i * stride,
                          task.lse.data[(begin + i) * task.lse.stride + head]);
    for (int64_t i = 0; i < n_pieces; ++i) {
      const Product p{scores + pieces[i].offset,
                      stride,
                      rows,
                      pieces[i].count,
                      values + pieces[i].column * width,
                      width,
                      width,
                      result,
                      width};
      if (i == 0)
        product<false, false>(p);
      else
        product<false, true>(p);
    }
    for (int64_t i = 0; i < rows; ++i) {
      T* out = task.out.data + (begin + i) * task.out.stride + offset;
      for (int64_t j = 0; j < task.head_dim; ++j) save_one(out + j, result[i * width + j] * inverse[i]);
    }
  }
};

template <class T, class Block>
PLAUDIT_INLINE void for_blocks(const TreeTask<T>& task, const Block& block) {
  for (int64_t s = 0; s < task.n_segments; ++s) {
    const auto& segment = task.segments[s];
    for (int64_t head = 0; head < task.q_heads; ++head) {
      for (int64_t begin = segment.begin; begin < segment.end; begin += kQueryRows)
        block.block(s, head, begin, begin + kQueryRows < segment.end ? begin + kQueryRows : segment.end);
    }
  }
}

template <class T>
void attend_tree(const TreeTask<T>& task) {
  const int64_t width = padded(task.head_dim);
  float* room = task.scratch;
  auto* pieces =
      reinterpret_cast<Piece*>(take(room, piece_limit(task.n_segments, task.columns) *
                                              static_cast<int64_t>(sizeof(Piece) / sizeof(float))));
  float* rows = take(room, task.columns * width);
  float* keys = take(room, task.columns * task.head_dim);
  float* values = take(room, task.columns * width);
  pack_tree(task, task.k, true, rows);
  transpose(rows, task.columns, width, task.head_dim, keys);
  pack_tree(task, task.v, false, values);
  float* queries = take(room, kQueryRows * width);
  float* scores = take(room, kQueryRows * task.columns);
  float* result = take(room, kQueryRows * width);
  for_blocks(task, Forward<T>{task, width, pieces, keys, values, queries, scores, result});
}

// Backward
// ----------------------------------------------------------------------------------------------------

template <class T>
struct Backward {
  const TreeTask<T>& task;
  int64_t width;
  Piece* pieces;
  float *key_rows, *keys, *values;  // [columns, width], two of [head, columns]
  float *dk, *dv;                   // [columns, width]
  float *queries, *grads, *dq, *weights,
      *slopes;  // three of [rows, width], two of [rows, kPieceKeys]: P and dS

  // P = exp(S - lse) and dS = P (dP - D) of one row, in place of S and dP.
  static void differentiate(const Span& span, int64_t count, float lse, float d, float* s, float* dp) {
    for (int64_t j = 0; j < padded(count); j += 16) {
      const V p = where_seen(span, j, vexp(load(s + j) - splat(lse)), V{});
      save(s + j, p);
      save(dp + j, p * (load(dp + j) - splat(d)));
    }
  }

  void block(int64_t s, int64_t head, int64_t begin, int64_t end) const {
    const auto& own = task.segments[s];
    const int64_t rows = end - begin, offset = head * task.head_dim;
    float d[kQueryRows], lse[kQueryRows];
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = begin + i;
      pack_row(task, task.q.data + row * task.q.stride + offset, row, true, task.scale, queries + i * width);
      float* grad = grads + i * width;
      pack_row(task, task.grad.data + row * task.grad.stride + offset, row, false, 1, grad);
      const T* out = task.out.data + row * task.out.stride + offset;
      float total = 0;
      for (int64_t j = 0; j < task.head_dim; ++j) total += grad[j] * widened_one(out[j]);
      d[i] = total;
      lse[i] = task.lse.data[row * task.lse.stride + head];
      for (int64_t j = 0; j < width; ++j) dq[i * width + j] = 0;
    }
    const int64_t n_pieces = find_pieces(task, s, begin, end, kPieceKeys, pieces);
    for (int64_t i = 0; i < n_pieces; ++i) {
      const auto& piece = pieces[i];
      const int64_t columns = padded(piece.count), c = piece.column;
      product<false, false>(
          {queries, width, rows, task.head_dim, keys + c, task.columns, columns, weights, kPieceKeys});
      product<false, false>(
          {grads, width, rows, task.head_dim, values + c, task.columns, columns, slopes, kPieceKeys});
      for (int64_t r = 0; r < rows; ++r)
        differentiate(seen(task, own, begin + r, piece), piece.count, lse[r], d[r], weights + r * kPieceKeys,
                      slopes + r * kPieceKeys);
      product<true, true>(
          {weights, kPieceKeys, piece.count, rows, grads, width, width, dv + c * width, width});
      product<true, true>(
          {slopes, kPieceKeys, piece.count, rows, queries, width, width, dk + c * width, width});
      product<false, true>(
          {slopes, kPieceKeys, rows, piece.count, key_rows + c * width, width, width, dq, width});
    }
    for (int64_t i = 0; i < rows; ++i)
      unpack_row(task, dq + i * width, begin + i, task.scale,
                 task.dq.data + (begin + i) * task.dq.stride + offset);
  }
};

template <class T>
void attend_tree_backward(const TreeTask<T>& task) {
  const int64_t width = padded(task.head_dim), all = task.columns * width;
  float* room = task.scratch;
  auto* pieces =
      reinterpret_cast<Piece*>(take(room, piece_limit(task.n_segments, task.columns) *
                                              static_cast<int64_t>(sizeof(Piece) / sizeof(float))));
  float* key_rows = take(room, all);
  float* keys = take(room, task.columns * task.head_dim);
  float* values = take(room, task.columns * task.head_dim);
  float* dk = take(room, all);
  float* dv = take(room, all);
  pack_tree(task, task.v, false, dv);  // for the moment
  transpose(dv, task.columns, width, task.head_dim, values);
  pack_tree(task, task.k, true, key_rows);
  transpose(key_rows, task.columns, width, task.head_dim, keys);
  for (int64_t i = 0; i < all; ++i) dk[i] = 0;
  for (int64_t i = 0; i < all; ++i) dv[i] = 0;
  float* queries = take(room, kQueryRows * width);
  float* grads = take(room, kQueryRows * width);
  float* dq = take(room, kQueryRows * width);
  float* weights = take(room, kQueryRows * kPieceKeys);
  float* slopes = take(room, kQueryRows * kPieceKeys);
  for_blocks(task, Backward<T>{task, width, pieces, key_rows, keys, values, dk, dv, queries, grads, dq,
                               weights, slopes});
  for (int64_t s = 0; s < task.n_segments; ++s) {
    const auto& segment = task.segments[s];
    for (int64_t row = segment.begin; row < segment.end; ++row) {
      const int64_t column = (segment.column + row - segment.begin) * width;
      unpack_row(task, dk + column, row, 1, task.dk.data + row * task.dk.stride);
      float* out = task.dv.data + row * task.dv.stride;
      for (int64_t i = 0; i < task.head_dim; ++i) out[i] = dv[column + i];
    }
  }
}

constexpr AttendKernels kAttend = {&attend_scratch, &attend_tree<float>, &attend_tree_backward<float>,
                                   &attend_tree<Bf16>, &attend_tree_backward<Bf16>};

}  // namespace
}  // namespace plaudit::decode
