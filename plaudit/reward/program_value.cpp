#include "plaudit/reward/program_value.h"

#include <new>

namespace plaudit::program {
namespace {

template <class T>
void free_object(ProgramHeap& heap, Object* object, size_t bytes) {
  static_cast<T*>(object)->~T();
  heap.release(object, bytes);
}

void free_one(ProgramHeap& heap, Object* object) {
  switch (object->tag) {
    case Tag::array: {
      auto* buffer = static_cast<Array*>(object)->buffer;
      if (--buffer->references == 0) heap.release(buffer, Buffer::bytes(buffer->size));
      heap.release(object, sizeof(Array));
      return;
    }
    case Tag::range:
      heap.release(object, sizeof(Range));
      return;
    case Tag::function: {
      auto* function = static_cast<Function*>(object);
      const auto n = function->n_defaults;
      for (uint32_t i = 1; i < n; ++i) function->defaults[i].~Value();
      free_object<Function>(heap, object, Function::bytes(n));
      return;
    }
    case Tag::environment: {
      auto* environment = static_cast<Environment*>(object);
      const auto n = environment->size;
      for (uint32_t i = 1; i < n; ++i) environment->slots[i].~Value();
      free_object<Environment>(heap, object, Environment::bytes(n));
      return;
    }
    default: {
      auto* sequence = static_cast<Sequence*>(object);
      for (uint32_t i = 0; i < sequence->size; ++i) sequence->items[i].~Value();
      if (sequence->capacity > 0) heap.release(sequence->items, sizeof(Value) * sequence->capacity);
      heap.release(object, sizeof(Sequence));
    }
  }
}

}  // namespace

// A list of lists of lists ... would recurse as deep as the program likes: what dies meanwhile waits in a
// list.
void destroy(Object* object) {
  auto& heap = *object->heap;
  auto* next = static_cast<Object*>(heap.dying);
  object->heap = reinterpret_cast<ProgramHeap*>(next);  // no longer needed: the link of the list
  heap.dying = object;
  if (heap.draining) return;
  heap.draining = true;
  while (heap.dying != nullptr) {
    auto* first = static_cast<Object*>(heap.dying);
    heap.dying = first->heap;
    free_one(heap, first);
  }
  heap.draining = false;
}

const char* describe(Tag tag) {
  switch (tag) {
    case Tag::unbound:
      return "nothing";
    case Tag::none:
      return "None";
    case Tag::boolean:
      return "a boolean";
    case Tag::integer:
    case Tag::real:
      return "a number";
    case Tag::self:
      return "self";
    case Tag::string:
      return "a string";
    case Tag::array:
      return "an array";
    case Tag::list:
      return "a list";
    case Tag::tuple:
      return "a tuple";
    case Tag::dict:
      return "a dict";
    case Tag::range:
      return "a range";
    case Tag::enumerate:
      return "an enumerate";
    case Tag::zip:
      return "a zip";
    default:
      return "a function";
  }
}

}  // namespace plaudit::program
