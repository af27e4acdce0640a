// Making, joining and multiplying arrays; distances.
#include <algorithm>
#include <cmath>

#include "plaudit/reward/program_library.h"

namespace plaudit::program {
namespace {

using Args = std::vector<Value>;

bool absent(const Value& v) {
  return v.is(Tag::unbound) || v.is(Tag::none);
}

// Arrays hold floats: no other dtype may be asked for.
void check_dtype(Machine& m, const Value& dtype) {
  static const auto* to_float = find_function("float");
  if (!absent(dtype) && !(dtype.is(Tag::library) && &dtype.library() == to_float))
    m.type("dtype must be float: arrays hold floats only");
}

Value np_array(Machine& m, const LibraryFunction&, const Args& a) {
  check_dtype(m, a[1]);
  if (!a[0].is(Tag::array)) return as_array(m, a[0]);
  return map1(m, a[0], [](double x) { return x; });
}

Value np_asarray(Machine& m, const LibraryFunction&, const Args& a) {
  check_dtype(m, a[1]);
  return as_array(m, a[0]);
}

// Sizes: n, (n,) or (rows, columns).
Value filled(Machine& m, const Value& shape, double x) {
  const auto size = [&](const Value& v) {
    const auto n = integer_argument(m, v, "a size");
    if (n < 0) m.value("a size must not be negative");
    return n;
  };
  Value out;
  if (shape.is_sequence()) {
    const auto& sizes = shape.as<Sequence>();
    if (sizes.size == 0) return Value::real(x);
    if (sizes.size > 2) m.shape("arrays have at most two dimensions");
    out =
        sizes.size == 1 ? m.array(size(sizes.items[0])) : m.array(size(sizes.items[0]), size(sizes.items[1]));
  } else {
    out = m.array(size(shape));
  }
  std::fill_n(data_of(out), out.as<Array>().size(), x);
  return out;
}

template <int x>
Value np_filled(Machine& m, const LibraryFunction&, const Args& a) {
  check_dtype(m, a[1]);
  return filled(m, a[0], x);
}

template <int x>
Value np_filled_like(Machine& m, const LibraryFunction&, const Args& a) {
  check_dtype(m, a[1]);
  return map1(m, a[0], [](double) { return static_cast<double>(x); });
}

Value np_eye(Machine& m, const LibraryFunction&, const Args& a) {
  check_dtype(m, a[2]);
  const auto rows = integer_argument(m, a[0], "a size");
  const auto columns = absent(a[1]) ? rows : integer_argument(m, a[1], "a size");
  if (rows < 0 || columns < 0) m.value("a size must not be negative");
  auto out = m.array(rows, columns);
  std::fill_n(data_of(out), rows * columns, 0.0);
  for (int64_t i = 0; i < std::min(rows, columns); ++i) data_of(out)[i * columns + i] = 1;
  return out;
}

double number_argument(Machine& m, const Value& v, const char* what) {
  if (!v.is_number()) m.type(std::string(what) + " must be a number, not " + describe(v.tag()));
  return v.number();
}

Value np_linspace(Machine& m, const LibraryFunction&, const Args& a) {
  const double start = number_argument(m, a[0], "start"), stop = number_argument(m, a[1], "stop");
  const auto n = absent(a[2]) ? 50 : integer_argument(m, a[2], "num");
  const bool endpoint = a[3].is(Tag::unbound) || truth(m, a[3]);
  if (n < 0) m.value("num must not be negative");
  auto out = m.array(n);
  const auto parts = static_cast<double>(endpoint ? n - 1 : n);
  const double step = (stop - start) / parts;
  for (int64_t i = 0; i < n; ++i) data_of(out)[i] = start + (i == 0 ? 0 : static_cast<double>(i) * step);
  if (endpoint && n > 1) data_of(out)[n - 1] = stop;
  return out;
}

Value np_arange(Machine& m, const LibraryFunction&, const Args& a) {
  const bool one = absent(a[1]);
  const double start = one ? 0 : number_argument(m, a[0], "start");
  const double stop = number_argument(m, one ? a[0] : a[1], "stop");
  const double step = absent(a[2]) ? 1 : number_argument(m, a[2], "step");
  check_dtype(m, a[3]);
  if (step == 0) m.value("step must not be zero");
  const double n = std::ceil((stop - start) / step);
  if (std::isnan(n)) m.value("np.arange() of numbers that are not finite");
  auto out = m.array(static_cast<int64_t>(std::clamp(n, 0.0, 1e9)));
  for (int64_t i = 0; i < out.as<Array>().size(); ++i)
    data_of(out)[i] = start + static_cast<double>(i) * step;
  return out;
}

Value np_dot(Machine& m, const LibraryFunction&, const Args& a) {
  return matmul(m, a[0], a[1], /*dot=*/true);
}

Value np_cross(Machine& m, const LibraryFunction&, const Args& a) {
  const Operand x(m, a[0]), y(m, a[1]);
  const auto fits = [](const View& v) { return v.rank > 0 && (v.columns == 2 || v.columns == 3); };
  if (!fits(*x) || !fits(*y) || (x->rows != y->rows && x->rows != 1 && y->rows != 1))
    m.shape("np.cross() needs vectors of 2 or 3 numbers, got the shapes " + shape_text(*x) + " and " +
            shape_text(*y));
  const bool flat = x->columns == 2 && y->columns == 2;
  const int rank = std::max(x->rank, y->rank);
  const auto rows = x->rows == 1 ? y->rows : x->rows;
  const auto at = [](const View& v, int64_t i, int64_t j) {
    return j < v.columns ? v.at(v.rows == 1 ? 0 : i, j) : 0.0;
  };
  const auto component = [&](int64_t i, int64_t k) {
    const auto p = (k + 1) % 3, q = (k + 2) % 3;
    return at(*x, i, p) * at(*y, i, q) - at(*x, i, q) * at(*y, i, p);
  };
  if (flat && rank == 1) return Value::real(component(0, 2));
  auto out = flat ? m.array(rows) : rank == 1 ? m.array(3) : m.array(rows, 3);
  double* to = data_of(out);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = flat ? 2 : 0; k < 3; ++k) *to++ = component(i, k);
  }
  return out;
}

Value np_outer(Machine& m, const LibraryFunction&, const Args& a) {
  const auto flat = [&](const Value& v) { return reshape(m, as_array(m, v), {Value::integer(-1)}); };
  const auto left = flat(a[0]), right = flat(a[1]);
  const Operand x(m, left), y(m, right);
  auto out = m.array(x->columns, y->columns);
  double* to = data_of(out);
  for (int64_t i = 0; i < x->columns; ++i) {
    for (int64_t j = 0; j < y->columns; ++j) *to++ = x->at(0, i) * y->at(0, j);
  }
  return out;
}

Value np_trace(Machine& m, const LibraryFunction&, const Args& a) {
  const Operand x(m, a[0]);
  if (x->rank != 2) m.shape("np.trace() needs a matrix, got the shape " + shape_text(*x));
  double sum = 0;
  for (int64_t i = 0; i < std::min(x->rows, x->columns); ++i) sum += x->at(i, i);
  return Value::real(sum);
}

Value np_transpose(Machine& m, const LibraryFunction&, const Args& a) {
  return transpose(m, as_array(m, a[0]));
}

Value np_where(Machine& m, const LibraryFunction&, const Args& a) {
  const Operand c(m, a[0]), x(m, a[1]), y(m, a[2]);
  const View sizes = broadcast(m, broadcast(m, *c, *x), *y);
  const View p = stretch(*c, sizes), q = stretch(*x, sizes), r = stretch(*y, sizes);
  if (sizes.rank == 0) return p.at(0, 0) != 0 ? a[1] : a[2];
  auto out = new_like(m, sizes);
  double* to = data_of(out);
  for (int64_t i = 0; i < sizes.rows; ++i) {
    for (int64_t j = 0; j < sizes.columns; ++j) *to++ = p.at(i, j) != 0 ? q.at(i, j) : r.at(i, j);
  }
  return out;
}

// The arrays of a list of arrays, as matrices.
Args parts_of(Machine& m, const Value& list) {
  if (!list.is_sequence() && !list.is(Tag::array))
    m.type(std::string("a list of arrays is needed, not ") + describe(list.tag()));
  Args out;
  Iterator items(m, list);
  for (Value item; items.next(m, item);) {
    m.step();
    out.push_back(as_array(m, item));
  }
  if (out.empty()) m.value("there is no array to join");
  return out;
}

// Joins along the rows or the columns; `rank` of the result.
Value joined(Machine& m, const std::vector<View>& parts, bool rows, int rank) {
  int64_t total = 0;
  for (const auto& part : parts) {
    const auto other = rows ? part.columns : part.rows, first = rows ? parts[0].columns : parts[0].rows;
    if (other != first)
      m.shape("arrays of shapes " + shape_text(parts[0]) + " and " + shape_text(part) + " cannot be joined");
    total += rows ? part.rows : part.columns;
  }
  auto out = rank == 1 ? m.array(total)
             : rows    ? m.array(total, parts[0].columns)
                       : m.array(parts[0].rows, total);
  const auto width = rank == 1 ? total : out.as<Array>().n[1];
  int64_t row = 0, column = 0;
  for (const auto& part : parts) {
    for (int64_t i = 0; i < part.rows; ++i) {
      for (int64_t j = 0; j < part.columns; ++j) data_of(out)[(row + i) * width + column + j] = part.at(i, j);
    }
    (rows ? row : column) += rows ? part.rows : part.columns;
  }
  return out;
}

enum class Join { concatenate, horizontal, vertical, stack };

template <Join join>
Value np_join(Machine& m, const LibraryFunction&, const Args& a) {
  const auto arrays = parts_of(m, a[0]);
  std::vector<View> parts;
  std::vector<double> scalars(arrays.size());  // hstack of numbers
  int rank = -1;
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (arrays[i].is_number()) {
      scalars[i] = arrays[i].number();
      parts.push_back({&scalars[i], 0, 1, 1, 0, 0});
    } else {
      parts.push_back(view_of(arrays[i].as<Array>()));
    }
    if (rank >= 0 && parts[i].rank != rank)
      m.shape("arrays of shapes " + shape_text(parts[0]) + " and " + shape_text(parts[i]) +
              " cannot be joined");
    rank = parts[i].rank;
  }
  auto axis = join == Join::concatenate || join == Join::stack
                  ? (a[1].is(Tag::unbound) ? 0 : integer_argument(m, a[1], "axis"))
                  : 0;
  if (join == Join::horizontal) return joined(m, parts, false, std::max(rank, 1));
  if (join == Join::vertical) return joined(m, parts, true, 2);
  if (join == Join::concatenate) {
    if (rank == 0) m.shape("numbers cannot be concatenated; use np.array");
    if (axis < -1 || axis > 1 || axis >= rank)
      m.value("axis " + std::to_string(axis) + " is not an axis of the arrays");
    return joined(m, parts, rank == 2 && axis == 0, rank);
  }
  // stack: a new axis.
  if (rank == 2) m.shape("arrays have at most two dimensions");
  for (const auto& part : parts) {
    if (part.columns != parts[0].columns)
      m.shape("arrays of shapes " + shape_text(parts[0]) + " and " + shape_text(part) + " cannot be stacked");
  }
  if (axis < -1 || axis > rank) m.value("axis " + std::to_string(axis) + " is not an axis of the result");
  if (rank == 0) return joined(m, parts, false, 1);
  if (axis == 0) return joined(m, parts, true, 2);
  for (auto& part : parts) part = {part.data, 2, part.columns, 1, part.column_stride, 0};
  return joined(m, parts, false, 2);
}

Value sdist_cdist(Machine& m, const LibraryFunction&, const Args& a) {
  const Operand x(m, a[0]), y(m, a[1]);
  if (!absent(a[2]) && !(a[2].is(Tag::string) && a[2].text() == "euclidean"))
    m.value("the metric of cdist() must be 'euclidean'");
  if (x->rank != 2 || y->rank != 2 || x->columns != y->columns)
    m.shape("cdist() needs two matrices with as many columns, got the shapes " + shape_text(*x) + " and " +
            shape_text(*y));
  m.charge_elements(x->rows * y->rows * x->columns);
  auto out = m.array(x->rows, y->rows);
  double* to = data_of(out);
  for (int64_t i = 0; i < x->rows; ++i) {
    for (int64_t j = 0; j < y->rows; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < x->columns; ++k)
        sum += (x->at(i, k) - y->at(j, k)) * (x->at(i, k) - y->at(j, k));
      *to++ = std::sqrt(sum);
    }
  }
  return out;
}

Value sdist_cosine(Machine& m, const LibraryFunction&, const Args& a) {
  const Operand x(m, a[0]), y(m, a[1]);
  if (x->rank != 1 || y->rank != 1 || x->columns != y->columns)
    m.shape("cosine() needs two vectors of one length, got the shapes " + shape_text(*x) + " and " +
            shape_text(*y));
  double xy = 0, xx = 0, yy = 0;
  for (int64_t i = 0; i < x->columns; ++i) {
    xy += x->at(0, i) * y->at(0, i);
    xx += x->at(0, i) * x->at(0, i);
    yy += y->at(0, i) * y->at(0, i);
  }
  return Value::real(1 - xy / std::sqrt(xx * yy));
}

}  // namespace

Value transpose(Machine& m, const Value& a) {
  if (a.is_number() || a.as<Array>().rank == 1) return a;
  const auto& x = a.as<Array>();
  return m.view(x, 2, x.n[1], x.n[0], x.stride[1], x.stride[0], x.data);
}

Value reshape(Machine& m, const Value& a, const std::vector<Value>& sizes) {
  std::vector<int64_t> n;
  const auto add = [&](const Value& v) { n.push_back(integer_argument(m, v, "a size")); };
  for (const auto& size : sizes) {
    if (sizes.size() == 1 && size.is_sequence()) {
      const auto& list = size.as<Sequence>();
      for (uint32_t i = 0; i < std::min<uint32_t>(list.size, 3); ++i) add(list.items[i]);
    } else {
      add(size);
    }
  }
  if (n.empty() || n.size() > 2) m.shape("arrays have one or two dimensions");
  const Operand x(m, a);
  int64_t known = 1, open = -1;
  for (size_t i = 0; i < n.size(); ++i) {
    if (n[i] == -1 && open < 0) {
      open = static_cast<int64_t>(i);
    } else if (n[i] < 0 || n[i] > kMaxElements) {
      m.shape("an array of shape " + shape_text(*x) + " has no shape with the size " + std::to_string(n[i]));
    } else {
      known *= n[i];
    }
  }
  if (open >= 0 && known > 0) n[static_cast<size_t>(open)] = x->size() / known;
  const int64_t total = n.size() == 1 ? n[0] : n[0] * n[1];
  if (total != x->size() || (open >= 0 && known == 0)) {
    std::string wanted = std::to_string(n[0]);
    if (n.size() == 2) wanted += ", " + std::to_string(n[1]);
    m.shape("an array of shape " + shape_text(*x) + " cannot be reshaped to (" + wanted + ")");
  }
  const int rank = static_cast<int>(n.size());
  const auto columns = rank == 2 ? n[1] : 1;
  if (a.is(Tag::array) && a.as<Array>().contiguous())
    return m.view(a.as<Array>(), rank, n[0], columns, rank == 2 ? columns : 1, rank == 2 ? 1 : 0, data_of(a));
  auto out = rank == 2 ? m.array(n[0], n[1]) : m.array(n[0]);
  double* to = data_of(out);
  for (int64_t i = 0; i < x->rows; ++i) {
    for (int64_t j = 0; j < x->columns; ++j) *to++ = x->at(i, j);
  }
  return out;
}

std::vector<LibraryFunction> array_functions() {
  return {library_function("np.array", "object dtype?", np_array),
          library_function("np.asarray", "a dtype?", np_asarray),
          library_function("np.zeros", "shape dtype?", np_filled<0>),
          library_function("np.ones", "shape dtype?", np_filled<1>),
          library_function("np.zeros_like", "a dtype?", np_filled_like<0>),
          library_function("np.ones_like", "a dtype?", np_filled_like<1>),
          library_function("np.eye", "N M? dtype?", np_eye),
          library_function("np.linspace", "start stop num? endpoint?", np_linspace),
          library_function("np.arange", "start stop? step? dtype?", np_arange),
          library_function("np.dot", "a b", np_dot),
          library_function("np.cross", "a b", np_cross),
          library_function("np.outer", "a b", np_outer),
          library_function("np.trace", "a", np_trace),
          library_function("np.transpose", "a", np_transpose),
          library_function("np.where", "condition x y", np_where),
          library_function("np.concatenate", "arrays axis?", np_join<Join::concatenate>),
          library_function("np.stack", "arrays axis?", np_join<Join::stack>),
          library_function("np.hstack", "tup", np_join<Join::horizontal>),
          library_function("np.vstack", "tup", np_join<Join::vertical>),
          library_function("sdist.cdist", "XA XB metric?", sdist_cdist),
          library_function("sdist.cosine", "u v", sdist_cosine)};
}

}  // namespace plaudit::program
