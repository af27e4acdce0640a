// Threads that step the rows of a vector of environments.
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
// have not come to: contacts make some steps dearer, and a core may be busy with something else. The caller
// is one of the threads and waits for rows under way alone, never for a thread to wake up.
class StepPool {
 public:
  // `rows` rows on at most `threads` threads, the caller included.
  StepPool(int64_t rows, int64_t threads);
  ~StepPool();
  StepPool(const StepPool&) = delete;
  StepPool& operator=(const StepPool&) = delete;

  // Calls f(row) once for every row. One call at a time; the first exception is thrown again at the end.
  void run(const std::function<void(int64_t)>& f);

 private:
  // The rows of one thread; the counter has a cache line of its own.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t begin = 0, end = 0;
  };

  void serve(size_t thread);
  void take_rows(size_t thread);

  int64_t rows_;
  std::vector<Share> shares_;
  // A row that is claimed belongs to the job that is set: a job ends when all its rows are done, and a late
  // thread finds every counter of an ended job used up.
  std::atomic<const std::function<void(int64_t)>*> job_{nullptr};
  alignas(64) std::atomic<int64_t> undone_{0};
  alignas(64) std::atomic<uint32_t> call_{0};
  std::atomic<bool> closing_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace plaudit
