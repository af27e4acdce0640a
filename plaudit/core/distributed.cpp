#include "plaudit/core/distributed.h"

#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <charconv>
#include <chrono>
#include <cstdlib>

#include "plaudit/core/errors.h"

namespace plaudit {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int64_t variable_number(const char* name) {
  const auto text = variable(name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0)
    fail(ErrorKind::value, name, fmt::format("must be a number >= 0 when WORLD_SIZE is set, got '{}'", text));
  return value;
}

}  // namespace

struct Distributed::Group {
  c10::intrusive_ptr<c10d::Store> store;
  std::chrono::milliseconds timeout;
  int rank = 0, world = 1;
  c10::intrusive_ptr<c10d::Backend> cpu, cuda;

  c10d::Backend& of(const at::Tensor& tensor) {
    if (tensor.device().is_cpu()) return *cpu;
#ifdef USE_C10D_NCCL
    if (!cuda)
      cuda = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, world);
    return *cuda;
#else
    fail(ErrorKind::value, "device", "several ranks on CUDA need a LibTorch built with NCCL");
#endif
  }
};

Distributed::Distributed() = default;
Distributed::~Distributed() = default;

std::shared_ptr<Distributed> Distributed::from_environment(int64_t timeout_seconds) {
  auto out = std::shared_ptr<Distributed>(new Distributed());
  if (variable("WORLD_SIZE").empty()) return out;
  out->world_ = variable_number("WORLD_SIZE");
  out->rank_ = variable_number("RANK");
  if (out->world_ < 1 || out->rank_ >= out->world_)
    fail(ErrorKind::value, "RANK",
         fmt::format("must be below WORLD_SIZE = {}, got {}", out->world_, out->rank_));
  out->local_rank_ = variable("LOCAL_RANK").empty() ? out->rank_ : variable_number("LOCAL_RANK");
  if (out->world_ == 1) return out;

  auto group = std::make_unique<Group>();
  group->timeout = std::chrono::seconds(timeout_seconds);
  group->rank = static_cast<int>(out->rank_);
  group->world = static_cast<int>(out->world_);
  // The launcher's agent serves the store itself; otherwise rank 0 does.
  const auto agent = variable("TORCHELASTIC_USE_AGENT_STORE");
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(variable_number("MASTER_PORT"));
  options.isServer = agent != "True" && out->rank_ == 0;
  options.numWorkers = static_cast<size_t>(out->world_);
  options.waitWorkers = false;
  options.timeout = group->timeout;
  const auto address = variable("MASTER_ADDR");
  try {
    const auto restart = variable("TORCHELASTIC_RESTART_COUNT");
    group->store = c10::make_intrusive<c10d::PrefixStore>(
        "plaudit/" + restart, c10::make_intrusive<c10d::TCPStore>(address, options));
    auto gloo = c10d::ProcessGroupGloo::Options::create(group->timeout);
    gloo->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
    group->cpu = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", group->store), group->rank, group->world, gloo);
  } catch (const std::exception& error) {
    fail(ErrorKind::io, "MASTER_ADDR",
         fmt::format("the other ranks cannot be reached at {}:{}: {}", address, options.port,
                     message_of(error)));
  }
  out->group_ = std::move(group);
  return out;
}

void Distributed::all_reduce_sum(std::vector<at::Tensor>& tensors) {
  if (!group_) return;
  for (auto& tensor : tensors) {
    std::vector<at::Tensor> one = {tensor};
    group_->of(tensor).allreduce(one)->wait();
  }
}

void Distributed::broadcast(std::vector<at::Tensor>& tensors) {
  if (!group_) return;
  for (auto& tensor : tensors) {
    std::vector<at::Tensor> one = {tensor};
    group_->of(tensor).broadcast(one)->wait();
  }
}

void Distributed::barrier() {
  if (group_) group_->cpu->barrier()->wait();
}

}  // namespace plaudit
