#include "plaudit/data/reward_files.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plaudit/core/call.h"
#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"
#include "plaudit/data/jsonl.h"

namespace plaudit {
namespace {

// The named tensors of a file, whatever its format.
struct Fields {
  std::string path;
  std::map<std::string, at::Tensor> tensors;
  std::vector<std::string> reward_names;  // in the order of the file; sorted in safetensors
  std::optional<double> gamma;

  [[noreturn]] void refuse(ErrorKind kind, const std::string& field, const std::string& message) const {
    fail(kind, path, field + " " + message);
  }
  const at::Tensor& need(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      std::vector<std::string> names;
      for (const auto& [other, tensor] : tensors) names.push_back(other);
      refuse(ErrorKind::value, name, "is missing" + suggestion(name, names));
    }
    return found->second;
  }
  void need_rewards() const {
    if (reward_names.size() < 2)
      refuse(ErrorKind::empty, "rewards",
             fmt::format("must name two rewards to compare, got {}", reward_names.size()));
  }
};

bool is_safetensors(const std::string& path) {
  return path.size() > 12 && path.substr(path.size() - 12) == ".safetensors";
}

double read_gamma(const std::string& path, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0')
    fail(ErrorKind::type, path, "gamma in the metadata must be a number, got '" + text + "'");
  return value;
}

Fields fields_of_safetensors(const std::string& path) {
  const auto file = load_safetensors(path);
  Fields out{path, {}, {}, {}};
  const std::string prefix = "rewards/";
  for (const auto& [name, tensor] : file.tensors) {
    out.tensors[name] = tensor.to(at::kDouble);
    if (name.rfind(prefix, 0) == 0) out.reward_names.push_back(name.substr(prefix.size()));
  }
  if (file.metadata.count("gamma") > 0) out.gamma = read_gamma(path, file.metadata.at("gamma"));
  return out;
}

// Takes the fields of one JSON object; `tensor` gets each of them.
template <class Take>
void for_each_field(const std::string& where, const Json& object, const Take& take) {
  if (!object.is_object()) fail(ErrorKind::type, where, "must be an object");
  for (const auto& [name, value] : object.items()) {
    if (name != "rewards") {
      take(name, value);
      continue;
    }
    if (!value.is_object()) fail(ErrorKind::type, where, "rewards must be an object of names");
    for (const auto& [reward, numbers] : value.items()) take("rewards/" + reward, numbers);
  }
}

// "true" and "false" stand for 1 and 0.
at::Tensor numbers_of(const Json& value, const std::string& where) {
  return tensor_from_json(value, where).to(at::kDouble);
}

Fields fields_of_json(const std::string& path) {
  Fields out{path, {}, {}, {}};
  for_each_field(path, read_json(path), [&](const std::string& name, const Json& value) {
    if (name == "gamma") {
      if (!value.is_number()) out.refuse(ErrorKind::type, name, "must be a number");
      out.gamma = value.get<double>();
      return;
    }
    out.tensors[name] = numbers_of(value, path + ": " + name);
    if (name.rfind("rewards/", 0) == 0) out.reward_names.push_back(name.substr(8));
  });
  return out;
}

Fields fields_of_json_lines(const std::string& path) {
  Fields out{path, {}, {}, {}};
  std::map<std::string, std::vector<at::Tensor>> columns;
  std::vector<std::string> order;
  int64_t rows = 0;
  for_each_json_line(path, [&](RawRecord record) {
    const auto where = fmt::format("{}:{}", path, record.line);
    if (!record.problem.empty()) fail(ErrorKind::type, where, record.problem);
    std::vector<std::string> names;
    for_each_field(where, record.value, [&](const std::string& name, const Json& value) {
      auto row = numbers_of(value, where + ": " + name);
      auto& column = columns[name];
      if (rows == 0) order.push_back(name);
      if (static_cast<int64_t>(column.size()) != rows)
        fail(ErrorKind::value, where, name + " is not in the first line");
      if (!column.empty() && column.front().sizes() != row.sizes())
        fail(
            ErrorKind::shape, where,
            fmt::format("{} has shape {}, the first line {}", name, shape_of(row), shape_of(column.front())));
      if (!at::isfinite(row).all().item<bool>()) fail(ErrorKind::nan, where, name + " holds NaN or infinity");
      column.push_back(std::move(row));
    });
    ++rows;
    for (const auto& name : order)
      if (static_cast<int64_t>(columns[name].size()) != rows)
        fail(ErrorKind::value, where, name + " is missing");
    return true;
  });
  if (rows == 0) fail(ErrorKind::empty, path, "has no transition");
  for (const auto& name : order) {
    out.tensors[name] = at::stack(columns[name]);
    if (name.rfind("rewards/", 0) == 0) out.reward_names.push_back(name.substr(8));
  }
  return out;
}

// A reward of the table's sizes from one that leaves out the successor, or the action too.
at::Tensor broadcast_reward(const Fields& file, const std::string& name, const at::Tensor& transition) {
  auto reward = file.need("rewards/" + name);
  const auto sizes = transition.sizes();
  const auto refuse = [&] {
    file.refuse(ErrorKind::shape, "rewards/" + name,
                fmt::format("must have shape {}, or its first two or one sizes, got {}", shape_of(transition),
                            shape_of(reward)));
  };
  const auto original = reward;
  while (reward.dim() < 3) reward = reward.unsqueeze(-1);
  if (original.dim() < 1 || original.dim() > 3) refuse();
  for (int64_t d = 0; d < original.dim(); ++d)
    if (original.size(d) != sizes[static_cast<size_t>(d)]) refuse();
  return reward.expand(sizes).contiguous();
}

}  // namespace

RewardTables read_reward_tables(const std::string& path) {
  const auto file = is_safetensors(path) ? fields_of_safetensors(path) : fields_of_json(path);
  file.need_rewards();
  RewardTables out{file.need("transition"), {}, file.gamma, {}};
  const auto& p = out.transition;
  if (p.dim() != 3 || p.size(0) != p.size(2))
    file.refuse(ErrorKind::shape, "transition", "must have shape [S, A, S], got " + shape_of(p));
  if (p.numel() == 0) file.refuse(ErrorKind::empty, "transition", "is empty, shape " + shape_of(p));
  out.initial = file.tensors.count("initial") > 0
                    ? file.need("initial")
                    : at::full({p.size(0)}, 1 / static_cast<double>(p.size(0)), at::kDouble);
  for (const auto& name : file.reward_names) out.rewards.emplace_back(name, broadcast_reward(file, name, p));
  return out;
}

const at::Tensor* RewardTransitions::find_inner(const std::string& name) const {
  const auto found =
      std::find_if(inner.begin(), inner.end(), [&](const auto& entry) { return entry.first == name; });
  return found == inner.end() ? nullptr : &found->second;
}

RewardTransitions read_reward_transitions(const std::string& path) {
  const auto file = is_safetensors(path) ? fields_of_safetensors(path) : fields_of_json_lines(path);
  file.need_rewards();
  RewardTransitions out;
  out.gamma = file.gamma;
  out.states = file.need("s");
  out.next_states = file.need("s2");
  if (out.states.dim() == 1) out.states = out.states.unsqueeze(1);  // one number a state
  const auto rows = out.states.size(0);
  if (out.states.numel() == 0) file.refuse(ErrorKind::empty, "s", "is empty, shape " + shape_of(out.states));
  if (out.next_states.dim() == 1) out.next_states = out.next_states.unsqueeze(1);
  if (out.next_states.dim() == 2) out.next_states = out.next_states.unsqueeze(1);
  const auto& next = out.next_states;
  if (out.states.dim() != 2 || next.dim() != 3 || next.size(0) != rows || next.size(1) < 1 ||
      next.size(2) != out.states.size(1))
    file.refuse(ErrorKind::shape, "s2",
                fmt::format("must hold the successors of s, shape {}, got {}", shape_of(out.states),
                            shape_of(file.need("s2"))));
  out.terminal = file.tensors.count("done") > 0 ? file.need("done") : at::zeros({rows}, at::kDouble);
  if (out.terminal.dim() != 1 || out.terminal.size(0) != rows)
    file.refuse(ErrorKind::shape, "done",
                fmt::format("must have shape [{}], got {}", rows, shape_of(out.terminal)));
  for (const auto& name : file.reward_names) {
    auto reward = file.need("rewards/" + name);
    if (reward.dim() == 1) reward = reward.unsqueeze(1);
    if (reward.dim() != 2 || reward.size(0) != rows ||
        (reward.size(1) != 1 && reward.size(1) != next.size(1)))
      file.refuse(ErrorKind::shape, "rewards/" + name,
                  fmt::format("must have shape [{}] or [{}, {}], got {}", rows, rows, next.size(1),
                              shape_of(file.need("rewards/" + name))));
    out.rewards.emplace_back(name, reward.expand({rows, next.size(1)}).contiguous());
  }
  for (const auto& [name, tensor] : file.tensors)
    if (name.rfind("rewards_", 0) == 0) out.inner.emplace_back(name, tensor);
  return out;
}

}  // namespace plaudit
