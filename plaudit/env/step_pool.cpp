#include "plaudit/env/step_pool.h"

#include <algorithm>
#include <utility>

namespace plaudit {
namespace {

// About 50 microseconds: a policy of a small network answers within that, and waking a thread takes as long.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

StepPool::StepPool(int64_t rows, int64_t threads)
    : rows_(rows), shares_(std::clamp<int64_t>(threads, 1, std::max<int64_t>(rows, 1))) {
  const auto count = static_cast<int64_t>(shares_.size());
  for (int64_t t = 0; t < count; ++t) {
    shares_[t].begin = t * rows / count;
    shares_[t].end = (t + 1) * rows / count;
    shares_[t].next = shares_[t].end;
  }
  for (int64_t t = 1; t < count; ++t) threads_.emplace_back([this, t] { serve(t); });
}

StepPool::~StepPool() {
  closing_ = true;
  ++call_;
  call_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void StepPool::run(const std::function<void(int64_t)>& f) {
  if (threads_.empty()) {
    for (int64_t row = 0; row < rows_; ++row) f(row);
    return;
  }
  job_ = &f;
  undone_ = rows_;
  for (auto& share : shares_) share.next.store(share.begin, std::memory_order_release);
  ++call_;
  call_.notify_all();
  take_rows(0);
  for (int spins = 0; undone_.load(std::memory_order_acquire) > 0; ++spins) {
    if (spins < kSpins)
      pause();
    else
      std::this_thread::yield();
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void StepPool::serve(size_t thread) {
  for (uint32_t seen = 0; !closing_;) {
    for (int spins = 0; spins < kSpins && call_.load(std::memory_order_acquire) == seen; ++spins) pause();
    call_.wait(seen);
    seen = call_.load(std::memory_order_acquire);
    take_rows(thread);
  }
}

void StepPool::take_rows(size_t thread) {
  for (size_t k = 0; k < shares_.size(); ++k) {
    auto& share = shares_[(thread + k) % shares_.size()];
    for (int64_t row; (row = share.next.fetch_add(1, std::memory_order_acq_rel)) < share.end;) {
      try {
        (*job_.load(std::memory_order_acquire))(row);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      undone_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }
}

}  // namespace plaudit
