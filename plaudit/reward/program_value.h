// The values of a running reward program, counted by reference in a ProgramHeap.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "plaudit/reward/program_error.h"
#include "plaudit/reward/program_heap.h"
#include "plaudit/reward/program_syntax.h"

namespace plaudit::program {

enum class Tag : uint8_t {
  unbound,  // a local before its assignment, an absent argument
  none,
  boolean,  // booleans and integers are doubles, exact up to 2^53
  integer,
  real,
  self,
  string,   // belongs to the syntax tree
  library,  // a builtin, np.x or math.x
  array,    // from here on objects of the heap
  list,
  tuple,
  dict,  // keys and values alternate
  range,
  enumerate,
  zip,
  function,
  environment  // the locals of a call; never a value of the program
};

struct Object {
  uint32_t references;
  Tag tag;
  ProgramHeap* heap;
};

// Frees an object without references, and what only it held; never recursive.
void destroy(Object* object);

class Value {
 public:
  Value() = default;
  Value(const Value& other) : tag_(other.tag_), as_(other.as_) {
    if (tag_ >= Tag::array) ++as_.object->references;
  }
  Value(Value&& other) noexcept : tag_(other.tag_), as_(other.as_) { other.tag_ = Tag::unbound; }
  Value& operator=(Value other) noexcept {
    std::swap(tag_, other.tag_);
    std::swap(as_, other.as_);
    return *this;
  }
  ~Value() {
    if (tag_ >= Tag::array && --as_.object->references == 0) destroy(as_.object);
  }

  static Value none() { return Value(Tag::none, 0); }
  static Value self() { return Value(Tag::self, 0); }
  static Value boolean(bool x) { return Value(Tag::boolean, x ? 1 : 0); }
  static Value integer(double x) { return Value(Tag::integer, x); }
  static Value real(double x) { return Value(Tag::real, x); }
  static Value number(double x, bool is_integer) { return Value(is_integer ? Tag::integer : Tag::real, x); }
  static Value string(const std::string* text) {
    Value out;
    out.tag_ = Tag::string;
    out.as_.text = text;
    return out;
  }
  static Value library(const LibraryFunction* function) {
    Value out;
    out.tag_ = Tag::library;
    out.as_.library = function;
    return out;
  }
  // Takes over the reference that a new object is born with.
  static Value adopt(Object* object) {
    Value out;
    out.tag_ = object->tag;
    out.as_.object = object;
    return out;
  }

  Tag tag() const { return tag_; }
  bool is(Tag tag) const { return tag_ == tag; }
  bool is_number() const { return tag_ >= Tag::boolean && tag_ <= Tag::real; }
  bool is_integer() const { return tag_ == Tag::boolean || tag_ == Tag::integer; }
  bool is_sequence() const { return tag_ == Tag::list || tag_ == Tag::tuple; }
  double number() const { return as_.number; }
  const std::string& text() const { return *as_.text; }
  const LibraryFunction& library() const { return *as_.library; }
  template <class T>
  T& as() const {
    return *static_cast<T*>(as_.object);
  }
  const Object* object() const { return as_.object; }

 private:
  Value(Tag tag, double x) : tag_(tag) { as_.number = x; }

  Tag tag_ = Tag::unbound;
  union {
    double number;
    const std::string* text;
    const LibraryFunction* library;
    Object* object;
  } as_ = {0};
};

// The numbers of one or more arrays: a slice of an array shares them.
struct Buffer {
  uint32_t references;
  uint32_t size;
  double data[1];
  static size_t bytes(size_t size) {
    return offsetof(Buffer, data) + sizeof(double) * (size == 0 ? 1 : size);
  }
};

struct Array : Object {
  int rank;           // 1 or 2
  int64_t n[2];       // n[1] is 1 at rank 1
  int64_t stride[2];  // in numbers
  double* data;
  Buffer* buffer;

  int64_t size() const { return n[0] * n[1]; }
  bool contiguous() const {
    return (n[1] <= 1 || stride[1] == 1) && (n[0] <= 1 || stride[0] == (rank == 1 ? 1 : n[1]));
  }
};

// list, tuple, dict, zip (its sources) and enumerate (source, start).
struct Sequence : Object {
  uint32_t size;
  uint32_t capacity;
  Value* items;
};

struct Range : Object {
  double start;
  double step;
  double count;
};

struct Function : Object {
  const FunctionSyntax* syntax;
  Value parent;         // the environment of its definition
  uint32_t n_defaults;  // of the last parameters
  Value defaults[1];
  static size_t bytes(size_t n) { return sizeof(Function) + sizeof(Value) * (n == 0 ? 0 : n - 1); }
};

struct Environment : Object {
  uint32_t size;
  Value parent;
  Value slots[1];
  static size_t bytes(size_t n) { return sizeof(Environment) + sizeof(Value) * (n == 0 ? 0 : n - 1); }
};

// "an array", "a list", ... for messages.
const char* describe(Tag tag);

}  // namespace plaudit::program
