#include "plaudit/model/row_products.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "plaudit/core/checks.h"
#include "plaudit/core/parallel.h"
#include "plaudit/model/multiply.h"

namespace plaudit {
namespace {

constexpr int64_t kThreadRows = 128;      // fewer rows for each thread, and it is up to oneDNN;
constexpr int64_t kLeastColumns = 64;     // so are products as narrow as an adapter's
constexpr int64_t kTransposedRows = 512;  // rows of a transposed factor that are put in order at one time
constexpr int64_t kSquare = 8;            // a side of what is transposed in registers
constexpr int64_t kTransposedBlock = 32;  // and in the nearest cache: a line of it

using Row = uint16_t __attribute__((vector_size(2 * kSquare)));

// The first, or the last, four elements of a and b, taken in turns.
#if defined(__clang__) || __GNUC__ >= 12
Row low(Row a, Row b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
Row high(Row a, Row b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#else
Row low(Row a, Row b) {
  return __builtin_shuffle(a, b, Row{0, 8, 1, 9, 2, 10, 3, 11});
}
Row high(Row a, Row b) {
  return __builtin_shuffle(a, b, Row{4, 12, 5, 13, 6, 14, 7, 15});
}
#endif

// Eight rows of eight become eight columns: in each of three rounds rows i and i + 4 are interleaved.
void transpose_square(const uint16_t* from, int64_t from_step, uint16_t* to, int64_t to_step) {
  std::array<Row, kSquare> rows, next;
  for (int64_t i = 0; i < kSquare; ++i) std::memcpy(&rows[i], from + i * from_step, sizeof(Row));
  for (int round = 0; round < 3; ++round) {
    for (int64_t i = 0; i < kSquare / 2; ++i) {
      next[2 * i] = low(rows[i], rows[i + kSquare / 2]);
      next[2 * i + 1] = high(rows[i], rows[i + kSquare / 2]);
    }
    rows = next;
  }
  for (int64_t i = 0; i < kSquare; ++i) std::memcpy(to + i * to_step, &rows[i], sizeof(Row));
}

// Whether it lies column by column.
bool is_transposed(const Tensor& a) {
  return a.stride(0) == 1 && a.stride(1) != 1;
}

bool is_widened(const Tensor& a) {
  return a.scalar_type() == at::kBFloat16 && readable(a) && !multiplies_bf16();
}

bool is_ours(const Tensor& a, const Tensor& b) {
  if (a.scalar_type() != at::kBFloat16 || !readable(a) || a.size(1) == 0 || b.size(1) < kLeastColumns)
    return false;
  return is_transposed(a) || a.size(0) >= kThreadRows * at::get_num_threads();
}

// multiply(rows of a, where they begin) for all rows of a b.
template <class Fn>
void for_rows(const Tensor& a, const Tensor& b, const Fn& multiply) {
  if (!is_ours(a, b)) return multiply(a, 0);
  parallel_for(0, a.size(0), kThreadRows, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;  // each thread has its own mode
    if (!is_transposed(a)) return multiply(a.narrow(0, begin, end - begin), begin);
    const auto room = at::empty({std::min(kTransposedRows, end - begin), a.size(1)}, a.options());
    for (int64_t first = begin; first < end; first += kTransposedRows) {
      const auto rows = a.narrow(0, first, std::min(kTransposedRows, end - first));
      const auto ordered = room.narrow(0, 0, rows.size(0));
      copy_transposed(ordered, rows);
      multiply(ordered, first);
    }
  });
}

}  // namespace

void copy_transposed(const Tensor& to, const Tensor& from) {
  const auto* source = static_cast<const uint16_t*>(from.const_data_ptr());
  auto* target = static_cast<uint16_t*>(to.mutable_data_ptr());
  const int64_t rows = from.size(0), columns = from.size(1), step = from.stride(1), width = to.stride(0);
  const int64_t whole_rows = rows / kSquare * kSquare, whole_columns = columns / kSquare * kSquare;
  for (int64_t left = 0; left < whole_columns; left += kTransposedBlock)
    for (int64_t top = 0; top < whole_rows; top += kTransposedBlock)
      for (int64_t c = left; c < std::min(left + kTransposedBlock, whole_columns); c += kSquare)
        for (int64_t r = top; r < std::min(top + kTransposedBlock, whole_rows); r += kSquare)
          transpose_square(source + c * step + r, step, target + r * width + c, width);
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; ++r)
      target[r * width + c] = source[c * step + r];
}

void product_into(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& bias) {
  if (is_widened(a)) return widened_product(out, a, b, bias);
  for_rows(a, b, [&](const Tensor& rows, int64_t begin) {
    multiply_into(out.narrow(0, begin, rows.size(0)), rows, b, bias);
  });
}

Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias) {
  const auto out = at::empty({a.size(0), b.size(1)}, a.options());
  product_into(out, a, b, bias);
  return out;
}

void add_product(const Tensor& sum, const Tensor& a, const Tensor& b, double scale) {
  if (is_widened(a)) return widened_product(sum, a, b, {}, 1, scale);
  for_rows(a, b, [&](const Tensor& rows, int64_t begin) {
    auto part = sum.narrow(0, begin, rows.size(0));
    if (sum.scalar_type() == a.scalar_type())
      multiply_into(part, rows, b, part, scale);
    else
      part.add_(at::mm(rows, b), scale);
  });
}

void widened_product(const Tensor& sum, const Tensor& a, const Tensor& b, const Tensor& bias, double keep,
                     double scale) {
  auto out = keep == 0 ? at::mm(a.to(at::kFloat), b.to(at::kFloat))
                       : at::addmm(sum.to(at::kFloat), a.to(at::kFloat), b.to(at::kFloat), keep, scale);
  if (keep == 0 && scale != 1) out.mul_(scale);
  if (bias.defined()) out.add_(bias);
  sum.copy_(out);
}

}  // namespace plaudit
