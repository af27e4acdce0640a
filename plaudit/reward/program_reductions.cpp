// Sums, means, extremes and norms over whole arrays or one axis.
#include <cmath>

#include "plaudit/reward/program_library.h"

namespace plaudit::program {
namespace {

using Args = std::vector<Value>;

double sum_of(const Line& x, double) {
  double out = 0;
  for (int64_t i = 0; i < x.n; ++i) out += x[i];
  return out;
}

double product_of(const Line& x, double) {
  double out = 1;
  for (int64_t i = 0; i < x.n; ++i) out *= x[i];
  return out;
}

double mean_of(const Line& x, double) {
  return sum_of(x, 0) / static_cast<double>(x.n);
}

double variance_of(const Line& x, double ddof) {
  const double mean = mean_of(x, 0);
  double out = 0;
  for (int64_t i = 0; i < x.n; ++i) out += (x[i] - mean) * (x[i] - mean);
  return out / std::max(static_cast<double>(x.n) - ddof, 0.0);
}

double deviation_of(const Line& x, double ddof) {
  return std::sqrt(variance_of(x, ddof));
}

// The first best, or the first NaN: -1 for the smallest, 1 for the largest.
double best_at(const Line& x, double direction) {
  int64_t best = 0;
  for (int64_t i = 0; i < x.n; ++i) {
    if (std::isnan(x[i])) return static_cast<double>(i);
    if (direction * x[i] > direction * x[best]) best = i;
  }
  return static_cast<double>(best);
}

double best_of(const Line& x, double direction) {
  return x[static_cast<int64_t>(best_at(x, direction))];
}

double any_of(const Line& x, double) {
  for (int64_t i = 0; i < x.n; ++i) {
    if (x[i] != 0) return 1;
  }
  return 0;
}

double all_of(const Line& x, double) {
  for (int64_t i = 0; i < x.n; ++i) {
    if (x[i] == 0) return 0;
  }
  return 1;
}

double euclidean_of(const Line& x, double) {
  double out = 0;
  for (int64_t i = 0; i < x.n; ++i) out += x[i] * x[i];
  return std::sqrt(out);
}

double absolute_sum_of(const Line& x, double) {
  double out = 0;
  for (int64_t i = 0; i < x.n; ++i) out += std::abs(x[i]);
  return out;
}

double absolute_max_of(const Line& x, double) {
  double out = 0;
  for (int64_t i = 0; i < x.n; ++i) out = std::isnan(x[i]) || std::abs(x[i]) > out ? std::abs(x[i]) : out;
  return out;
}

template <Reduction f>
Value plain_reduction(Machine& m, const LibraryFunction&, const Args& a) {
  return reduce(m, a[0], a[1], a[2], f);
}

template <Reduction f>
Value spread(Machine& m, const LibraryFunction&, const Args& a) {
  const double ddof = a[3].is(Tag::unbound) ? 0 : static_cast<double>(integer_argument(m, a[3], "ddof"));
  return reduce(m, a[0], a[1], a[2], f, ddof);
}

// Of booleans, for np.any and np.all of everything.
template <Reduction f>
Value test(Machine& m, const LibraryFunction&, const Args& a) {
  auto out = reduce(m, a[0], a[1], a[2], f);
  return out.is_number() ? Value::boolean(out.number() != 0) : out;
}

// Lines without numbers have no extreme.
void check_lines(Machine& m, const LibraryFunction& f, const Args& a) {
  const Operand x(m, a[0]);
  const bool whole = a[1].is(Tag::unbound) || a[1].is(Tag::none);
  const bool empty = whole || x->rank < 2                     ? x->size() == 0
                     : a[1].is_number() && a[1].number() == 0 ? x->rows == 0
                                                              : x->columns == 0;
  if (empty) m.value(f.name + "() of nothing");
}

template <int direction>
Value extreme_value(Machine& m, const LibraryFunction& f, const Args& a) {
  check_lines(m, f, a);
  return reduce(m, a[0], a[1], a[2], best_of, direction);
}

template <int direction>
Value extreme_at(Machine& m, const LibraryFunction& f, const Args& a) {
  check_lines(m, f, a);
  auto out = reduce(m, a[0], a[1], Value(), best_at, direction);
  return out.is_number() ? Value::integer(out.number()) : out;
}

// 1, 2 or infinity; 0 when left out.
double order_of(Machine& m, const Value& ord) {
  if (ord.is(Tag::unbound) || ord.is(Tag::none)) return 0;
  if (ord.is_number() && (ord.number() == 1 || ord.number() == 2 || ord.number() == HUGE_VAL))
    return ord.number();
  m.value("ord must be None, 1, 2 or np.inf");
}

Value norm(Machine& m, const LibraryFunction&, const Args& a) {
  const double order = order_of(m, a[1]);
  const Reduction line = order == 1 ? absolute_sum_of : order == HUGE_VAL ? absolute_max_of : euclidean_of;
  const Operand x(m, a[0]);
  const bool whole = a[2].is(Tag::unbound) || a[2].is(Tag::none);
  if (!whole || x->rank < 2 || order == 0) return reduce(m, a[0], a[2], a[3], line);
  // Of a matrix: the largest sum of absolute values of a column (1) or a row (inf).
  if (order == 2) m.value("the 2-norm of a matrix is not supported; ord may be None, 1 or np.inf");
  const auto sums = reduce(m, a[0], Value::integer(order == 1 ? 0 : 1), Value(), absolute_sum_of);
  if (sums.as<Array>().size() == 0) m.value("the norm of a matrix without numbers");
  return reduce(m, sums, Value(), Value(), best_of, 1);
}

}  // namespace

std::vector<LibraryFunction> reduction_functions() {
  const char* usual = "a axis? keepdims?";
  return {library_function("np.sum", usual, plain_reduction<sum_of>),
          library_function("np.prod", usual, plain_reduction<product_of>),
          library_function("np.mean", usual, plain_reduction<mean_of>),
          library_function("np.std", "a axis? keepdims? ddof?", spread<deviation_of>),
          library_function("np.var", "a axis? keepdims? ddof?", spread<variance_of>),
          library_function("np.max", usual, extreme_value<1>),
          library_function("np.min", usual, extreme_value<-1>),
          library_function("np.argmax", "a axis?", extreme_at<1>),
          library_function("np.argmin", "a axis?", extreme_at<-1>),
          library_function("np.any", usual, test<any_of>),
          library_function("np.all", usual, test<all_of>),
          library_function("np.linalg.norm", "x ord? axis? keepdims?", norm)};
}

}  // namespace plaudit::program
