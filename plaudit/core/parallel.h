// Loops over the threads that ATen uses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace plaudit {

class WorkerPool;

// While it lives, loops of this thread run on threads of our own instead of those of OpenMP (see WorkerPool).
// For stretches without ATen operators, whose threads would compete for the cores; within another one it does
// nothing.
class OwnWorkers {
 public:
  OwnWorkers();
  ~OwnWorkers();
  OwnWorkers(const OwnWorkers&) = delete;
  OwnWorkers& operator=(const OwnWorkers&) = delete;

 private:
  std::unique_ptr<WorkerPool> pool_;
};

// Calls f(begin, end) on disjoint parts of [begin, end) of at least `grain` elements (the last one may be
// shorter), in parallel on at::get_num_threads() threads; at::get_thread_num() tells them apart inside. Runs
// in place where one part is enough and inside of another parallel loop. The first exception is thrown again
// once all parts are done.
//
// at::parallel_for itself is a template that runs in parallel only in files that are compiled with OpenMP,
// which takes g++; this function runs on the same threads whatever the compiler.
void parallel_for(int64_t begin, int64_t end, int64_t grain, const std::function<void(int64_t, int64_t)>& f);

// As long as it lives, no more than `most` threads: for products so small that waking another one costs more
// than it brings.
class ThreadLimit {
 public:
  explicit ThreadLimit(int most);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

}  // namespace plaudit
