#include "plaudit/reward/program_machine.h"

#include <algorithm>
#include <new>

namespace plaudit::program {

void Machine::fail(ProgramErrorKind kind, std::string message) const {
  throw ProgramFault{kind, at.line, at.column, std::move(message)};
}

void Machine::start(int64_t fuel, double wall_seconds) {
  fuel_ = fuel;
  guarded_ = wall_seconds > 0;
  check_at_ = guarded_ ? std::max<int64_t>(fuel - 1024, 0) : 0;
  if (guarded_)
    deadline_ =
        std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                               std::chrono::duration<double>(wall_seconds));
  at = {1, 1};
  loop = {0, 0};
  depth = 0;
  nesting = 0;
}

// Running out of fuel is the fault of the loop, not of the node that happened to run last.
void Machine::check() {
  const auto& where = loop.line > 0 ? loop : at;
  if (fuel_ < 0)
    throw ProgramFault{ProgramErrorKind::fuel, where.line, where.column,
                       "the program takes too many steps; use fewer or shorter loops"};
  check_at_ = std::max<int64_t>(fuel_ - 1024, 0);
  if (guarded_ && std::chrono::steady_clock::now() > deadline_)
    throw ProgramFault{ProgramErrorKind::fuel, where.line, where.column, "the program runs too long"};
}

void* Machine::allocate(size_t bytes) {
  void* out = heap.allocate(bytes);
  if (out == nullptr) memory("the program needs more than 4 MiB");
  return out;
}

Value Machine::array(int64_t n) {
  return array(1, n, 1);
}
Value Machine::array(int64_t rows, int64_t columns) {
  return array(2, rows, columns);
}

Value Machine::array(int rank, int64_t rows, int64_t columns) {
  if (rows > kMaxElements || columns > kMaxElements || rows * columns > kMaxElements)
    memory("an array of " + std::to_string(rows) + (rank == 2 ? " x " + std::to_string(columns) : "") +
           " numbers is larger than 65536");
  const auto size = static_cast<size_t>(rows * columns);
  charge_elements(rows * columns);
  auto* buffer = static_cast<Buffer*>(allocate(Buffer::bytes(size)));
  void* place = heap.allocate(sizeof(Array));
  if (place == nullptr) {
    heap.release(buffer, Buffer::bytes(size));
    memory("the program needs more than 4 MiB");
  }
  buffer->references = 1;
  buffer->size = static_cast<uint32_t>(size);
  return Value::adopt(new (place) Array{
      {1, Tag::array, &heap}, rank, {rows, columns}, {rank == 1 ? 1 : columns, 1}, buffer->data, buffer});
}

Value Machine::view(const Array& base, int rank, int64_t n0, int64_t n1, int64_t stride0, int64_t stride1,
                    double* data) {
  void* place = allocate(sizeof(Array));
  ++base.buffer->references;
  return Value::adopt(
      new (place) Array{{1, Tag::array, &heap}, rank, {n0, n1}, {stride0, stride1}, data, base.buffer});
}

Value Machine::sequence(Tag tag, uint32_t capacity) {
  auto out = Value::adopt(new (allocate(sizeof(Sequence))) Sequence{{1, tag, &heap}, 0, 0, nullptr});
  if (capacity > 0) {
    auto& sequence = out.as<Sequence>();
    sequence.items = static_cast<Value*>(allocate(sizeof(Value) * capacity));
    sequence.capacity = capacity;
  }
  return out;
}

void Machine::append(Sequence& sequence, Value item) {
  if (sequence.size == sequence.capacity) {
    const uint32_t capacity = std::max<uint32_t>(4, 2 * sequence.capacity);
    if (sequence.capacity > 0 &&
        heap.extend(sequence.items, sizeof(Value) * sequence.capacity, sizeof(Value) * capacity)) {
      sequence.capacity = capacity;
      new (&sequence.items[sequence.size++]) Value(std::move(item));
      return;
    }
    auto* items = static_cast<Value*>(allocate(sizeof(Value) * capacity));
    for (uint32_t i = 0; i < sequence.size; ++i) {
      new (&items[i]) Value(std::move(sequence.items[i]));
      sequence.items[i].~Value();
    }
    if (sequence.capacity > 0) heap.release(sequence.items, sizeof(Value) * sequence.capacity);
    sequence.items = items;
    sequence.capacity = capacity;
  }
  new (&sequence.items[sequence.size++]) Value(std::move(item));
}

Value Machine::range(double start, double step, double count) {
  return Value::adopt(new (allocate(sizeof(Range))) Range{{1, Tag::range, &heap}, start, step, count});
}

Value Machine::function(const FunctionSyntax& syntax, Value parent, uint32_t n_defaults) {
  void* place = allocate(Function::bytes(n_defaults));
  auto* out = new (place) Function{{1, Tag::function, &heap}, &syntax, std::move(parent), n_defaults, {}};
  for (uint32_t i = 1; i < n_defaults; ++i) new (&out->defaults[i]) Value();
  return Value::adopt(out);
}

Value Machine::environment(uint32_t slots, Value parent) {
  void* place = allocate(Environment::bytes(slots));
  auto* out = new (place) Environment{{1, Tag::environment, &heap}, slots, std::move(parent), {}};
  for (uint32_t i = 1; i < slots; ++i) new (&out->slots[i]) Value();
  return Value::adopt(out);
}

}  // namespace plaudit::program
