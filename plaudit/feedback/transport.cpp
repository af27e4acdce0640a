#include "plaudit/feedback/transport.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/core/shapes.h"
#include "plaudit/core/tensors.h"
#include "plaudit/model/decode_kernels.h"

namespace plaudit {
namespace {

void check_marginal(const Check& check, std::string_view name, const Tensor& p) {
  const auto law = on_cpu_f64(p);
  const double least = law.min().item<double>(), total = law.sum().item<double>();
  check.that(least > 0, name, "> 0", least);
  check.that(std::abs(total - 1) <= 1e-6, name, "summing to 1", total);
}

// Sinkhorn's rounds in scalings u, v of the kernel exp((f + g - cost)/eps). The potentials f, g take the
// scalings in before those leave the range of numbers, so the rounds equal those on the potentials and cost
// one pass over the kernel each. They start at g; rows come first, so that f needs no start.
class Scaling {
 public:
  Scaling(const Tensor& cost, const Tensor& p, const Tensor& q, double eps, const Tensor& g)
      : cost_(cost), p_(p), q_(q), eps_(eps), f_(at::zeros_like(p)), g_(g) {}

  Tensor plan(int64_t rounds) {
    bool settled = false;
    for (int64_t i = 0; i < rounds && !settled; ++i) {
      if (!kernel_.defined() || !scale(settled)) exact_round();
    }
    if (!kernel_.defined()) rebuild();
    return kernel_ * u_.unsqueeze(1) * v_.unsqueeze(0);
  }
  // g as the rounds left it.
  Tensor potential() const { return g_ + eps_ * v_.log(); }

 private:
  static constexpr double kRange = 1e50;  // of the scalings
  // Entries that no scaling within the range lifts to more than 1e-150 of the plan are 0: products with them
  // would be too small to be computed at full speed.
  static constexpr double kNothing = 1e-250;
  // A round that changes no scaling by more than some roundings is followed by others that do not either.
  static constexpr double kSettled = 1e-14;

  // Small loops of their own: threads would cost more than they save at these sizes.
  void rebuild() {
    kernel_ = at::empty_like(cost_);
    const double *c = cost_.const_data_ptr<double>(), *f = f_.const_data_ptr<double>(),
                 *g = g_.const_data_ptr<double>();
    double* k = kernel_.mutable_data_ptr<double>();
    const int64_t rows = cost_.size(0), columns = cost_.size(1);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        const double entry = std::exp((f[i] + g[j] - c[i * columns + j]) / eps_);
        k[i * columns + j] = entry < kNothing ? 0 : entry;
      }
    u_ = at::ones_like(f_);
    v_ = at::ones_like(g_);
  }

  // One round by scaling, u = p/(K v) and v = q/(K^T u); false, and nothing changed, where it would leave the
  // range.
  bool scale(bool& settled) {
    const int64_t rows = kernel_.size(0), columns = kernel_.size(1);
    const double *k = kernel_.const_data_ptr<double>(), *p = p_.const_data_ptr<double>(),
                 *q = q_.const_data_ptr<double>(), *old_u = u_.const_data_ptr<double>(),
                 *old_v = v_.const_data_ptr<double>();
    const auto next_u = at::empty_like(u_), next_v = at::zeros_like(v_);
    double *u = next_u.mutable_data_ptr<double>(), *v = next_v.mutable_data_ptr<double>();
    const auto& vectors = decode::kernels().vector;
    const auto inside = [](double x) { return x > 1 / kRange && x < kRange; };
    double change = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const double* row = k + i * columns;
      const double scaling = p[i] / vectors.dot(row, old_v, columns);
      if (!inside(scaling)) return false;
      vectors.add_scaled(scaling, row, columns, v);
      u[i] = scaling;
      change = std::max(change, std::abs(scaling / old_u[i] - 1));
    }
    for (int64_t j = 0; j < columns; ++j) {
      v[j] = q[j] / v[j];
      if (!inside(v[j])) return false;
      change = std::max(change, std::abs(v[j] / old_v[j] - 1));
    }
    u_ = next_u;
    v_ = next_v;
    settled = change <= kSettled;
    return true;
  }

  // The same round on the potentials.
  void exact_round() {
    if (kernel_.defined()) {
      f_ = f_ + eps_ * u_.log();
      g_ = g_ + eps_ * v_.log();
    }
    f_ = balanced(cost_, p_, g_);
    g_ = balanced(cost_.t().contiguous(), q_, f_);
    rebuild();
  }

  // eps (log p_i - logsumexp_j((g_j - cost_ij)/eps)).
  Tensor balanced(const Tensor& cost, const Tensor& p, const Tensor& g) const {
    const int64_t rows = cost.size(0), columns = cost.size(1);
    const auto f = at::empty_like(p);
    const double *c = cost.const_data_ptr<double>(), *law = p.const_data_ptr<double>(),
                 *other = g.const_data_ptr<double>();
    for (int64_t i = 0; i < rows; ++i) {
      const double* row = c + i * columns;
      double top = other[0] - row[0], sum = 0;
      for (int64_t j = 1; j < columns; ++j) top = std::max(top, other[j] - row[j]);
      for (int64_t j = 0; j < columns; ++j) sum += std::exp((other[j] - row[j] - top) / eps_);
      f.mutable_data_ptr<double>()[i] = eps_ * (std::log(law[i]) - std::log(sum)) - top;
    }
    return f;
  }

  Tensor cost_, p_, q_;
  double eps_;
  Tensor f_, g_, kernel_, u_, v_;
};

// Gromov-Wasserstein terms for marginals p, q of the plan.
Tensor linearised(const Tensor& source, const Tensor& target, const Tensor& plan, const Tensor& p,
                  const Tensor& q) {
  return at::mv(source.square(), p).unsqueeze(1) + at::mv(target.square(), q).unsqueeze(0) -
         2 * at::matmul(at::matmul(source, plan), target);
}

void check_spaces(const Check& check, const Tensor& source, const Tensor& target, const Tensor& plan) {
  check_arguments(check, {{"Cs", source, "MM"}, {"Ct", target, "NN"}, {"T", plan, "MN"}});
  for (const auto& [name, c] : {std::pair<std::string_view, const Tensor&>{"Cs", source}, {"Ct", target}}) {
    const auto x = on_cpu_f64(c);
    const double error = (x - x.t()).abs().max().item<double>();
    const double scale = x.abs().max().item<double>();
    check.that(error <= 1e-9 * (1 + scale), name, "symmetric",
               fmt::format("entries that differ by {}", error));
  }
}

Tensor cost_of(const Tensor& source, const Tensor& target, const Tensor& plan) {
  return (linearised(source, target, plan, plan.sum(1), plan.sum(0)) * plan).sum();
}

Tensor uniform(int64_t n) {
  return at::full({n}, 1 / static_cast<double>(n), at::kDouble);
}

}  // namespace

Tensor pairwise_distance(const Tensor& x) {
  const Check check("transport.pairwise_distance");
  check_arguments(check, {{"x", x, "NLD"}});
  const auto flat = on_cpu_f64(x).flatten(1);
  return at::cdist(flat, flat, 2, /*compute_mode=*/2);  // differences, not products: 0 on the diagonal
}

Tensor sinkhorn(const Tensor& cost, const Tensor& p, const Tensor& q, const SinkhornOptions& options) {
  const Check check("transport.sinkhorn");
  check_arguments(check, {{"cost", cost, "MN"}, {"p", p, "M"}, {"q", q, "N"}});
  check_marginal(check, "p", p);
  check_marginal(check, "q", q);
  check.that(options.eps > 0, "eps", "> 0", options.eps);
  check.that(options.iters >= 0, "iters", ">= 0", options.iters);
  const auto columns = on_cpu_f64(q);
  return Scaling(on_cpu_f64(cost), on_cpu_f64(p), columns, options.eps, at::zeros_like(columns))
      .plan(options.iters);
}

Tensor gromov_wasserstein_cost(const Tensor& source, const Tensor& target, const Tensor& plan) {
  check_spaces(Check("transport.gromov_wasserstein_cost"), source, target, plan);
  return cost_of(on_cpu_f64(source), on_cpu_f64(target), on_cpu_f64(plan));
}

Tensor gromov_wasserstein_gradient(const Tensor& source, const Tensor& target, const Tensor& plan) {
  check_spaces(Check("transport.gromov_wasserstein_gradient"), source, target, plan);
  const auto t = on_cpu_f64(plan);
  return 2 * linearised(on_cpu_f64(source), on_cpu_f64(target), t, t.sum(1), t.sum(0));
}

TransportPlan entropic_gromov_wasserstein(const Tensor& source, const Tensor& target,
                                          const std::optional<Tensor>& p, const std::optional<Tensor>& q,
                                          const GromovOptions& options) {
  const Check check("transport.entropic_gromov_wasserstein");
  check_not_empty(check, {{"Cs", source, "MM"}, {"Ct", target, "NN"}});
  check.dim("Cs", source, 2);
  check.dim("Ct", target, 2);
  const auto rows = p ? *p : uniform(source.size(0)), columns = q ? *q : uniform(target.size(0));
  check_sizes(check, {{"Cs", source, "MM"}, {"Ct", target, "NN"}, {"p", rows, "M"}, {"q", columns, "N"}});
  check_finite(check, {{"p", rows, "M"}, {"q", columns, "N"}});
  const auto a = on_cpu_f64(rows), b = on_cpu_f64(columns);
  auto plan = a.unsqueeze(1) * b.unsqueeze(0);
  check_spaces(check, source, target, plan);
  check_marginal(check, "p", a);
  check_marginal(check, "q", b);
  check.that(options.eps > 0, "eps", "> 0", options.eps);
  check.that(options.outer >= 0, "outer", ">= 0", options.outer);
  check.that(options.iters >= 0, "iters", ">= 0", options.iters);
  const auto cs = on_cpu_f64(source), ct = on_cpu_f64(target);
  auto start = at::zeros_like(b);
  for (int64_t i = 0; i < options.outer; ++i) {
    Scaling rounds(2 * linearised(cs, ct, plan, plan.sum(1), plan.sum(0)), a, b, options.eps, start);
    plan = rounds.plan(options.iters);
    if (options.warm_start) start = rounds.potential();
  }
  return {plan, cost_of(cs, ct, plan)};
}

std::vector<int64_t> assign_rows(const Tensor& cost) {
  // Row by row, a shortest augmenting path under the potentials u (rows) and v (columns); column 0 is a
  // sentinel.
  const auto n = static_cast<size_t>(cost.size(0));
  const double* c = cost.const_data_ptr<double>();
  std::vector<double> u(n + 1, 0), v(n + 1, 0);
  std::vector<size_t> row_of(n + 1, 0), way(n + 1, 0);
  for (size_t row = 1; row <= n; ++row) {
    std::vector<double> slack(n + 1, std::numeric_limits<double>::infinity());
    std::vector<char> used(n + 1, 0);
    size_t column = 0;
    row_of[0] = row;
    do {
      used[column] = 1;
      const size_t from = row_of[column];
      size_t next = 0;
      double least = std::numeric_limits<double>::infinity();
      for (size_t j = 1; j <= n; ++j) {
        if (used[j]) continue;
        const double reduced = c[(from - 1) * n + j - 1] - u[from] - v[j];
        if (reduced < slack[j]) {
          slack[j] = reduced;
          way[j] = column;
        }
        if (slack[j] < least) {
          least = slack[j];
          next = j;
        }
      }
      for (size_t j = 0; j <= n; ++j) {
        if (used[j]) {
          u[row_of[j]] += least;
          v[j] -= least;
        } else {
          slack[j] -= least;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[way[column]];
      column = way[column];
    }
  }
  std::vector<int64_t> columns(n);
  for (size_t j = 1; j <= n; ++j) columns[row_of[j] - 1] = static_cast<int64_t>(j - 1);
  return columns;
}

TransportPlan exact_assignment(const Tensor& cost) {
  const Check check("transport.exact_assignment");
  check_arguments(check, {{"cost", cost, "NN"}});
  const auto c = on_cpu_f64(cost);
  const double share = 1 / static_cast<double>(c.size(0));
  const auto columns = at::tensor(assign_rows(c), at::kLong).unsqueeze(1);
  const auto plan = at::zeros_like(c).scatter(1, columns, share);
  return {plan, c.gather(1, columns).sum() * share};
}

Tensor pair_correspondence(const Tensor& plan, int64_t j, int64_t k, bool normalize) {
  const Check check("transport.pair_correspondence");
  check_arguments(check, {{"T", plan, "MN"}});
  const auto range = fmt::format("in [0, {})", plan.size(1));
  check.that(j >= 0 && j < plan.size(1), "j", range, j);
  check.that(k >= 0 && k < plan.size(1), "k", range, k);
  const auto t = as_real(plan);
  const auto product = t.select(1, j).unsqueeze(1) * t.select(1, k).unsqueeze(0);
  if (!normalize) return product;
  const auto total = product.sum();
  if (readable(total))
    check.that(total.item<double>() > 0, "T", "positive somewhere in columns j and k", total.item<double>());
  return product / total;
}

PLAUDIT_FUNCTIONS(transport, m) {
  m.def("pairwise_distance(Tensor x) -> (Tensor distances)", &pairwise_distance,
        "Euclidean distances of flattened segments.", {"01"});
  m.def("sinkhorn(Tensor cost, Tensor p, Tensor q, float eps=0.005, int iters=200) -> (Tensor plan)",
        [](const Tensor& cost, const Tensor& p, const Tensor& q, double eps, int64_t iters) {
          return sinkhorn(cost, p, q, {eps, iters});
        },
        "Entropic transport after some rounds of Sinkhorn.", {"01"});
  m.def("gromov_wasserstein_cost(Tensor Cs, Tensor Ct, Tensor T) -> (Tensor cost)", &gromov_wasserstein_cost,
        "The distortion of distances under a plan.", {"01"});
  m.def("gromov_wasserstein_gradient(Tensor Cs, Tensor Ct, Tensor T) -> (Tensor gradient)",
        &gromov_wasserstein_gradient, "The gradient of that distortion by the plan.", {"01"});
  m.def(
      "entropic_gromov_wasserstein(Tensor Cs, Tensor Ct, Tensor? p=None, Tensor? q=None, float eps=0.005, "
      "int outer=50, int iters=200, bool warm_start=False) -> (Tensor plan, Tensor cost)",
      [](const Tensor& source, const Tensor& target, const std::optional<Tensor>& p,
         const std::optional<Tensor>& q, double eps, int64_t outer, int64_t iters, bool warm_start) {
        return as_tuple(entropic_gromov_wasserstein(source, target, p, q, {eps, outer, iters, warm_start}));
      },
      "A plan between two spaces known by their distances.", {"01"});
  m.def("exact_assignment(Tensor cost) -> (Tensor plan, Tensor cost)",
        [](const Tensor& cost) { return as_tuple(exact_assignment(cost)); },
        "The best one-to-one assignment.", {"01", "38"});
  m.def("pair_correspondence(Tensor T, int j, int k, bool normalize=True) -> (Tensor correspondence)",
        &pair_correspondence, "Which source pairs stand for a target pair.", {"01"});
}

}  // namespace plaudit
