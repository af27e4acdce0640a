#include "plaudit/reward/program.h"

#include <algorithm>

#include "plaudit/reward/program_eval.h"
#include "plaudit/reward/program_parser.h"

namespace plaudit {
namespace {

ProgramError fault_error(ProgramFault fault, std::string_view source) {
  return {fault.kind,
          fault.line,
          fault.column,
          std::move(fault.message),
          std::move(fault.nearest),
          std::string(program_source_line(source, fault.line).substr(0, 400))};
}

// What eval() reports where even an error message finds no memory.
ProgramErrorKind out_of_memory(RewardOut& out) noexcept {
  out.error.kind = ProgramErrorKind::memory;
  out.error.line = 1;
  out.error.column = 1;
  return ProgramErrorKind::memory;
}

}  // namespace

std::string describe_bindings(const BindingTable& table) {
  std::string out;
  for (const auto& row : table) {
    out += row.path + (row.query ? "()" : "");
    if (!row.type.empty()) out += ": " + row.type;
    if (!row.unit.empty()) out += " [" + row.unit + "]";
    if (!row.doc.empty()) out += "  # " + row.doc;
    out += "\n";
  }
  return out;
}

RewardProgram::Compiled RewardProgram::compile(std::string_view text, BindingTable table,
                                               std::string_view entry) {
  program::ProgramFaults faults;
  auto parts = std::make_shared<Parts>();
  parts->source = text;
  parts->table = std::move(table);
  try {
    parts->module.body = program::program_parse(parts->source, faults);
    program_resolve(*parts, entry, faults);
  } catch (ProgramFault& fault) {
    return {std::nullopt, fault_error(std::move(fault), text)};
  }
  if (!faults.empty()) {
    // The first in source order; what is forbidden was found first and wins at one place.
    auto first = std::min_element(faults.begin(), faults.end(), [](const auto& a, const auto& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return {std::nullopt, fault_error(std::move(*first), text)};
  }
  RewardProgram program;
  program.parts_ = std::move(parts);
  return {std::move(program), {}};
}

const std::string& RewardProgram::source() const {
  return parts_->source;
}

ProgramErrorKind RewardProgram::eval(const ProgramFrame& frame, std::span<const double> action,
                                     RewardOut& out, const ProgramLimits& limits) const noexcept {
  try {
    thread_local program::Machine machine;
    out.reward = 0;
    out.components.clear();
    out.error = {};
    machine.start(limits.fuel, limits.wall_seconds);
    try {
      program::run_program(machine, *parts_, frame, action, out);
    } catch (ProgramFault& fault) {
      out.reward = 0;
      out.components.clear();
      out.error = fault_error(std::move(fault), parts_->source);
    }
    out.fuel_used = limits.fuel - machine.fuel_left();
    out.peak_bytes = machine.heap.peak();
    machine.heap.reset();
    return out.error.kind;
  } catch (...) {
    return out_of_memory(out);
  }
}

int64_t RewardProgram::eval_batch(std::span<const ProgramFrame> frames, std::span<const double> actions,
                                  std::span<RewardOut> outs, const ProgramLimits& limits) const noexcept {
  const auto width = frames.empty() ? 0 : actions.size() / frames.size();
  for (size_t i = 0; i < frames.size(); ++i) {
    if (eval(frames[i], actions.subspan(i * width, width), outs[i], limits) != ProgramErrorKind::none)
      return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace plaudit
