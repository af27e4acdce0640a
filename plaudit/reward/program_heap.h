// The memory of one running reward program: a block of fixed size, with free lists per size.
//
// What a program allocates never outlives the call: reset() forgets everything at once, cycles included.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace plaudit {

class ProgramHeap {
 public:
  static constexpr size_t kBytes = 4 << 20;

  // Null when the block is used up.
  void* allocate(size_t bytes);
  // `bytes` as asked for.
  void release(void* memory, size_t bytes);
  // Makes the newest block of the heap larger where it lies; false when another is newer or there is no room.
  bool extend(void* memory, size_t bytes, size_t new_bytes);
  void reset();
  // The most that was in use since reset().
  size_t peak() const { return used_; }

  // Of program::destroy: objects that wait to be freed.
  void* dying = nullptr;
  bool draining = false;

 private:
  struct Free {
    Free* next;
  };
  static constexpr size_t kClasses = 80;  // four per doubling
  static size_t class_of(size_t bytes);
  static size_t class_bytes(size_t index);

  std::unique_ptr<char[]> block_;  // taken at the first use; untouched pages cost nothing
  size_t used_ = 0;
  std::array<Free*, kClasses> free_ = {};
};

}  // namespace plaudit
