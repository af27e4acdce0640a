#include "plaudit/core/parallel.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "plaudit/core/worker_pool.h"

// libgomp by name: clang's `#pragma omp parallel` would bring a second OpenMP runtime beside the one that
// LibTorch uses.
extern "C" {
void GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags);
int omp_get_num_threads();
int omp_get_thread_num();
}

namespace plaudit {
namespace {

using Body = std::function<void(int64_t, int64_t)>;

struct Team {
  int64_t begin, end, grain;
  const Body& body;
  std::mutex mutex{};
  std::exception_ptr error{};  // the first one
};

void run_member(void* data) {
  auto& team = *static_cast<Team*>(data);
  const int64_t members = omp_get_num_threads(), member = omp_get_thread_num();
  const int64_t part = std::max(team.grain, (team.end - team.begin + members - 1) / members);
  const int64_t first = team.begin + member * part, last = std::min(team.end, first + part);
  if (first >= last) return;
  try {
    at::internal::ThreadIdGuard number(static_cast<int>(member));
    team.body(first, last);
  } catch (...) {
    const std::lock_guard lock(team.mutex);
    if (!team.error) team.error = std::current_exception();
  }
}

// Of the innermost OwnWorkers of this thread.
thread_local WorkerPool* own_workers = nullptr;

// More parts than threads, so that one that is kept from its core leaves little undone.
constexpr int64_t kPartsPerThread = 4;

void run_on(WorkerPool& pool, int64_t begin, int64_t end, int64_t grain, const Body& f) {
  const auto parts = std::min(pool.threads() * kPartsPerThread, (end - begin + grain - 1) / grain);
  const auto part = std::max(grain, (end - begin + parts - 1) / parts);
  pool.run((end - begin + part - 1) / part, [&](int64_t i) {
    const auto first = begin + i * part;
    f(first, std::min(end, first + part));
  });
}

}  // namespace

OwnWorkers::OwnWorkers() {
  at::internal::lazy_init_num_threads();
  if (own_workers || WorkerPool::is_worker() || at::in_parallel_region() || at::get_num_threads() < 2) return;
  pool_ = std::make_unique<WorkerPool>(at::get_num_threads());
  own_workers = pool_.get();
}

OwnWorkers::~OwnWorkers() {
  if (pool_) own_workers = nullptr;
}

void parallel_for(int64_t begin, int64_t end, int64_t grain, const Body& f) {
  if (begin >= end) return;
  at::internal::lazy_init_num_threads();
  grain = std::max<int64_t>(grain, 1);
  const int64_t parts = std::min<int64_t>(at::get_num_threads(), (end - begin + grain - 1) / grain);
  if (parts <= 1 || at::in_parallel_region() || WorkerPool::is_worker()) {
    f(begin, end);
    return;
  }
  if (own_workers) return run_on(*own_workers, begin, end, grain, f);
  Team team{begin, end, grain, f};
  GOMP_parallel(&run_member, &team, static_cast<unsigned>(parts), 0);
  if (team.error) std::rethrow_exception(team.error);
}

ThreadLimit::ThreadLimit(int most) : before_(at::get_num_threads()) {
  if (most < before_) at::set_num_threads(most);
}
ThreadLimit::~ThreadLimit() {
  at::set_num_threads(before_);
}

}  // namespace plaudit
