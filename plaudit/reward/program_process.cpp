#include "plaudit/reward/program_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "plaudit/core/errors.h"
#include "plaudit/reward/program_child.h"

namespace plaudit {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr uint32_t kMaxMessage = 4 << 20;

std::string framed(std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(bytes);
}

ProgramErrorKind kind_of(const std::string& name) {
  for (int i = 1; i <= static_cast<int>(ProgramErrorKind::memory); ++i) {
    if (to_string(static_cast<ProgramErrorKind>(i)) == name) return static_cast<ProgramErrorKind>(i);
  }
  return ProgramErrorKind::value;
}

// The child may be under the program's control: whatever it says is taken as text and numbers only.
ProgramError reply_error(const Json& reply, std::string_view source) {
  ProgramError out;
  const auto text = [&](const char* key) {
    const auto found = reply.find(key);
    return found != reply.end() && found->is_string() ? found->get<std::string>() : std::string("value");
  };
  out.kind = kind_of(text("kind"));
  const auto line = reply.find("line");
  out.line = line != reply.end() && line->is_number_integer() ? std::clamp(line->get<int>(), 1, 1 << 20) : 1;
  out.column = 1;
  out.message = text("message").substr(0, 400);
  out.source_line = program_source_line(source, out.line).substr(0, 400);
  return out;
}

}  // namespace

ProgramProcess::ProgramProcess(std::string_view text, BindingTable table)
    : ProgramProcess(text, std::move(table), Options()) {}

ProgramProcess::ProgramProcess(std::string_view text, BindingTable table, Options options)
    : text_(text), table_(std::move(table)), options_(std::move(options)) {
  start();
}

ProgramProcess::~ProgramProcess() {
  stop();
  if (shared_ != nullptr) munmap(shared_, program::kSharedBytes);
}

void ProgramProcess::start() {
  const auto filter = program::seccomp_filter();
  const auto child = program::start_child(options_.python);
  pid_ = child.pid;
  to_child_ = child.to_child;
  from_child_ = child.from_child;
  shared_ = static_cast<double*>(child.shared);
  std::string reply;
  const Json program = {{"source", text_}};
  const bool sent = send(filter) && send(program.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!sent || !receive(reply, options_.start_seconds)) {
    // The program has not run yet.
    stop();
    munmap(shared_, program::kSharedBytes);
    shared_ = nullptr;
    fail(ErrorKind::io, "reward.program_process",
         "'" + options_.python + "' must be a Python with NumPy, on a system with seccomp");
  }
  if (!receive(reply, std::max(options_.batch_seconds, 0.5))) {
    error_ = death();
    return;
  }
  const auto json = Json::parse(reply, nullptr, false);
  if (!json.is_object() || json.contains("kind")) {
    error_ = reply_error(json.is_object() ? json : Json::object(), text_);
    stop();
  }
}

void ProgramProcess::stop() {
  if (to_child_ >= 0) close(to_child_);
  if (from_child_ >= 0) close(from_child_);
  to_child_ = from_child_ = -1;
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_ = -1;
}

// Why the child does not answer; reaps it.
ProgramError ProgramProcess::death() {
  ProgramError out;
  out.line = out.column = 1;
  int status = 0;
  kill(pid_, SIGKILL);  // a child that died already keeps its own status
  waitpid(pid_, &status, 0);
  pid_ = -1;
  stop();
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (late_ || signal == SIGXCPU) {
    out.kind = ProgramErrorKind::fuel;
    out.message = "the program runs too long";
  } else if (signal == SIGSYS) {
    out.kind = ProgramErrorKind::forbidden;
    out.message = "the program makes a system call that is not allowed (files, network, processes)";
  } else {
    out.kind = ProgramErrorKind::memory;
    out.message = "the program ended its process";
  }
  return out;
}

bool ProgramProcess::send(std::string_view bytes) {
  const auto message = framed(bytes);
  // A dead child must not raise SIGPIPE here.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  size_t at = 0;
  while (at < message.size()) {
    const auto n = write(to_child_, message.data() + at, message.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    at += static_cast<size_t>(n);
  }
  if (at < message.size()) {
    const timespec now = {0, 0};
    sigtimedwait(&pipe_signal, nullptr, &now);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return at == message.size();
}

bool ProgramProcess::receive(std::string& message, double seconds) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  late_ = false;
  const auto exactly = [&](char* to, size_t n) {
    for (size_t at = 0; at < n;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd ready = {from_child_, POLLIN, 0};
      const int got = left < 0 ? 0 : poll(&ready, 1, static_cast<int>(left) + 1);
      if (got < 0 && errno == EINTR) continue;
      if (got == 0) late_ = true;
      if (got <= 0) return false;
      const auto bytes = read(from_child_, to + at, n - at);
      if (bytes <= 0) return false;
      at += static_cast<size_t>(bytes);
    }
    return true;
  };
  uint32_t size = 0;
  if (!exactly(reinterpret_cast<char*>(&size), sizeof size) || size > kMaxMessage) return false;
  message.resize(size);
  return exactly(message.data(), size);
}

int64_t ProgramProcess::eval_batch(std::span<const ProgramFrame> frames, std::span<const double> actions,
                                   std::span<RewardOut> outs) {
  const auto width = frames.empty() ? 0 : actions.size() / frames.size();
  for (size_t first = 0; first < frames.size(); first += kBatch) {
    const auto n = std::min(kBatch, frames.size() - first);
    const auto bad =
        eval_part(frames.subspan(first, n), actions.data() + first * width, width, outs.data() + first);
    if (bad >= 0) return static_cast<int64_t>(first) + bad;
  }
  return -1;
}

int64_t ProgramProcess::eval_part(std::span<const ProgramFrame> frames, const double* actions, size_t width,
                                  RewardOut* outs) {
  if (error_) {
    outs[0] = {};
    outs[0].error = error_;
    return 0;
  }
  // A row of the shared memory: the action, the observation, the bindings in order.
  Json bindings = Json::array();
  double* to = shared_;
  double* const end = shared_ + program::kSharedBytes / sizeof(double);
  const auto put = [&](const double* from, size_t n) {
    if (n > static_cast<size_t>(end - to))
      fail(ErrorKind::value, "reward.program_process", "a batch of states needs more than 8 MiB");
    if (n > 0) std::memcpy(to, from, n * sizeof(double));
    to += n;
  };
  for (size_t row = 0; row < frames.size(); ++row) {
    put(actions + row * width, width);
    if (frames[row].obs) put(frames[row].obs->data(), frames[row].obs->size());
    for (const auto& binding : table_) {
      const auto numbers = binding.read(frames[row].state, {});
      Json shape = Json::array();
      if (numbers.rank >= 1) shape.push_back(numbers.rows);
      if (numbers.rank == 2) shape.push_back(numbers.columns);
      if (numbers.rank == 0) {
        put(&numbers.scalar, 1);
      } else {
        put(numbers.data, static_cast<size_t>(numbers.rows * numbers.columns));
      }
      if (row == 0) bindings.push_back(Json::array({binding.path, binding.query, shape}));
    }
  }
  const Json batch = {{"rows", frames.size()},
                      {"width", static_cast<size_t>(to - shared_) / frames.size()},
                      {"action", width},
                      {"obs", frames[0].obs ? static_cast<int64_t>(frames[0].obs->size()) : -1},
                      {"bindings", std::move(bindings)}};
  std::string reply;
  if (!send(batch.dump()) || !receive(reply, options_.batch_seconds)) {
    error_ = death();
    outs[0] = {};
    outs[0].error = error_;
    return 0;
  }
  const auto json = Json::parse(reply, nullptr, false);
  const auto rewards = json.is_object() ? json.find("rewards") : json.end();
  if (!json.is_object() || rewards == json.end() || !rewards->is_array() ||
      rewards->size() != frames.size()) {
    const auto row = json.is_object() ? json.value("row", Json()) : Json();
    const auto at = row.is_number_integer()
                        ? std::clamp<int64_t>(row.get<int64_t>(), 0, static_cast<int64_t>(frames.size()) - 1)
                        : 0;
    outs[at] = {};
    outs[at].error = reply_error(json.is_object() ? json : Json::object(), text_);
    return at;
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    outs[i] = {};
    const auto& entry = (*rewards)[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number() || !entry[1].is_object()) {
      outs[i].error = reply_error(Json::object(), text_);
      return static_cast<int64_t>(i);
    }
    outs[i].reward = entry[0].get<double>();
    for (const auto& [name, value] : entry[1].items()) {
      if (value.is_number()) outs[i].components.emplace_back(name, value.get<double>());
    }
  }
  return -1;
}

}  // namespace plaudit
