// The kernels themselves. Included by one file per instruction set, which defines PLAUDIT_KERNEL_SET (the
// name of the table) and PLAUDIT_TILE_ROWS (rows whose sums fit the registers; with PLAUDIT_WHOLE_ROWS, those
// beyond which only half of their columns at a time do) and is compiled with that instruction set. Everything
// here has internal linkage, and no library templates are used: a function shared with other files might
// otherwise be linked in the wrong instruction set.
#pragma once

#include "plaudit/model/decode_vector.h"

namespace plaudit::decode {
namespace {

#ifdef PLAUDIT_WHOLE_ROWS
constexpr int kWholeRows = PLAUDIT_WHOLE_ROWS;
#else
constexpr int kWholeRows = PLAUDIT_TILE_ROWS;
#endif

// Sums of R rows by 32 columns.
template <int R>
struct Tile {
  V low[R], high[R];
};

template <int R>
PLAUDIT_INLINE void clear(Tile<R>& tile) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) tile.low[r] = tile.high[r] = V{};
}

template <class T>
constexpr int64_t kAhead = 24 * Step<T>::kDepth* kPanel;

// sums += x [R, depth] times half of the columns of one panel.
template <int R, class T>
PLAUDIT_INLINE void multiply_half(V (&sums)[R], const T* x, int64_t x_stride, const T* panel, int64_t depth,
                                  int64_t ahead) {
  constexpr int64_t step = Step<T>::kDepth;
  for (int64_t k = 0; k < depth; k += step) {
    __builtin_prefetch(panel + k * kPanel + ahead);
    const auto weights = Step<T>::weights(panel + k * kPanel);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) sums[r] = Step<T>::add(sums[r], weights, x + r * x_stride + k);
  }
}

// tile += x [R, depth] times one panel. Fetches what lies `ahead` of the panel's elements: the processor
// guesses too late by itself.
template <int R, class T>
PLAUDIT_INLINE void multiply(Tile<R>& tile, const T* x, int64_t x_stride, const T* panel, int64_t depth,
                             int64_t ahead) {
  constexpr int64_t step = Step<T>::kDepth;
  if constexpr (R > kWholeRows) {
    multiply_half<R>(tile.low, x, x_stride, panel, depth, ahead);
    multiply_half<R>(tile.high, x, x_stride, panel + 16 * step, depth, ahead);
    return;
  }
  for (int64_t k = 0; k < depth; k += step) {
    __builtin_prefetch(panel + k * kPanel + ahead);
    __builtin_prefetch(panel + k * kPanel + ahead + 16 * step);
    const auto low = Step<T>::weights(panel + k * kPanel);
    const auto high = Step<T>::weights(panel + k * kPanel + 16 * step);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      tile.low[r] = Step<T>::add(tile.low[r], low, x + r * x_stride + k);
      tile.high[r] = Step<T>::add(tile.high[r], high, x + r * x_stride + k);
    }
  }
}

template <class Out>
PLAUDIT_INLINE void save_some(Out* out, V v, int64_t n) {
  if (n >= 16) return save(out, v);
  for (int64_t i = 0; i < n; ++i) save_one(out + i, v[i]);
}

// The first n <= 16 floats, then `fill`.
PLAUDIT_INLINE V load_some(const float* p, int64_t n, float fill = 0) {
  if (n >= 16) return load(p);
  V v = splat(fill);
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}

// What a PanelTask asks to do with the sums of one row and one panel.
template <class T>
__attribute__((noinline)) void finish_row(const PanelTask<T>& task, int64_t row, int64_t panel,
                                          const float* sums) {
  V low = load(sums), high = load(sums + 16);
  if (task.bias != nullptr) {
    low += load(task.bias + panel * kPanel);
    high += load(task.bias + panel * kPanel + 16);
  }
  if (task.store == Store::gate) {
    const int64_t column = panel * kPanel / 2;
    save_some(task.out_t + row * task.out_stride + column, activate(low, task.act) * high,
              task.columns / 2 - column);
    return;
  }
  const int64_t column = panel * kPanel, left = task.columns - column;
  if (task.store == Store::act) {
    T* out = task.out_t + row * task.out_stride + column;
    save_some(out, activate(low, task.act), left);
    save_some(out + 16, activate(high, task.act), left - 16);
    return;
  }
  float* out = task.out_f32 + row * task.out_stride + column;
  if (task.store == Store::add) {
    low += load_some(out, left);
    high += load_some(out + 16, left - 16);
  }
  save_some(out, low, left);
  save_some(out + 16, high, left - 16);
}

template <int R, class T>
void panel_tile(const PanelTask<T>& task, int64_t row, int64_t panel) {
  Tile<R> tile;
  clear(tile);
  // Panels are read front to back. Where several tiles of rows read each, the last one fetches the next
  // panel.
  const bool is_last_of_some = row > 0 && row + R == task.rows;
  multiply(tile, task.x + row * task.x_stride, task.x_stride, task.panels + panel * task.depth * kPanel,
           task.depth, is_last_of_some ? task.depth * kPanel : kAhead<T>);
  float sums[R * kPanel];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    save(sums + r * kPanel, tile.low[r]);
    save(sums + r * kPanel + 16, tile.high[r]);
  }
  for (int r = 0; r < R; ++r) finish_row(task, row + r, panel, sums + r * kPanel);
}

// Calls body.run<R>() for tiles of nearly equal height that cover the rows.
template <int R, class Body>
PLAUDIT_INLINE void run_tile(const Body& body, int64_t row, int64_t rows) {
  if constexpr (R > 0) {
    if (rows == R) return body.template run<R>(row);
    run_tile<R - 1>(body, row, rows);
  }
}

template <class Body>
PLAUDIT_INLINE void for_tiles(int64_t rows, const Body& body) {
  const int64_t tiles = (rows + PLAUDIT_TILE_ROWS - 1) / PLAUDIT_TILE_ROWS;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t begin = rows * t / tiles, end = rows * (t + 1) / tiles;
    run_tile<PLAUDIT_TILE_ROWS>(body, begin, end - begin);
  }
}

template <class T>
struct PanelBody {
  const PanelTask<T>& task;
  int64_t panel;
  template <int R>
  void run(int64_t row) const {
    panel_tile<R>(task, row, panel);
  }
};

template <class T>
void panels(const PanelTask<T>& task) {
  for (int64_t p = task.first_panel; p < task.last_panel; ++p) for_tiles(task.rows, PanelBody<T>{task, p});
}

// scores = q k for every block.
template <class T>
struct ScoreBody {
  const AttendTask<T>& task;
  template <int R>
  void run(int64_t row) const {
    const int64_t stride = task.n_blocks * kBlockKeys;
    for (int64_t b = 0; b < task.n_blocks; ++b) {
      for (int64_t c = 0; c < task.blocks[b].count; c += kPanel) {
        Tile<R> tile;
        clear(tile);
        multiply(tile, task.q + row * task.depth, task.depth, task.blocks[b].keys + c * task.depth,
                 task.depth, kAhead<T>);
        float* out = task.scores + row * stride + b * kBlockKeys + c;
        for (int r = 0; r < R; ++r) {
          save(out + r * stride, tile.low[r]);
          save(out + r * stride + 16, tile.high[r]);
        }
      }
    }
  }
};

// out = weights v, summed over the blocks.
template <class T>
struct ValueBody {
  const AttendTask<T>& task;
  template <int R>
  void run(int64_t row) const {
    const int64_t stride = task.n_blocks * kBlockKeys;
    const int64_t width = (task.head_dim + kPanel - 1) / kPanel * kPanel;
    for (int64_t c = 0; c < width; c += kPanel) {
      Tile<R> tile;
      clear(tile);
      for (int64_t b = 0; b < task.n_blocks; ++b)
        multiply(tile, task.weights + row * stride + b * kBlockKeys, stride,
                 task.blocks[b].values + c * kBlockKeys, (task.blocks[b].count + 1) / 2 * 2, kAhead<T>);
      for (int r = 0; r < R; ++r) {
        save(task.out + (row + r) * width + c, tile.low[r]);
        save(task.out + (row + r) * width + c + 16, tile.high[r]);
      }
    }
  }
};

constexpr float kUnseen = -1e30f;

// Softcap, and kUnseen where the query at `position` may not look; returns the largest score.
template <class T>
PLAUDIT_INLINE float mask_scores(const AttendTask<T>& task, float* scores, int64_t position) {
  const I lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  V top = splat(kUnseen);
  for (int64_t b = 0; b < task.n_blocks; ++b) {
    const auto& block = task.blocks[b];
    const int64_t seen = position - block.first + 1;
    const auto end = static_cast<int32_t>(seen < block.count ? seen : block.count);
    const int64_t begin = task.window > 0 && seen > task.window ? seen - task.window : 0;
    const auto first = static_cast<int32_t>(begin < kBlockKeys ? begin : kBlockKeys);
    for (int32_t j = 0; j < kBlockKeys; j += 16) {
      float* p = scores + b * kBlockKeys + j;
      V s = load(p);
      if (task.softcap > 0) s = splat(task.softcap) * vtanh(s * splat(1 / task.softcap));
      const I key = lanes + splat(j);
      s = ((key >= splat(first)) & (key < splat(end))) ? s : splat(kUnseen);
      save(p, s);
      top = vmax(top, s);
    }
  }
  return greatest(top, kUnseen);
}

// weights = exp(score - largest), not normalised; returns their sum.
template <class T>
PLAUDIT_INLINE float soft_weights(const float* scores, T* weights, int64_t n, float largest) {
  V total{};
  for (int64_t j = 0; j < n; j += 16) {
    const V e = vexp(load(scores + j) - splat(largest));
    save(weights + j, e);
    total += e;
  }
  return sum(total);
}

template <class T>
void attend(const AttendTask<T>& task) {
  const int64_t stride = task.n_blocks * kBlockKeys;
  const int64_t width = (task.head_dim + kPanel - 1) / kPanel * kPanel;
  for_tiles(task.rows, ScoreBody<T>{task});
  float inverse[kAttendRows];
  for (int64_t r = 0; r < task.rows; ++r) {
    float* scores = task.scores + r * stride;
    const float largest = mask_scores(task, scores, task.positions[r]);
    inverse[r] = 1 / soft_weights(scores, task.weights + r * stride, stride, largest);
  }
  for_tiles(task.rows, ValueBody<T>{task});
  for (int64_t r = 0; r < task.rows; ++r) {
    for (int64_t c = 0; c < width; c += 16) {
      float* p = task.out + r * width + c;
      save(p, load(p) * splat(inverse[r]));
    }
  }
}

template <class T>
void narrow(const float* x, int64_t n, T* out) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) save(out + i, load(x + i));
  for (; i < n; ++i) save_one(out + i, x[i]);
}

template <class T>
void norm(const NormTask& task, T* out) {
  const float* x = task.x;
  const int64_t n = task.n;
  float mean = 0;
  if (task.center) {
    V total{};
    for (int64_t i = 0; i < n; i += 16) total += load_some(x + i, n - i);
    mean = sum(total) / static_cast<float>(n);
  }
  V squares{};
  for (int64_t i = 0; i < n; i += 16) {
    const V d = load_some(x + i, n - i, mean) - splat(mean);
    squares += d * d;
  }
  const float scale = 1 / __builtin_sqrtf(sum(squares) / static_cast<float>(n) + task.eps);
  for (int64_t i = 0; i < n; i += 16) {
    V y = (load_some(x + i, n - i) - splat(mean)) * splat(scale) * load_some(task.weight + i, n - i);
    if (task.bias != nullptr) y += load_some(task.bias + i, n - i);
    save_some(out + i, y, n - i);
  }
}

float max(const float* x, int64_t n) {
  V top = splat(-__builtin_inff()), odd{};  // `odd` becomes NaN where one is seen
  for (int64_t i = 0; i < n; i += 16) {
    const V v = load_some(x + i, n - i, -__builtin_inff());
    top = vmax(top, v);
    odd += v != v ? v : V{};
  }
  const float nan = sum(odd);
  return nan != nan ? nan : greatest(top, top[0]);
}

double exp_sum(const float* x, int64_t n, float shift, float scale, float* out, double* sums) {
  double total = 0;
  for (int64_t begin = 0; begin < n; begin += kExpBlock) {
    const int64_t end = begin + kExpBlock < n ? begin + kExpBlock : n;
    V part{};
    for (int64_t i = begin; i < end; i += 16) {
      const V v = load_some(x + i, end - i, -__builtin_inff());
      const V e = vexp((v - splat(shift)) * splat(scale));
      if (out != nullptr) save_some(out + i, e, end - i);
      part += e;
    }
    const auto block = static_cast<double>(sum(part));
    if (sums != nullptr) sums[begin / kExpBlock] = block;
    total += block;
  }
  return total;
}

typedef double V8 __attribute__((vector_size(64)));
typedef double LooseV8 __attribute__((vector_size(64), aligned(8), may_alias));

double dot(const double* a, const double* b, int64_t n) {
  V8 part[4] = {};
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
#pragma GCC unroll 4
    for (int64_t chain = 0; chain < 4; ++chain)
      part[chain] += *reinterpret_cast<const LooseV8*>(a + i + 8 * chain) *
                     *reinterpret_cast<const LooseV8*>(b + i + 8 * chain);
  }
  const V8 sums = (part[0] + part[1]) + (part[2] + part[3]);
  double total = 0;
  for (int lane = 0; lane < 8; ++lane) total += sums[lane];
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

void add_scaled(double scale, const double* x, int64_t n, double* y) {
  const V8 s{scale, scale, scale, scale, scale, scale, scale, scale};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    *reinterpret_cast<LooseV8*>(y + i) += s * *reinterpret_cast<const LooseV8*>(x + i);
  for (; i < n; ++i) y[i] += scale * x[i];
}

}  // namespace
}  // namespace plaudit::decode

#include "plaudit/model/attend_kernels_impl.h"
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
#include "plaudit/model/decode_amx_impl.h"
#endif

namespace plaudit::decode {
namespace {

template <class T>
constexpr Kernels<T> table() {
  return {&panels<T>, &attend<T>, &norm<T>, &narrow<T>};
}
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
template <>
constexpr Kernels<Bf16> table<Bf16>() {
  return {&panels_amx, &attend<Bf16>, &norm<Bf16>, &narrow<Bf16>};
}
#endif

}  // namespace
}  // namespace plaudit::decode

#include "plaudit/model/row_kernels_impl.h"
#include "plaudit/model/step_kernels_impl.h"

namespace plaudit::decode {

extern const KernelSet PLAUDIT_KERNEL_SET;
const KernelSet PLAUDIT_KERNEL_SET = {PLAUDIT_KERNEL_NAME,
                                      PLAUDIT_NATIVE_BF16,
                                      table<float>(),
                                      table<Bf16>(),
                                      {&max, &exp_sum, &dot, &add_scaled},
                                      row_table(),
                                      step_table(),
                                      &kAttend};

}  // namespace plaudit::decode
