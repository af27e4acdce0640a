// Finite Markov decision processes as tables: what they must hold, and the products that every solver needs.
//
// transition [S,A,S] and policy [S,A] have distributions as rows, initial [S] is one; reward [S,A,S]. Solvers
// work on the processor in f64 whatever they are given. Their UserErrors, in this order: sizes (shape), NaN
// or infinity (nan), a row that does not sum to 1 within 1e-6 or an entry below -1e-9 (value), gamma outside
// [0,1) (value; 1 is allowed where the horizon is finite), an unknown option (value), nothing to work on
// (empty).
#pragma once

#include <initializer_list>

#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"

namespace plaudit {

struct Table {
  std::string_view name;
  Tensor value;            // undefined: not given
  std::string_view sizes;  // as in ShapedTensor
  enum Rows { numbers, distributions } rows = numbers;
};

// The checks above on tables.
void check_tables(const Check& check, std::initializer_list<Table> tables);

// Kind value unless 0 <= gamma < 1, or <= 1 with `finite_horizon`.
void check_table_discount(const Check& check, double gamma, bool finite_horizon = false);

// 1/A everywhere, [S,A].
Tensor uniform_policy(const Tensor& transition);

// sum_{s'} transition * values over the last dimension: `values` [S] or [S,A,S]; [S,A].
Tensor expect_next(const Tensor& transition, const Tensor& values);

// The Markov chain of a policy, [S,S].
Tensor chain_of(const Tensor& transition, const Tensor& policy);

// Solves (I - gamma chain) x = b for b [S] or [S,K].
Tensor solve_discounted(const Tensor& chain, const Tensor& b, double gamma);

// Numbers of a table as an array, for loops; `t` comes from on_cpu_f64().
inline const double* numbers_of(const Tensor& t) {
  return t.const_data_ptr<double>();
}

}  // namespace plaudit
