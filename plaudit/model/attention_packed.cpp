#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/attention.h"

namespace plaudit {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows [begin, end) of [N, H, d] as the kernels want them: [1, H, T, d], no copy.
Tensor rows(const Tensor& t, int64_t begin, int64_t end) {
  return t.narrow(0, begin, end - begin).transpose(0, 1).unsqueeze(0);
}

Tensor queries(const Tensor& t, const AttentionBlock& b) {
  return rows(t, b.q_begin, b.q_end);
}
Tensor keys(const Tensor& t, const AttentionBlock& b) {
  return rows(t, b.k_begin, b.k_end);
}

std::optional<Tensor> mask_of(const AttentionBlock& block, at::ScalarType dtype) {
  return block.mask.defined() ? std::optional(block.mask.to(dtype)) : std::nullopt;
}

// Adds the result of a further block to that of the blocks before it: both are softmax averages over their
// own keys, with log-sum-exp `lse` and `lse_more`; all in f32. out [1, H, T, d], lse [1, H, T].
void merge(Tensor& out, Tensor& lse, const Tensor& more, const Tensor& lse_more) {
  const auto total = at::logaddexp(lse, lse_more);
  out.mul_((lse - total).exp_().unsqueeze(-1)).add_(more * (lse_more - total).exp_().unsqueeze(-1));
  lse.copy_(total);
}

struct Result {
  Tensor out, lse;  // [N, Hq, d]; [N, Hq]
};

Result forward_blocks(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionPlan& plan,
                      double scale) {
  const auto dtype = q.scalar_type();
  const auto wide = dtype == at::kDouble ? at::kDouble : at::kFloat;
  Result r{at::empty_like(q, at::MemoryFormat::Contiguous),
           at::empty({q.size(0), q.size(1)}, q.options().dtype(wide))};
  for (const auto& blocks : plan.segments) {
    const auto& own = blocks.front();
    const auto out_rows = queries(r.out, own);
    const auto lse_rows = r.lse.narrow(0, own.q_begin, own.q_end - own.q_begin).t().unsqueeze(0);
    auto [out, lse] = at::_scaled_dot_product_flash_attention_for_cpu(
        queries(q, own), keys(k, own), keys(v, own), 0, own.causal, mask_of(own, dtype), scale);
    if (blocks.size() > 1) out = out.to(wide);
    for (size_t i = 1; i < blocks.size(); ++i) {
      const auto& block = blocks[i];
      const auto count = block.q_end - block.q_begin;
      const auto [more, lse_more] = at::_scaled_dot_product_flash_attention_for_cpu(
          queries(q, block), keys(k, block), keys(v, block), 0, false, mask_of(block, dtype), scale);
      auto seen = out.narrow(2, 0, count), lse_seen = lse.narrow(2, 0, count);
      merge(seen, lse_seen, more.to(wide), lse_more);
    }
    out_rows.copy_(out);
    lse_rows.copy_(lse);
  }
  return r;
}

// The gradient of a block needs only the merged result and log-sum-exp, so blocks are independent and add up.
void backward_blocks(const Tensor& grad, const Tensor& q, const Tensor& k, const Tensor& v, const Result& r,
                     const AttentionPlan& plan, double scale, Tensor& dq, Tensor& dk, Tensor& dv) {
  for (const auto& blocks : plan.segments) {
    for (size_t i = 0; i < blocks.size(); ++i) {
      const auto& block = blocks[i];
      const auto lse = r.lse.narrow(0, block.q_begin, block.q_end - block.q_begin).t().unsqueeze(0);
      const auto [gq, gk, gv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
          queries(grad, block), queries(q, block), keys(k, block), keys(v, block), queries(r.out, block), lse,
          0, block.causal, mask_of(block, q.scalar_type()), scale);
      // Parents come before their children, so the own block of a segment is the first to write its rows.
      if (i == 0) {
        queries(dq, block).copy_(gq);
        keys(dk, block).copy_(gk);
        keys(dv, block).copy_(gv);
      } else {
        queries(dq, block).add_(gq);
        keys(dk, block).add_(gk);
        keys(dv, block).add_(gv);
      }
    }
  }
}

struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(std::shared_ptr<const AttentionPlan> p) : plan(std::move(p)) {}
  std::shared_ptr<const AttentionPlan> plan;
};

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                        const std::shared_ptr<const AttentionPlan>& plan, const AttentionOptions& options) {
    const auto& rope = options.rope;
    const bool turned = rope.cos.defined();
    const auto rq = turned ? rotate(q, rope) : q, rk = turned ? rotate(k, rope) : k;
    const auto r = forward_blocks(rq, rk, v, *plan, options.scale);
    ctx->save_for_backward({rq, rk, v, r.out, r.lse, rope.cos, rope.sin});
    ctx->saved_data["plan"] = c10::IValue::make_capsule(c10::make_intrusive<PlanHolder>(plan));
    ctx->saved_data["scale"] = options.scale;
    return r.out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2];
    const auto& plan = *static_cast<const PlanHolder*>(ctx->saved_data["plan"].toCapsule().get())->plan;
    // A shared prompt gathers the gradients of all its children: in f32.
    const auto wide = plan.shared && q.scalar_type() != at::kDouble ? at::kFloat : q.scalar_type();
    const auto room = [&](const Tensor& t) { return at::empty(t.sizes(), t.options().dtype(wide)); };
    Tensor dq = room(q), dk = room(k), dv = room(v);
    backward_blocks(grads[0].to(q.scalar_type()), q, k, v, {saved[3], saved[4]}, plan,
                    ctx->saved_data["scale"].toDouble(), dq, dk, dv);
    if (saved[5].defined()) {
      dq = rotate(dq, {saved[5], saved[6]}, true);
      dk = rotate(dk, {saved[5], saved[6]}, true);
    }
    return {dq.to(q.scalar_type()), dk.to(k.scalar_type()), dv.to(v.scalar_type()), {}, {}};
  }
};

// Which rows see which, [N, N] bool: for devices and options that the blocks above do not serve.
Tensor visibility(const AttentionPlan& plan, int64_t tokens) {
  auto visible = at::zeros({tokens, tokens}, at::kBool);
  for (const auto& blocks : plan.segments) {
    for (const auto& b : blocks) {
      auto part = visible.narrow(0, b.q_begin, b.q_end - b.q_begin).narrow(1, b.k_begin, b.k_end - b.k_begin);
      auto seen = at::ones_like(part);
      if (b.causal) seen = seen.tril();
      if (b.mask.defined()) seen = b.mask.squeeze(0).squeeze(0) == 0;
      part.copy_(seen);
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
  for (const auto& blocks : plan.segments) {
    const auto& own = blocks.front();
    std::vector<Tensor> ks, vs, masks;
    const auto seen = visible.narrow(0, own.q_begin, own.q_end - own.q_begin);
    for (const auto& b : blocks) {
      ks.push_back(k.narrow(0, b.k_begin, b.k_end - b.k_begin));
      vs.push_back(v.narrow(0, b.k_begin, b.k_end - b.k_begin));
      masks.push_back(seen.narrow(1, b.k_begin, b.k_end - b.k_begin));
    }
    const bool plain = blocks.size() == 1 && own.causal;
    const auto mask = plain ? std::nullopt : std::optional(at::cat(masks, 1).unsqueeze(0).unsqueeze(0));
    parts.push_back(at::scaled_dot_product_attention(queries(q, own), heads_first(at::cat(ks)),
                                                     heads_first(at::cat(vs)), mask, 0, plain, options.scale,
                                                     q.size(1) != k.size(1))
                        .squeeze(0)
                        .transpose(0, 1));
  }
  return at::cat(parts);
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
  if (q.is_cpu() && !options.softcap) return PackedAttention::apply(q, k, v, plan, options);
  const auto& rope = options.rope;
  const auto turned = [&](const Tensor& t) {
    return rope.cos.defined() ? Rotate::apply(t, rope.cos, rope.sin) : t;
  };
  return generic_attention(turned(q), turned(k), v, *plan, options);
}

}  // namespace plaudit
