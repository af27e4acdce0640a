// Threads of our own, for many short jobs one after the other.
//
// A team of OpenMP waits at the end of each loop for every thread, also for one that had nothing to do and
// that another process keeps from its core: with one busy neighbour, loops of 20 microseconds then take
// milliseconds. Here the caller does what nobody has come to and waits only for work under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plaudit {

// Every thread takes its own rows first, so that their memory stays in its caches, and then those that others
// have not come to. at::get_thread_num() tells the threads apart; the caller is thread 0.
class WorkerPool {
 public:
  // At most `threads` threads, the caller of run() included.
  explicit WorkerPool(int64_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int64_t threads() const { return static_cast<int64_t>(shares_.size()); }

  // Calls f(row) once for every row in [0, rows), rows < 2^31. One call at a time; the first exception is
  // thrown again at the end.
  void run(int64_t rows, const std::function<void(int64_t)>& f);

  // Whether this thread works for a pool.
  static bool is_worker();

 private:
  // The rows of one thread that nobody has taken: the next one in the upper half, the end in the lower. One
  // number, so that a late thread cannot see the next of one job with the end of another.
  struct alignas(64) Share {
    std::atomic<uint64_t> rows{0};
  };

  void serve(size_t thread);
  void take_rows(size_t thread);

  std::vector<Share> shares_;
  // A row that is taken belongs to the job that is set: a job ends when all its rows are done.
  std::atomic<const std::function<void(int64_t)>*> job_{nullptr};
  alignas(64) std::atomic<int64_t> undone_{0};
  alignas(64) std::atomic<uint32_t> call_{0};
  std::atomic<bool> closing_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace plaudit
