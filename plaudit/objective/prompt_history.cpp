#include "plaudit/objective/prompt_history.h"

#include <ATen/ATen.h>

#include <charconv>
#include <cmath>

#include "plaudit/core/call.h"
#include "plaudit/core/registry.h"
#include "plaudit/core/tensors.h"

namespace plaudit {
namespace {

struct Spread {
  double mean, std;
};

Spread spread_of(const std::vector<double>& values) {
  double mean = 0, square = 0;
  for (const double x : values) mean += x / static_cast<double>(values.size());
  for (const double x : values) square += (x - mean) * (x - mean) / static_cast<double>(values.size());
  return {mean, std::sqrt(square)};
}

}  // namespace

Tensor per_prompt_normalize(const Tensor& rewards, const Tensor& prompt_ids, RewardHistory& history,
                            const PromptNormalizeOptions& options) {
  const Check check("advantage.per_prompt_normalize");
  check.not_empty("rewards", rewards);
  check.dim("rewards", rewards, 1);
  check.same_shape("rewards", rewards, "prompt_ids", prompt_ids);
  if (prompt_ids.is_floating_point()) check.refuse(ErrorKind::type, "prompt_ids", "must hold integers");
  check.finite("rewards", rewards);
  check.that(options.buffer_size >= 1, "buffer_size", ">= 1", options.buffer_size);
  check.that(options.min_count >= 1, "min_count", ">= 1", options.min_count);
  check.that(options.eps > 0, "eps", "> 0", options.eps);

  const auto r = on_cpu_f64(rewards);
  const auto ids = prompt_ids.to(at::kCPU, at::kLong).contiguous();
  const std::vector<double> batch(r.const_data_ptr<double>(), r.const_data_ptr<double>() + r.numel());
  for (size_t i = 0; i < batch.size(); ++i) {
    auto& past = history[ids.const_data_ptr<int64_t>()[i]];
    past.push_back(batch[i]);
    // A history that was kept under a larger size is cut down to this one.
    while (static_cast<int64_t>(past.size()) > options.buffer_size) past.erase(past.begin());
  }
  const auto whole = spread_of(batch);
  std::vector<double> advantages;
  for (size_t i = 0; i < batch.size(); ++i) {
    const auto& past = history[ids.const_data_ptr<int64_t>()[i]];
    const auto s = static_cast<int64_t>(past.size()) >= options.min_count ? spread_of(past) : whole;
    advantages.push_back((batch[i] - s.mean) / (s.std + options.eps));
  }
  return at::tensor(advantages, at::kDouble).to(as_real(rewards).options());
}

namespace {

RewardHistory read_history(const std::string& text) {
  const Check check("advantage.per_prompt_normalize");
  const auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) check.refuse(ErrorKind::type, "history", "must be an object {prompt id: [rewards]}");
  RewardHistory history;
  for (const auto& [key, values] : json.items()) {
    int64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc{} || end != key.data() + key.size() || !values.is_array())
      check.refuse(ErrorKind::type, "history", "must map integers to lists, got '" + key + "'");
    for (const auto& value : values) {
      if (!value.is_number())
        check.refuse(ErrorKind::type, "history", "must hold numbers, got " + value.dump());
      history[id].push_back(value.get<double>());
    }
  }
  return history;
}

std::string write_history(const RewardHistory& history) {
  Json json = Json::object();
  for (const auto& [id, values] : history) json[std::to_string(id)] = values;
  return json.dump();
}

}  // namespace

PLAUDIT_FUNCTIONS(advantage, m) {
  m.def(
      "per_prompt_normalize(Tensor rewards, Tensor prompt_ids, str history='{}', int buffer_size=16, int "
      "min_count=16, "
      "float eps=1e-06) -> (Tensor advantages, str history)",
      [](const Tensor& rewards, const Tensor& prompt_ids, const std::string& text, int64_t buffer_size,
         int64_t min_count, double eps) {
        auto history = read_history(text);
        auto advantages = per_prompt_normalize(rewards, prompt_ids, history, {buffer_size, min_count, eps});
        return std::tuple(std::move(advantages), write_history(history));
      },
      "Rewards normalised by the recent rewards of their prompt.", {"09"});
}

}  // namespace plaudit
