// Helpers for property tests: many seeded draws, gradients against finite differences, errors by kind and
// argument.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "plaudit/core/errors.h"

namespace plaudit::testing {

using at::Tensor;

// Runs `body` for `count` draws, each with its own seed of the global generator; stops at the first that
// fails.
void for_draws(int count, const std::function<void()>& body);

// Normal(0, scale) in f64.
Tensor normal(at::IntArrayRef sizes, double scale = 1);
// Uniform on [low, high) in f64.
Tensor uniform(at::IntArrayRef sizes, double low = 0, double high = 1);
// A uniform integer in [low, high].
int64_t integer(int64_t low, int64_t high);
// A mask [rows, columns] with 1 to `columns` valid positions at the start of each row.
Tensor random_mask(int64_t rows, int64_t columns);

// |actual - expected| <= tolerance * max(1, |expected|) everywhere, shapes equal.
void expect_close(const Tensor& actual, const Tensor& expected, double tolerance = 1e-9);

// The autograd gradient of the scalar f(inputs) equals central differences in every element; f64 inputs.
using ScalarFunction = std::function<Tensor(const std::vector<Tensor>&)>;
void expect_gradient(const ScalarFunction& f, std::vector<Tensor> inputs, double tolerance = 1e-5);
// The autograd gradients of the scalar f(inputs).
std::vector<Tensor> gradients(const ScalarFunction& f, std::vector<Tensor> inputs);

// `call` throws a UserError of this kind whose message names `argument`.
void expect_error(ErrorKind kind, const std::string& argument, const std::function<void()>& call);

}  // namespace plaudit::testing
