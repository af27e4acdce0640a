// Products of bf16 panels on the processor's matrix unit (AMX). Included by decode_kernels_impl.h in files
// that are compiled for it.
//
// A panel of 32 columns is two tiles side by side, [16 pairs of depth, 16 columns]; x gives tiles of up to 16
// rows and 32 of depth. Each row of a result is summed by itself, in the order of the depth: whatever rows
// share a tile.
#pragma once

#include <immintrin.h>

#include "plaudit/model/decode_vector.h"

namespace plaudit::decode {
namespace {

constexpr int64_t kTileRows = 16, kTileDepth = 32;

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// Rows are split into tiles of `low + 1` (registers 0-2: two sums, x) and of `low` rows (registers 3-5);
// registers 6 and 7 hold the panel.
struct TileRows {
  int64_t tiles, low, tall;

  explicit TileRows(int64_t rows)
      : tiles((rows + kTileRows - 1) / kTileRows), low(rows / tiles), tall(rows % tiles) {}

  void configure() const {
    TileConfig config;
    for (int i = 0; i < 8; ++i) config.row_bytes[i] = 64;
    for (int i = 0; i < 3; ++i) config.rows[i] = static_cast<uint8_t>(tall > 0 ? low + 1 : low);
    for (int i = 3; i < 6; ++i) config.rows[i] = static_cast<uint8_t>(low);
    config.rows[6] = config.rows[7] = kTileRows;
    _tile_loadconfig(&config);
  }
};

// Registers are part of the instruction, so they cannot be arguments of a function.
#define PLAUDIT_TILE_PRODUCT(low, high, rows_of_x)              \
  do {                                                          \
    _tile_zero(low);                                            \
    _tile_zero(high);                                           \
    for (int64_t k = 0; k < task.depth; k += kTileDepth) {      \
      _tile_loadd(rows_of_x, x + k, task.x_stride * 2);         \
      _tile_loadd(6, panels + k * kPanel, kPanel * 4);          \
      _tile_loadd(7, panels + k * kPanel + kPanel, kPanel * 4); \
      _tile_dpbf16ps(low, rows_of_x, 6);                        \
      _tile_dpbf16ps(high, rows_of_x, 7);                       \
    }                                                           \
    _tile_stored(low, sums, kPanel * 4);                        \
    _tile_stored(high, sums + kPanel / 2, kPanel * 4);          \
  } while (false)

void panels_amx(const PanelTask<Bf16>& task) {
  if (task.depth % kTileDepth != 0 || task.rows == 0) return panels(task);
  const TileRows split(task.rows);
  split.configure();
  alignas(64) float sums[kTileRows * kPanel];
  for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
    const Bf16* panels = task.panels + p * task.depth * kPanel;
    int64_t row = 0;
    for (int64_t t = 0; t < split.tiles; ++t) {
      const Bf16* x = task.x + row * task.x_stride;
      const bool tall = t < split.tall;
      if (tall)
        PLAUDIT_TILE_PRODUCT(0, 1, 2);
      else
        PLAUDIT_TILE_PRODUCT(3, 4, 5);
      const int64_t rows = split.low + (tall ? 1 : 0);
      for (int64_t r = 0; r < rows; ++r) finish_row(task, row + r, p, sums + r * kPanel);
      row += rows;
    }
  }
  _tile_release();
}

#undef PLAUDIT_TILE_PRODUCT

}  // namespace
}  // namespace plaudit::decode
