#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>

#include "plaudit/core/parallel.h"
#include "plaudit/model/attention.h"

namespace plaudit {
namespace {

using at::Tensor;
using decode::Bf16;
using decode::HeadRows;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The tensors of one attention, [N, heads, d] each, contiguous.
struct Tensors {
  Tensor q, k, v, cos, sin;
  Tensor out, lse;          // lse [N, Hq] f32
  Tensor grad, dq, dk, dv;  // backward; dk and dv [splits, N, Hkv, d] f32
};

// What one thread works on at a time: some query heads of one key-value head, over one tree.
struct Part {
  size_t tree;
  int64_t kv_head, q_head, split;
  double cost;
};

// Query heads of a key-value head go to separate tasks where there would be too few of them for the threads.
std::vector<Part> parts_of(const AttentionPlan& plan, int64_t q_heads, int64_t kv_heads, int64_t splits) {
  std::vector<Part> parts;
  for (size_t t = 0; t < plan.trees.size(); ++t) {
    double cost = 0;
    for (const auto& s : plan.trees[t].segments) {
      for (int64_t a = s.parent; a >= 0; a = plan.trees[t].segments[static_cast<size_t>(a)].parent) {
        const auto& above = plan.trees[t].segments[static_cast<size_t>(a)];
        cost += static_cast<double>((s.end - s.begin) * (above.end - above.begin));
      }
      cost += 0.5 * static_cast<double>((s.end - s.begin) * (s.end - s.begin));
    }
    const int64_t group = q_heads / kv_heads;
    for (int64_t h = 0; h < kv_heads; ++h) {
      for (int64_t split = 0; split < splits; ++split)
        parts.push_back({t, h, h * group + split * (group / splits), split, cost});
    }
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.cost > b.cost; });
  return parts;
}

int64_t splits_of(const AttentionPlan& plan, int64_t q_heads, int64_t kv_heads) {
  const auto tasks = static_cast<int64_t>(plan.trees.size()) * kv_heads;
  return tasks >= 4 * at::get_num_threads() ? 1 : q_heads / kv_heads;
}

template <class T, class Element = T>
HeadRows<T> rows(const Tensor& t, int64_t first_head, int64_t width) {
  auto* data = static_cast<Element*>(const_cast<void*>(t.const_data_ptr()));
  return {data + first_head * width, t.size(-2) * width};
}

// One buffer per thread, 64-byte aligned, that stays for the next layer.
float* scratch(int64_t floats) {
  thread_local std::vector<float> room;
  if (static_cast<int64_t>(room.size()) < floats + 16) room.resize(static_cast<size_t>(floats + 16));
  const auto address = reinterpret_cast<uintptr_t>(room.data());
  return reinterpret_cast<float*>((address + 63) / 64 * 64);
}

template <class T>
decode::TreeTask<T> task_of(const Tensors& t, const AttentionPlan& plan, const Part& part, int64_t splits,
                            double scale) {
  const auto& tree = plan.trees[part.tree];
  const int64_t d = t.q.size(2), group = t.q.size(1) / t.k.size(1);
  decode::TreeTask<T> task;
  task.segments = tree.segments.data();
  task.n_segments = static_cast<int64_t>(tree.segments.size());
  task.columns = tree.columns;
  task.q_heads = group / splits;
  task.head_dim = d;
  task.q = rows<const T, T>(t.q, part.q_head, d);
  task.k = rows<const T, T>(t.k, part.kv_head, d);
  task.v = rows<const T, T>(t.v, part.kv_head, d);
  if (t.cos.defined()) {
    task.cos = t.cos.const_data_ptr<float>();
    task.sin = t.sin.const_data_ptr<float>();
  }
  task.scale = static_cast<float>(scale);
  task.window = plan.window;
  task.out = rows<T>(t.out, part.q_head, d);
  task.lse = {static_cast<float*>(t.lse.data_ptr()) + part.q_head, t.lse.size(1)};
  if (!t.grad.defined()) return task;
  task.grad = rows<const T, T>(t.grad, part.q_head, d);
  task.dq = rows<T>(t.dq, part.q_head, d);
  task.dk = rows<float>(t.dk[part.split], part.kv_head, d);
  task.dv = rows<float>(t.dv[part.split], part.kv_head, d);
  return task;
}

// All parts, the longest first, each to the next free thread: a part writes rows of its own.
template <class T>
void run_parts(const Tensors& t, const AttentionPlan& plan, int64_t splits, double scale) {
  const auto parts = parts_of(plan, t.q.size(1), t.k.size(1), splits);
  const auto& kernels = *decode::kernels().attend;
  const bool backward = t.grad.defined();
  std::atomic<size_t> next = 0;
  const auto threads = std::min<int64_t>(at::get_num_threads(), static_cast<int64_t>(parts.size()));
  parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (auto i = next++; i < parts.size(); i = next++) {
      auto task = task_of<T>(t, plan, parts[i], splits, scale);
      task.scratch = scratch(kernels.scratch_floats(task.n_segments, task.columns, task.head_dim, backward));
      backward ? attend_backward(kernels, task) : attend_forward(kernels, task);
    }
  });
}

void run_parts(const Tensors& t, const AttentionPlan& plan, int64_t splits, double scale) {
  t.q.scalar_type() == at::kFloat ? run_parts<float>(t, plan, splits, scale)
                                  : run_parts<Bf16>(t, plan, splits, scale);
}

struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(std::shared_ptr<const AttentionPlan> p) : plan(std::move(p)) {}
  std::shared_ptr<const AttentionPlan> plan;
};

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::shared_ptr<const AttentionPlan>& plan, const AttentionOptions& options) {
    const auto turned = options.rope.cos.defined();
    Tensors t{.q = q.contiguous(),
              .k = k.contiguous(),
              .v = v.contiguous(),
              .cos = turned ? options.rope.cos.contiguous() : Tensor(),
              .sin = turned ? options.rope.sin.contiguous() : Tensor()};
    t.out = at::empty(t.q.sizes(), t.q.options());
    t.lse = at::empty({q.size(0), q.size(1)}, q.options().dtype(at::kFloat));
    run_parts(t, *plan, splits_of(*plan, q.size(1), k.size(1)), options.scale);
    ctx->save_for_backward({t.q, t.k, t.v, t.out, t.lse, t.cos, t.sin});
    ctx->saved_data["plan"] = c10::IValue::make_capsule(c10::make_intrusive<PlanHolder>(plan));
    ctx->saved_data["scale"] = options.scale;
    return t.out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto& plan = *static_cast<const PlanHolder*>(ctx->saved_data["plan"].toCapsule().get())->plan;
    Tensors t{.q = saved[0],
              .k = saved[1],
              .v = saved[2],
              .cos = saved[5],
              .sin = saved[6],
              .out = saved[3],
              .lse = saved[4]};
    const auto splits = splits_of(plan, t.q.size(1), t.k.size(1));
    auto sizes = t.k.sizes().vec();
    sizes.insert(sizes.begin(), splits);
    t.grad = grads[0].to(t.q.scalar_type()).contiguous();
    t.dq = at::empty_like(t.q);
    t.dk = at::empty(sizes, t.q.options().dtype(at::kFloat));
    t.dv = at::empty_like(t.dk);
    run_parts(t, plan, splits, ctx->saved_data["scale"].toDouble());
    const auto total = [&](const Tensor& parts) {
      return (splits == 1 ? parts[0] : parts.sum(0)).to(t.k.scalar_type());
    };
    return {t.dq, total(t.dk), total(t.dv), {}, {}};
  }
};

// Which rows see which, [N, N] bool: for devices and options that the kernels do not serve.
Tensor visibility(const AttentionPlan& plan, int64_t tokens) {
  auto visible = at::zeros({tokens, tokens}, at::kBool);
  for (const auto& tree : plan.trees) {
    for (const auto& own : tree.segments) {
      const auto part = visible.narrow(0, own.begin, own.end - own.begin);
      const auto q = (at::arange(own.end - own.begin) + own.first_position).unsqueeze(1);
      const auto* above = &own;
      for (;; above = &tree.segments[static_cast<size_t>(above->parent)]) {
        const auto count = above->end - above->begin;
        const auto k = (at::arange(count) + above->first_position).unsqueeze(0);
        auto seen = above == &own ? k <= q : at::ones({q.size(0), count}, at::kBool);
        if (plan.window > 0) seen = seen.logical_and(k > q - plan.window);
        part.narrow(1, above->begin, count).copy_(seen);
        if (above->parent < 0) break;
      }
    }
  }
  return visible;
}

// One kernel call per segment over its own keys and its ancestors': differentiable by autograd itself.
Tensor generic_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionPlan& plan,
                         const AttentionOptions& options) {
  const auto visible = visibility(plan, q.size(0)).to(q.device());
  if (options.softcap) return masked_attention(q, k, v, visible, options.scale, options.softcap);
  const auto heads_first = [](const Tensor& t) { return t.transpose(0, 1).unsqueeze(0); };
  std::vector<Tensor> parts;
  std::vector<int64_t> order;  // rows of q in the order of the parts
  for (const auto& tree : plan.trees) {
    for (const auto& own : tree.segments) {
      std::vector<Tensor> ks, vs, masks;
      const auto seen = visible.narrow(0, own.begin, own.end - own.begin);
      for (const auto* s = &own;; s = &tree.segments[static_cast<size_t>(s->parent)]) {
        const auto count = s->end - s->begin;
        ks.push_back(k.narrow(0, s->begin, count));
        vs.push_back(v.narrow(0, s->begin, count));
        masks.push_back(seen.narrow(1, s->begin, count));
        if (s->parent < 0) break;
      }
      const bool plain = own.parent < 0 && (plan.window == 0 || plan.window >= own.end - own.begin);
      const auto mask = plain ? std::nullopt : std::optional(at::cat(masks, 1).unsqueeze(0).unsqueeze(0));
      parts.push_back(at::scaled_dot_product_attention(
                          heads_first(q.narrow(0, own.begin, own.end - own.begin)), heads_first(at::cat(ks)),
                          heads_first(at::cat(vs)), mask, 0, plain, options.scale, q.size(1) != k.size(1))
                          .squeeze(0)
                          .transpose(0, 1));
      for (int64_t row = own.begin; row < own.end; ++row) order.push_back(row);
    }
  }
  const auto out = at::cat(parts);
  if (std::is_sorted(order.begin(), order.end())) return out;
  return out.index_select(0, at::tensor(order).argsort().to(q.device()));
}

// Rotation that autograd records, for the generic path.
class Rotate : public torch::autograd::Function<Rotate> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& cos, const Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return rotate(x, {cos, sin});
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    return {rotate(grads[0], {saved[0], saved[1]}, true), {}, {}};
  }
};

}  // namespace

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::shared_ptr<const AttentionPlan>& plan, const AttentionOptions& options) {
  const bool narrow = q.scalar_type() == at::kFloat || q.scalar_type() == at::kBFloat16;
  if (q.is_cpu() && narrow && !options.softcap) return PackedAttention::apply(q, k, v, plan, options);
  const auto& rope = options.rope;
  const auto turned = [&](const Tensor& t) {
    return rope.cos.defined() ? Rotate::apply(t, rope.cos, rope.sin) : t;
  };
  return generic_attention(turned(q), turned(k), v, *plan, options);
}

}  // namespace plaudit
