#include "plaudit/data/control_data.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

struct Column {
  const char* name;
  Tensor* values;
  int64_t dims;
};

// The first entry that `wrong` marks, as "observations[12,3]".
std::string first_entry(const char* name, const Tensor& wrong) {
  const auto at = wrong.nonzero()[0];
  std::string index;
  for (int64_t d = 0; d < at.size(0); ++d)
    index += fmt::format("{}{}", d == 0 ? "" : ",", at[d].item<int64_t>());
  return fmt::format("{}[{}]", name, index);
}

// The value that `wrong` marks first.
double first_value(const Tensor& values, const Tensor& wrong) {
  return values.masked_select(wrong)[0].item<double>();
}

void check_finite_column(const std::string& source, const char* name, const Tensor& values) {
  const auto wrong = values.isfinite().logical_not();
  if (!wrong.any().item<bool>()) return;
  fail(ErrorKind::nan, source, fmt::format("{} is {}", first_entry(name, wrong), first_value(values, wrong)));
}

// [N] or [N,1] as [N].
void flatten_column(Tensor& values) {
  if (values.defined() && values.dim() == 2 && values.size(1) == 1) values = values.squeeze(1);
}

void make_flags(const std::string& source, const char* name, Tensor& values) {
  if (values.scalar_type() != at::kBool) {
    const auto wrong = values.ne(0).logical_and(values.ne(1));
    if (wrong.any().item<bool>())
      fail(ErrorKind::value, source,
           fmt::format("{} must be 0 or 1, got {}", first_entry(name, wrong),
                       first_value(values.to(at::kDouble), wrong)));
  }
  values = values.to(at::kBool).contiguous();
}

void check_columns(const std::string& source, const std::vector<Column>& columns, int64_t rows) {
  for (const auto& [name, values, dims] : columns) {
    if (!values->defined()) fail(ErrorKind::value, source, fmt::format("the column '{}' is missing", name));
    if (values->dim() != dims || values->size(0) != rows)
      fail(ErrorKind::shape, source,
           fmt::format("{} must have shape [{}{}] like rewards, got {}", name, rows,
                       dims == 2 ? ",width" : "", shape_of(*values)));
    if (dims == 2 && values->size(1) == 0)
      fail(ErrorKind::empty, source, fmt::format("{} has no columns: shape {}", name, shape_of(*values)));
  }
}

}  // namespace

ControlData checked_control_data(ControlData data, const std::string& source) {
  for (auto* values : {&data.rewards, &data.terminals, &data.timeouts}) flatten_column(*values);
  if (!data.rewards.defined()) fail(ErrorKind::value, source, "the column 'rewards' is missing");
  if (data.rewards.dim() != 1)
    fail(ErrorKind::shape, source, "rewards must have shape [N], got " + shape_of(data.rewards));
  if (data.rewards.numel() == 0) fail(ErrorKind::empty, source, "holds no transition");
  std::vector<Column> columns = {
      {"observations", &data.observations, 2}, {"actions", &data.actions, 2}, {"rewards", &data.rewards, 1}};
  if (data.next_observations.defined()) columns.push_back({"next_observations", &data.next_observations, 2});
  const std::vector<Column> flags = {{"terminals", &data.terminals, 1}, {"timeouts", &data.timeouts, 1}};
  check_columns(source, columns, data.size());
  check_columns(source, flags, data.size());
  if (data.next_observations.defined() && data.next_observations.size(1) != data.observations.size(1))
    fail(ErrorKind::shape, source,
         fmt::format("observations {} and next_observations {} must be of one width",
                     shape_of(data.observations), shape_of(data.next_observations)));
  for (const auto& [name, values, dims] : columns) {
    check_finite_column(source, name, *values);
    *values = values->to(at::kFloat).contiguous();
    check_finite_column(source, name, *values);  // an f64 may lie beyond the range of f32
  }
  for (const auto& [name, values, dims] : flags) make_flags(source, name, *values);
  if (!data.terminals.any().item<bool>() && !data.timeouts.any().item<bool>())
    fail(ErrorKind::value, source,
         fmt::format("no episode ends: terminals and timeouts are 0 in all {} rows; give max_episode_steps",
                     data.size()));
  for (const auto& [name, values] : data.infos)
    if (values.dim() < 1 || values.size(0) != data.size())
      fail(ErrorKind::shape, source,
           fmt::format("infos/{} must have {} rows, got {}", name, data.size(), shape_of(values)));
  data.episode_starts = episode_starts(data.terminals, data.timeouts);
  return data;
}

void check_widths(const ControlData& data, const std::string& source, const std::string& environment,
                  int64_t observations, int64_t actions) {
  const int64_t s = data.observations.size(1), a = data.actions.size(1);
  if (s == observations && a == actions) return;
  fail(ErrorKind::shape, source,
       fmt::format("has observations of {} and actions of {} numbers, {} has {} and {}", s, a, environment,
                   observations, actions));
}

Tensor episode_starts(const Tensor& terminals, const Tensor& timeouts) {
  const auto ends = terminals.logical_or(timeouts);
  const auto after = ends.slice(0, 0, ends.size(0) - 1).nonzero().squeeze(1) + 1;
  return at::cat({at::zeros({1}, at::kLong), after});
}

std::vector<EpisodeRange> episode_ranges(const ControlData& data) {
  const auto starts = data.episode_starts.contiguous();
  const auto* start = starts.const_data_ptr<int64_t>();
  const auto* terminal = data.terminals.const_data_ptr<bool>();
  const auto* timeout = data.timeouts.const_data_ptr<bool>();
  std::vector<EpisodeRange> out;
  for (int64_t e = 0; e < starts.size(0); ++e) {
    const int64_t stop = e + 1 < starts.size(0) ? start[e + 1] : data.size();
    const auto end = terminal[stop - 1]  ? EpisodeEnd::terminal
                     : timeout[stop - 1] ? EpisodeEnd::timeout
                                         : EpisodeEnd::cut;
    out.push_back({start[e], stop - start[e], end});
  }
  return out;
}

Tensor episode_returns(const ControlData& data) {
  std::vector<double> returns;
  const auto* reward = data.rewards.const_data_ptr<float>();
  for (const auto& episode : episode_ranges(data)) {
    if (episode.end == EpisodeEnd::cut) continue;
    double sum = 0;
    for (int64_t i = 0; i < episode.steps; ++i) sum += reward[episode.start + i];
    returns.push_back(sum);
  }
  if (returns.empty()) fail(ErrorKind::empty, "data.episode_returns", "no episode ends in the data");
  return at::tensor(returns, at::kDouble);
}

TransitionTensors transitions_of(const ControlData& data, bool terminate_on_end) {
  if (data.next_observations.defined())
    return {data.observations, data.actions, data.rewards, data.next_observations,
            data.terminals.to(at::kFloat)};
  auto out = qlearning_dataset(data.observations, data.actions, data.rewards, data.terminals.to(at::kFloat),
                               data.timeouts.to(at::kFloat), terminate_on_end);
  if (out.rewards.numel() == 0)
    fail(ErrorKind::empty, "control data",
         "hold no transition: no row has a next one that its time limit does not end");
  return out;
}

ControlData joined(const ControlData& first, const ControlData& second) {
  const auto cat = [](const Tensor& a, const Tensor& b) { return at::cat({a, b}); };
  ControlData out{.observations = cat(first.observations, second.observations),
                  .actions = cat(first.actions, second.actions),
                  .rewards = cat(first.rewards, second.rewards),
                  .terminals = cat(first.terminals, second.terminals),
                  .timeouts = cat(first.timeouts, second.timeouts),
                  .metadata = first.metadata};
  if (first.next_observations.defined() && second.next_observations.defined())
    out.next_observations = cat(first.next_observations, second.next_observations);
  // An episode that the first one cuts must not run on into the second.
  const int64_t last = first.size() - 1;
  if (!out.terminals[last].item<bool>()) out.timeouts[last] = true;
  for (const auto& [name, values] : first.infos)
    if (const auto found = second.infos.find(name); found != second.infos.end())
      out.infos[name] = cat(values, found->second);
  out.episode_starts = episode_starts(out.terminals, out.timeouts);
  return out;
}

ControlData rows_of(const ControlData& data, int64_t start, int64_t rows) {
  const auto part = [&](const Tensor& t) { return t.defined() ? t.narrow(0, start, rows).contiguous() : t; };
  ControlData out{.observations = part(data.observations),
                  .actions = part(data.actions),
                  .rewards = part(data.rewards),
                  .next_observations = part(data.next_observations),
                  .terminals = part(data.terminals),
                  .timeouts = part(data.timeouts),
                  .metadata = data.metadata};
  for (const auto& [name, values] : data.infos) out.infos[name] = part(values);
  out.episode_starts = episode_starts(out.terminals, out.timeouts);
  return out;
}

}  // namespace plaudit
