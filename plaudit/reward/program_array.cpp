#include "plaudit/reward/program_array.h"

#include <algorithm>
#include <cmath>

namespace plaudit::program {
namespace {

std::string shape_text(int rank, int64_t n0, int64_t n1) {
  if (rank == 0) return "()";
  if (rank == 1) return "(" + std::to_string(n0) + ",)";
  return "(" + std::to_string(n0) + ", " + std::to_string(n1) + ")";
}

// The number of an element of a list; an array counts as a list.
double element(Machine& m, const Value& value) {
  if (value.is_number()) return value.number();
  if (value.is_sequence() || value.is(Tag::array))
    m.shape("a list of lists of different shapes cannot become an array");
  m.type(std::string("an array holds numbers, not ") + describe(value.tag()));
}

Value array_of(Machine& m, const Sequence& list) {
  if (list.size == 0 || list.items[0].is_number() ||
      !(list.items[0].is_sequence() || list.items[0].is(Tag::array))) {
    auto out = m.array(list.size);
    for (uint32_t i = 0; i < list.size; ++i) data_of(out)[i] = element(m, list.items[i]);
    return out;
  }
  const auto& first = list.items[0];
  if (first.is(Tag::array) && first.as<Array>().rank != 1) m.shape("arrays have at most two dimensions");
  const int64_t columns = first.is(Tag::array) ? first.as<Array>().size() : first.as<Sequence>().size;
  auto out = m.array(list.size, columns);
  for (uint32_t i = 0; i < list.size; ++i) {
    const auto& row = list.items[i];
    if (!row.is_sequence() && !row.is(Tag::array))
      m.shape("a list of lists and numbers cannot become an array");
    const bool is_array = row.is(Tag::array);
    if (is_array && row.as<Array>().rank != 1) m.shape("arrays have at most two dimensions");
    const int64_t n = is_array ? row.as<Array>().size() : row.as<Sequence>().size;
    if (n != columns)
      m.shape("rows of " + std::to_string(columns) + " and " + std::to_string(n) +
              " numbers cannot become one array");
    for (int64_t j = 0; j < n; ++j) {
      if (!is_array &&
          (row.as<Sequence>().items[j].is_sequence() || row.as<Sequence>().items[j].is(Tag::array)))
        m.shape("arrays have at most two dimensions");
      data_of(out)[i * columns + j] = is_array ? row.as<Array>().data[j * row.as<Array>().stride[0]]
                                               : element(m, row.as<Sequence>().items[j]);
    }
  }
  return out;
}

int64_t broadcast_size(int64_t a, int64_t b) {
  return a == b || b == 1 ? a : a == 1 ? b : -1;
}

}  // namespace

View view_of(const Array& a) {
  if (a.rank == 1) return {a.data, 1, 1, a.n[0], 0, a.stride[0]};
  return {a.data, 2, a.n[0], a.n[1], a.stride[0], a.stride[1]};
}

Value as_array(Machine& m, const Value& value) {
  if (value.is_number() || value.is(Tag::array)) return value;
  if (value.is_sequence()) return array_of(m, value.as<Sequence>());
  if (value.is(Tag::range)) {
    const auto& range = value.as<Range>();
    auto out = m.array(static_cast<int64_t>(std::min(range.count, 1e9)));
    for (int64_t i = 0; i < out.as<Array>().size(); ++i)
      data_of(out)[i] = range.start + static_cast<double>(i) * range.step;
    return out;
  }
  m.type(std::string("numbers are expected, not ") + describe(value.tag()));
}

Operand::Operand(Machine& m, const Value& value) {
  if (value.is_number()) {
    scalar_ = value.number();
    view_ = {&scalar_, 0, 1, 1, 0, 0};
    return;
  }
  array_ = as_array(m, value);
  view_ = view_of(array_.as<Array>());
}

std::string shape_text(const View& view) {
  return shape_text(view.rank, view.rank == 1 ? view.columns : view.rows, view.columns);
}

Value new_like(Machine& m, const View& view) {
  return view.rank == 1 ? m.array(view.columns) : m.array(view.rows, view.columns);
}

double* data_of(const Value& array) {
  return array.as<Array>().data;
}

Value map1(Machine& m, const Value& a, Function1 f) {
  if (a.is_number()) return Value::real(f(a.number()));
  const Operand x(m, a);
  auto out = new_like(m, *x);
  double* to = data_of(out);
  for (int64_t i = 0; i < x->rows; ++i) {
    for (int64_t j = 0; j < x->columns; ++j) *to++ = f(x->at(i, j));
  }
  return out;
}

View broadcast(Machine& m, const View& a, const View& b) {
  View out = {nullptr,
              std::max(a.rank, b.rank),
              broadcast_size(a.rows, b.rows),
              broadcast_size(a.columns, b.columns),
              0,
              1};
  if (out.rows < 0 || out.columns < 0)
    m.shape("arrays of shapes " + shape_text(a) + " and " + shape_text(b) + " cannot be broadcast together");
  out.row_stride = out.columns;
  return out;
}

View stretch(const View& view, const View& to) {
  View out = view;
  out.rank = to.rank;
  if (view.rows != to.rows) out.row_stride = 0;
  if (view.columns != to.columns) out.column_stride = 0;
  out.rows = to.rows;
  out.columns = to.columns;
  return out;
}

Value map2(Machine& m, const Value& a, const Value& b, Function2 f) {
  if (a.is_number() && b.is_number()) return Value::real(f(a.number(), b.number()));
  const Operand x(m, a), y(m, b);
  const View sizes = broadcast(m, *x, *y);
  const View p = stretch(*x, sizes), q = stretch(*y, sizes);
  auto out = new_like(m, sizes);
  double* to = data_of(out);
  for (int64_t i = 0; i < sizes.rows; ++i) {
    for (int64_t j = 0; j < sizes.columns; ++j) *to++ = f(p.at(i, j), q.at(i, j));
  }
  return out;
}

void assign_array(Machine& m, const View& target, double* data, const Value& value) {
  const Operand x(m, value);
  if (x->rank > target.rank || broadcast_size(x->rows, target.rows) != target.rows ||
      broadcast_size(x->columns, target.columns) != target.columns ||
      (x->rows > 1 && x->rows != target.rows) || (x->columns > 1 && x->columns != target.columns))
    m.shape("an array of shape " + shape_text(*x) + " cannot be written into the shape " +
            shape_text(target));
  m.charge_elements(target.size());
  // Through a copy: the source may be another view of the same numbers.
  const View from = stretch(*x, target);
  std::vector<double> copy;
  copy.reserve(static_cast<size_t>(target.size()));
  for (int64_t i = 0; i < target.rows; ++i) {
    for (int64_t j = 0; j < target.columns; ++j) copy.push_back(from.at(i, j));
  }
  auto next = copy.begin();
  for (int64_t i = 0; i < target.rows; ++i) {
    for (int64_t j = 0; j < target.columns; ++j)
      data[i * target.row_stride + j * target.column_stride] = *next++;
  }
}

Value reduce(Machine& m, const Value& a, const Value& axis, const Value& keepdims, Reduction f,
             double parameter) {
  const Operand x(m, a);
  const bool keep = keepdims.tag() != Tag::unbound && truth(m, keepdims);
  m.charge_elements(x->size());
  if (axis.is(Tag::unbound) || axis.is(Tag::none)) {
    double out = 0;
    if (x->rows == 1) {
      out = f({x->data, x->columns, x->column_stride}, parameter);
    } else if (x->column_stride == 1 && x->row_stride == x->columns) {
      out = f({x->data, x->size(), 1}, parameter);
    } else {
      std::vector<double> all;
      all.reserve(static_cast<size_t>(x->size()));
      for (int64_t i = 0; i < x->rows; ++i) {
        for (int64_t j = 0; j < x->columns; ++j) all.push_back(x->at(i, j));
      }
      out = f({all.data(), x->size(), 1}, parameter);
    }
    if (!keep || x->rank == 0) return Value::real(out);
    auto array = x->rank == 1 ? m.array(1) : m.array(1, 1);
    data_of(array)[0] = out;
    return array;
  }
  auto along = integer_argument(m, axis, "axis");
  if (along < -1 || along > 1 || along >= x->rank || x->rank == 0)
    m.value("axis " + std::to_string(along) + " is not an axis of the shape " + shape_text(*x) +
            " (None, 0, 1 and -1 are allowed)");
  if (x->rank == 1) {
    const double out = f({x->data, x->columns, x->column_stride}, parameter);
    if (!keep) return Value::real(out);
    auto array = m.array(1);
    data_of(array)[0] = out;
    return array;
  }
  const bool rows = along == 0;  // reduces over the rows
  const int64_t n = rows ? x->columns : x->rows;
  auto out = !keep ? m.array(n) : rows ? m.array(1, n) : m.array(n, 1);
  for (int64_t i = 0; i < n; ++i)
    data_of(out)[i] = rows ? f({x->data + i * x->column_stride, x->rows, x->row_stride}, parameter)
                           : f({x->data + i * x->row_stride, x->columns, x->column_stride}, parameter);
  return out;
}

bool truth(Machine& m, const Value& value) {
  switch (value.tag()) {
    case Tag::none:
      return false;
    case Tag::boolean:
    case Tag::integer:
    case Tag::real:
      return value.number() != 0;
    case Tag::string:
      return !value.text().empty();
    case Tag::array: {
      const auto& array = value.as<Array>();
      if (array.size() > 1)
        m.value("the truth of an array with several numbers is ambiguous; use np.any or np.all");
      return array.size() == 1 && array.data[0] != 0;
    }
    case Tag::list:
    case Tag::tuple:
    case Tag::dict:
      return value.as<Sequence>().size > 0;
    case Tag::range:
      return value.as<Range>().count > 0;
    default:
      return true;
  }
}

int64_t integer_argument(Machine& m, const Value& value, const char* what) {
  if (!value.is_number()) m.type(std::string(what) + " must be an integer, not " + describe(value.tag()));
  if (!(std::abs(value.number()) < 9007199254740992.0)) m.value(std::string(what) + " is too large");
  if (value.number() != std::floor(value.number()))
    m.type(std::string(what) + " must be an integer, not a fraction");
  return static_cast<int64_t>(value.number());
}

}  // namespace plaudit::program
