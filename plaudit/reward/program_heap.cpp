#include "plaudit/reward/program_heap.h"

#include <bit>

namespace plaudit {

// Sizes are 16 x {4, 5, 6, 7} x 2^k: at most a quarter of a block is waste.
size_t ProgramHeap::class_of(size_t bytes) {
  const size_t units = (bytes + 15) / 16;
  if (units <= 4) return 0;
  const auto shift = static_cast<size_t>(std::bit_width(units - 1)) - 3;
  return 4 * shift + ((units - 1) >> shift) - 3;
}

size_t ProgramHeap::class_bytes(size_t index) {
  return (16 * (4 + index % 4)) << (index / 4);
}

void* ProgramHeap::allocate(size_t bytes) {
  if (bytes > kBytes) return nullptr;
  const auto index = class_of(bytes);
  if (auto* found = free_[index]) {
    free_[index] = found->next;
    return found;
  }
  const auto size = class_bytes(index);
  if (size > kBytes - used_) return nullptr;
  if (!block_) block_.reset(new char[kBytes]);
  void* out = block_.get() + used_;
  used_ += size;
  return out;
}

void ProgramHeap::release(void* memory, size_t bytes) {
  auto* entry = static_cast<Free*>(memory);
  const auto index = class_of(bytes);
  entry->next = free_[index];
  free_[index] = entry;
}

bool ProgramHeap::extend(void* memory, size_t bytes, size_t new_bytes) {
  if (new_bytes > kBytes) return false;
  const auto size = class_bytes(class_of(bytes)), new_size = class_bytes(class_of(new_bytes));
  if (static_cast<char*>(memory) + size != block_.get() + used_ || new_size - size > kBytes - used_)
    return false;
  used_ += new_size - size;
  return true;
}

void ProgramHeap::reset() {
  used_ = 0;
  free_.fill(nullptr);
}

}  // namespace plaudit
