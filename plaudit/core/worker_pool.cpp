#include "plaudit/core/worker_pool.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

namespace plaudit {
namespace {

// About 50 microseconds: what a caller does between two jobs is often done within that, and waking a thread
// takes as long.
constexpr int kSpins = 2000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

thread_local bool works = false;

}  // namespace

WorkerPool::WorkerPool(int64_t threads) : shares_(static_cast<size_t>(std::max<int64_t>(threads, 1))) {
  for (size_t t = 1; t < shares_.size(); ++t) threads_.emplace_back([this, t] { serve(t); });
}

WorkerPool::~WorkerPool() {
  closing_ = true;
  ++call_;
  call_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::is_worker() {
  return works;
}

void WorkerPool::run(int64_t rows, const std::function<void(int64_t)>& f) {
  if (threads_.empty() || rows < 2) {
    for (int64_t row = 0; row < rows; ++row) f(row);
    return;
  }
  job_ = &f;
  undone_ = rows;
  const auto count = static_cast<uint64_t>(shares_.size()), total = static_cast<uint64_t>(rows);
  for (uint64_t t = 0; t < count; ++t)
    shares_[t].rows.store((t * total / count) << 32 | (t + 1) * total / count, std::memory_order_release);
  ++call_;
  call_.notify_all();
  const bool worked = std::exchange(works, true);
  take_rows(0);
  works = worked;
  for (int spins = 0; undone_.load(std::memory_order_acquire) > 0; ++spins) {
    if (spins < kSpins)
      relax();
    else
      std::this_thread::yield();
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void WorkerPool::serve(size_t thread) {
  const at::internal::ThreadIdGuard number(static_cast<int>(thread));
  works = true;
  for (uint32_t seen = 0; !closing_;) {
    for (int spins = 0; spins < kSpins && call_.load(std::memory_order_acquire) == seen; ++spins) relax();
    call_.wait(seen);
    seen = call_.load(std::memory_order_acquire);
    take_rows(thread);
  }
}

void WorkerPool::take_rows(size_t thread) {
  constexpr uint64_t kNext = uint64_t{1} << 32;
  int64_t done = 0;
  for (size_t k = 0; k < shares_.size(); ++k) {
    auto& rows = shares_[(thread + k) % shares_.size()].rows;
    while (true) {
      // Looks before it takes, so that waiting threads do not write to a line that others read.
      const auto left = rows.load(std::memory_order_acquire);
      if (left >> 32 >= (left & (kNext - 1))) break;
      const auto taken = rows.fetch_add(kNext, std::memory_order_acq_rel);
      const auto row = taken >> 32;
      if (row >= (taken & (kNext - 1))) break;
      try {
        (*job_.load(std::memory_order_acquire))(static_cast<int64_t>(row));
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      ++done;
    }
  }
  // Once, not for every row: all threads write to this line.
  if (done > 0) undone_.fetch_sub(done, std::memory_order_acq_rel);
}

}  // namespace plaudit
