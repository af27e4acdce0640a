#include "plaudit/train/control_actor.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/json_view.h"
#include "plaudit/objective/sac.h"

namespace plaudit {
namespace {

GruWeights make_gru(int64_t inputs, int64_t hidden, Rng rng) {
  const auto xavier = [&](int64_t out, int64_t in) {
    const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
    return ((2 * rng.uniform_tensor({out, in}) - 1) * bound).set_requires_grad(true);
  };
  const auto zeros = [&] { return at::zeros({3 * hidden}, at::kFloat).set_requires_grad(true); };
  return {xavier(3 * hidden, inputs), xavier(3 * hidden, hidden), zeros(), zeros()};
}

constexpr double kSmallHead = 1e-3;  // of actors under small_head, as EDAC

}  // namespace

ControlActor::ControlActor(const ControlActorOptions& o, Rng rng) : options_(o) {
  const Check check("train.control_actor");
  check.choice("kind", o.kind, {"mlp", "gru", "deterministic", "gaussian"});
  check.that(o.observations >= 1, "observations", ">= 1", o.observations);
  check.that(o.actions >= 1, "actions", ">= 1", o.actions);
  for (const auto size : o.hidden) check.that(size >= 1, "hidden", ">= 1", size);
  check.choice("init", o.init, {"xavier", "uniform", "small_head"});
  if (o.kind != "gru") {
    const int64_t outputs = o.kind == "mlp" ? 2 * o.actions : o.actions;
    encoder_ = Mlp(mlp_sizes(o.observations, o.hidden, outputs), 0, rng.child("actor"),
                   linear_init_of(o.init), kSmallHead);
    if (o.kind == "gaussian")
      log_std_ = at::full({o.actions}, o.log_std_start, at::kFloat).set_requires_grad(true);
    return;
  }
  if (o.hidden.size() != 2 || o.hidden[0] != o.hidden[1])
    check.refuse(ErrorKind::value, "hidden", "must be two equal sizes for a gru: encoder and state");
  const auto h = o.hidden[0];
  encoder_ = Mlp({o.observations, h, h}, 0, rng.child("encoder"), LinearInit::xavier);
  gru_ = make_gru(o.actions, h, rng.child("gru"));
  heads_ = Mlp({h, 2 * o.actions}, 0, rng.child("heads"), LinearInit::xavier);
}

ActionSequence ControlActor::sample(const at::Tensor& observations, const at::Tensor& previous,
                                    const at::Tensor& noise) const {
  if (!squashed_law()) bug("train.control_actor", "sample is of mlp and gru");
  std::vector<at::Tensor> actions, logps;
  auto hidden = encoder_(observations);
  auto last = previous;
  for (int64_t j = 0; j < noise.size(1); ++j) {
    auto law = hidden;
    if (gru_.w_ih.defined()) {
      hidden = gru_cell(last, hidden, gru_);
      law = heads_(hidden);
    }
    const auto halves = law.chunk(2, 1);
    const auto log_std = options_.log_std_min > -20 ? halves[1].clamp_min(options_.log_std_min) : halves[1];
    const auto drawn = tanh_gaussian_sample(halves[0], log_std, noise.select(1, j));
    actions.push_back(drawn.action);
    logps.push_back(drawn.logp);
    last = drawn.action;
  }
  return {at::stack(actions, 1), at::stack(logps, 1)};
}

at::Tensor ControlActor::mean(const at::Tensor& observations) const {
  if (squashed_law()) bug("train.control_actor", "mean is of deterministic and gaussian");
  return encoder_(observations).tanh();
}

at::Tensor ControlActor::log_std() const {
  if (!log_std_.defined()) bug("train.control_actor", "this law is of gaussian");
  return log_std_.clamp(options_.log_std_min, 2);
}

at::Tensor ControlActor::log_density(const at::Tensor& mean, const at::Tensor& actions) const {
  const auto log_deviation = log_std();
  const auto z = (actions - mean) * (-log_deviation).exp();
  return (-0.5 * z.square() - log_deviation - 0.5 * std::log(2 * M_PI)).sum(1);
}

at::Tensor ControlActor::draw(const at::Tensor& mean, const at::Tensor& noise) const {
  return mean + log_std().exp() * noise;
}

at::Tensor ControlActor::entropy() const {
  return (log_std() + 0.5 * std::log(2 * M_PI) + 0.5).sum();
}

at::Tensor ControlActor::scaled(const at::Tensor& observations) const {
  return scale_mean_.defined() ? (observations - scale_mean_) / scale_std_ : observations;
}

at::Tensor ControlActor::act(const at::Tensor& observations, const at::Tensor& previous,
                             int64_t length) const {
  const at::NoGradGuard no_grad;
  const auto seen = scaled(observations);
  const int64_t own = gru_.w_ih.defined() ? length : 1;
  const auto noise = [&] { return at::zeros({seen.size(0), own, options_.actions}, seen.options()); };
  const auto actions = squashed_law() ? sample(seen, previous, noise()).actions : mean(seen).unsqueeze(1);
  return execute_actions(actions, length, own == length ? "sequence" : "repeat");
}

void ControlActor::set_scale(const at::Tensor& mean, const at::Tensor& std) {
  const Check check("train.control_actor");
  check.shape("mean", mean, {options_.observations});
  check.shape("std", std, {options_.observations});
  check.finite("mean", mean);
  check.finite("std", std);
  scale_mean_ = mean.to(at::kFloat);
  scale_std_ = std.to(at::kFloat);
}

std::vector<Parameter> ControlActor::trainable() const {
  std::vector<Parameter> out = {{"encoder", encoder_.flat()}};
  if (log_std_.defined()) out.push_back({"log_std", log_std_});
  if (gru_.w_ih.defined())
    out.insert(out.end(), {{"gru.weight_ih", gru_.w_ih},
                           {"gru.weight_hh", gru_.w_hh},
                           {"gru.bias_ih", gru_.b_ih},
                           {"gru.bias_hh", gru_.b_hh},
                           {"heads", heads_.flat()}});
  return out;
}

std::vector<Parameter> ControlActor::parameters() const {
  auto out = encoder_.parameters("encoder");
  if (log_std_.defined()) out.push_back({"log_std", log_std_.detach()});
  if (gru_.w_ih.defined()) {
    out.insert(out.end(), {{"gru.weight_ih", gru_.w_ih},
                           {"gru.weight_hh", gru_.w_hh},
                           {"gru.bias_ih", gru_.b_ih},
                           {"gru.bias_hh", gru_.b_hh}});
    const auto heads = heads_.parameters("heads");
    out.insert(out.end(), heads.begin(), heads.end());
  }
  if (scale_mean_.defined())
    out.insert(out.end(), {{"observation.mean", scale_mean_}, {"observation.std", scale_std_}});
  return out;
}

ControlActor ControlActor::copy() const {
  if (gru_.w_ih.defined()) bug("train.control_actor", "copy is not of gru");
  ControlActor out = *this;
  out.encoder_ = encoder_.copy();
  if (log_std_.defined()) out.log_std_ = log_std_.detach().clone();
  return out;
}

void ControlActor::follow(const ControlActor& source, double tau) const {
  encoder_.follow(source.encoder_, tau);
  if (log_std_.defined()) log_std_.detach().lerp_(source.log_std_.detach(), tau);
}

void save_actor(const ControlActor& actor, const std::string& folder) {
  const auto& o = actor.options();
  write_json(folder + "/actor.json", {{"kind", o.kind},
                                      {"observations", o.observations},
                                      {"actions", o.actions},
                                      {"hidden", o.hidden},
                                      {"log_std_min", o.log_std_min}});
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : actor.parameters()) tensors[name] = tensor.detach();
  save_safetensors(folder + "/actor.safetensors", tensors);
}

ControlActor load_actor(const std::string& folder) {
  const auto file = JsonFile::read(folder + "/actor.json");
  const auto view = file.view();
  ControlActorOptions o{
      view.at("kind").text(), view.at("observations").integer(), view.at("actions").integer(), {}, "xavier"};
  for (const auto& size : view.at("hidden").list()) o.hidden.push_back(size.integer());
  if (const auto least = view.find("log_std_min")) o.log_std_min = least->json().get<double>();
  ControlActor actor(o, Rng(0, "load"));
  const auto path = folder + "/actor.safetensors";
  const auto stored = load_safetensors(path).tensors;
  const auto mean = stored.find("observation.mean"), std = stored.find("observation.std");
  if (mean != stored.end() && std != stored.end()) actor.set_scale(mean->second, std->second);
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : actor.parameters()) {
    const auto found = stored.find(name);
    if (found == stored.end()) fail(ErrorKind::value, path, name + " is missing");
    if (found->second.sizes() != tensor.sizes())
      fail(ErrorKind::shape, path,
           fmt::format("{} has shape {}, expected {}", name, shape_of(found->second), shape_of(tensor)));
    tensor.detach().copy_(found->second);
  }
  return actor;
}

}  // namespace plaudit
