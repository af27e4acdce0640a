#include "plaudit/model/project.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "plaudit/core/checks.h"
#include "plaudit/model/row_products.h"

namespace plaudit {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The tensors of one call in one list, as autograd wants them: positions in it, -1 for those that are absent.
struct Slots {
  int64_t x = 0, up = -1, norm_weight = -1, norm_bias = -1;
  struct Linear {
    int64_t weight = -1, bias = -1, a = -1, b = -1;
  };
  std::vector<Linear> linears;
};

struct Plan {
  Slots slots;
  std::optional<Activation> activation;
  double eps = 0;
  bool unit_offset = false;
  struct Adapter {
    double scale = 1, dropout = 0;
    std::optional<uint64_t> key;
  };
  std::vector<Adapter> adapters;  // one per projection; unused where it has none
  at::ScalarType compute = at::kFloat;
};

Tensor at_slot(at::TensorList list, int64_t slot) {
  return slot < 0 ? Tensor() : list[static_cast<size_t>(slot)];
}

// 0 or 1/(1-p), a pure function of the key: the backward pass draws the same mask again.
Tensor dropout_mask(const Tensor& like, double p, uint64_t key) {
  auto generator = at::globalContext().defaultGenerator(like.device()).clone();
  generator.set_current_seed(key);
  return at::empty_like(like).bernoulli_(1 - p, generator).div_(1 - p);
}

Tensor dropped(const Tensor& h, const Plan::Adapter& adapter) {
  if (!adapter.key || adapter.dropout == 0) return h;
  return h * dropout_mask(h, adapter.dropout, *adapter.key);
}

// h, the common input of the products.
Tensor input_of(const Plan& plan, at::TensorList t, NormState& state) {
  const auto& x = t[0];
  if (plan.slots.norm_weight >= 0) {
    const Norm norm{at_slot(t, plan.slots.norm_weight), at_slot(t, plan.slots.norm_bias), plan.eps,
                    plan.unit_offset};
    return norm_forward(x, norm, plan.compute, state);
  }
  if (!plan.activation) return x.to(plan.compute);
  return gated(x, at_slot(t, plan.slots.up), *plan.activation);
}

void input_backward(const Plan& plan, at::TensorList t, const NormState& state, const Tensor& grad,
                    bool need_norm, variable_list& out) {
  const auto& x = t[0];
  const auto put = [&](int64_t slot, const Tensor& value) {
    if (slot >= 0) out[static_cast<size_t>(slot)] = value;
  };
  if (plan.slots.norm_weight >= 0) {
    const Norm norm{at_slot(t, plan.slots.norm_weight), at_slot(t, plan.slots.norm_bias), plan.eps,
                    plan.unit_offset};
    const auto grads = norm_backward(grad, x, norm, state, need_norm);
    put(0, grads.x);
    put(plan.slots.norm_weight, grads.weight);
    put(plan.slots.norm_bias, grads.bias);
  } else if (!plan.activation) {
    put(0, grad.to(x.scalar_type()));
  } else {
    const auto grads = gated_backward(grad, x, at_slot(t, plan.slots.up), *plan.activation);
    put(0, grads.first);
    put(plan.slots.up, grads.second);
  }
}

class ProjectFunction : public torch::autograd::Function<ProjectFunction> {
 public:
  static variable_list forward(AutogradContext* ctx, at::TensorList t,
                               const std::shared_ptr<const Plan>& plan) {
    NormState state;
    const auto h = input_of(*plan, t, state);
    variable_list outputs, saved(t.begin(), t.end());
    for (size_t i = 0; i < plan->slots.linears.size(); ++i) {
      const auto& linear = plan->slots.linears[i];
      const auto bias = at_slot(t, linear.bias);
      auto y = product(h, t[static_cast<size_t>(linear.weight)].to(plan->compute).t(),
                       bias.defined() ? bias.to(plan->compute) : bias);
      if (linear.a >= 0) {
        const auto low = product(dropped(h, plan->adapters[i]), at_slot(t, linear.a).to(plan->compute).t());
        add_product(y, low, at_slot(t, linear.b).to(plan->compute).t(), plan->adapters[i].scale);
        saved.push_back(low);
      }
      outputs.push_back(y);
    }
    saved.push_back(state.mean);
    saved.push_back(state.rstd);
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["plan"] = c10::IValue::make_capsule(c10::make_intrusive<PlanHolder>(plan));
    ctx->saved_data["inputs"] = static_cast<int64_t>(t.size());
    ctx->set_materialize_grads(false);
    return outputs;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto inputs = static_cast<size_t>(ctx->saved_data["inputs"].toInt());
    const auto& plan = *static_cast<const PlanHolder*>(ctx->saved_data["plan"].toCapsule().get())->plan;
    Backward pass{*ctx, plan, at::TensorList(saved).slice(0, inputs), at::TensorList(saved).slice(inputs), {},
                  {},   {}};
    return pass.run(grads);
  }

 private:
  struct PlanHolder : torch::CustomClassHolder {
    explicit PlanHolder(std::shared_ptr<const Plan> p) : plan(std::move(p)) {}
    std::shared_ptr<const Plan> plan;
  };

  struct Backward {
    AutogradContext& ctx;
    const Plan& plan;
    at::TensorList t, extra;  // inputs; then the adapters' low-rank results, mean, rstd
    Tensor h, grad_h;
    variable_list out;

    bool needs(int64_t slot) const { return slot >= 0 && ctx.needs_input_grad(static_cast<size_t>(slot)); }
    void put(int64_t slot, const Tensor& value) {
      if (needs(slot)) out[static_cast<size_t>(slot)] = value.to(t[static_cast<size_t>(slot)].scalar_type());
    }
    void add_to_input(const Tensor& grad, const Tensor& weight) {
      if (grad_h.defined())
        add_product(grad_h, grad, weight);
      else
        grad_h = product(grad, weight);
    }

    void linear(size_t i, const Tensor& grad, const Tensor& low, bool need_input) {
      const auto& slot = plan.slots.linears[i];
      if (need_input) add_to_input(grad, at_slot(t, slot.weight).to(plan.compute));
      if (needs(slot.weight)) put(slot.weight, product(grad.t(), h));
      if (needs(slot.bias))
        put(slot.bias, grad.sum(0, false, plan.compute == at::kDouble ? at::kDouble : at::kFloat));
      if (slot.a < 0) return;
      const auto& adapter = plan.adapters[i];
      const auto grad_low = product(grad, at_slot(t, slot.b).to(plan.compute)).mul_(adapter.scale);
      if (needs(slot.b)) put(slot.b, product(grad.t(), low).mul_(adapter.scale));
      if (needs(slot.a)) put(slot.a, product(grad_low.t(), dropped(h, adapter)));
      if (!need_input) return;
      const auto a = at_slot(t, slot.a).to(plan.compute);
      if (!adapter.key || adapter.dropout == 0) {
        add_to_input(grad_low, a);
      } else {
        const auto through = dropped(product(grad_low, a), adapter);
        grad_h = grad_h.defined() ? grad_h.add_(through) : through;
      }
    }

    variable_list run(const variable_list& grads) {
      const auto& s = plan.slots;
      out.resize(t.size() + 1);
      const bool need_norm = needs(s.norm_weight) || needs(s.norm_bias);
      const bool need_input = needs(s.x) || needs(s.up) || need_norm;
      bool need_h = false;
      for (const auto& l : s.linears) need_h = need_h || needs(l.weight) || needs(l.a);
      NormState state{extra[extra.size() - 2], extra[extra.size() - 1]};
      NormState again;
      if (need_h) h = input_of(plan, t, again);
      size_t low = 0;
      for (size_t i = 0; i < s.linears.size(); ++i) {
        const auto stored = s.linears[i].a >= 0 ? extra[low++] : Tensor();
        if (grads[i].defined()) linear(i, grads[i].to(plan.compute), stored, need_input);
      }
      h = Tensor();
      if (need_input && grad_h.defined()) input_backward(plan, t, state, grad_h, need_norm, out);
      return out;
    }
  };
};

}  // namespace

std::vector<Tensor> project(const ProjectionInput& input, const std::vector<Projection>& projections,
                            at::ScalarType compute) {
  auto plan = std::make_shared<Plan>();
  variable_list tensors;
  const auto slot = [&](const Tensor& t) {
    if (!t.defined()) return int64_t{-1};
    tensors.push_back(t);
    return static_cast<int64_t>(tensors.size()) - 1;
  };
  plan->compute = compute;
  plan->slots.x = slot(input.x);
  plan->slots.up = slot(input.up);
  plan->activation = input.activation;
  if (input.norm) {
    plan->slots.norm_weight = slot(input.norm->weight);
    plan->slots.norm_bias = slot(input.norm->bias);
    plan->eps = input.norm->eps;
    plan->unit_offset = input.norm->unit_offset;
  }
  for (const auto& p : projections) {
    const auto* lora = p.lora;
    plan->slots.linears.push_back(
        {slot(p.weight), slot(p.bias), lora ? slot(lora->a) : -1, lora ? slot(lora->b) : -1});
    plan->adapters.push_back({lora ? lora->scale : 1, lora ? lora->dropout : 0, p.dropout_key});
  }
  return ProjectFunction::apply(at::TensorList(tensors), std::shared_ptr<const Plan>(plan));
}

std::vector<Tensor> project_reference(const ProjectionInput& input,
                                      const std::vector<Projection>& projections, at::ScalarType compute) {
  auto h = input.x;
  if (input.norm) {
    const auto& n = *input.norm;
    h = n.bias.defined() ? at::layer_norm(h, {h.size(-1)}, n.weight, n.bias, n.eps)
                         : rms_norm(h, n.weight, n.eps, n.unit_offset);
  }
  if (input.activation) h = activate(h, *input.activation);
  if (input.up.defined()) h = h * input.up;
  h = h.to(compute);
  std::vector<Tensor> outputs;
  for (const auto& p : projections) {
    auto y = at::matmul(h, p.weight.to(compute).t());
    if (p.bias.defined()) y = y + p.bias.to(compute);
    if (p.lora != nullptr) {
      const auto low =
          at::matmul(dropped(h, {p.lora->scale, p.lora->dropout, p.dropout_key}), p.lora->a.to(compute).t());
      y = y + p.lora->scale * at::matmul(low, p.lora->b.to(compute).t());
    }
    outputs.push_back(y);
  }
  return outputs;
}

}  // namespace plaudit
