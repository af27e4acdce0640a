// Subscripts, slices and iteration, as Python and NumPy have them.
#include <algorithm>
#include <cmath>

#include "plaudit/reward/program_operators.h"

namespace plaudit::program {
namespace {

int64_t index_in(Machine& m, const Value& key, int64_t n) {
  const auto i = integer_argument(m, key, "an index");
  if (i < -n || i >= n)
    m.value("index " + std::to_string(i) + " is out of range for " + std::to_string(n) + " elements");
  return i < 0 ? i + n : i;
}

struct Steps {
  int64_t start;
  int64_t step;
  int64_t count;
};

// CPython's PySlice_AdjustIndices.
Steps steps_of(Machine& m, const Subscript& part, int64_t n) {
  const auto bound = [&](const Value& v, int64_t absent, int64_t low, int64_t high) {
    if (v.is(Tag::unbound) || v.is(Tag::none)) return absent;
    auto i = integer_argument(m, v, "a bound of a slice");
    if (i < 0) i += n;
    return std::clamp(i, low, high);
  };
  int64_t step = 1;
  if (!part.step.is(Tag::unbound) && !part.step.is(Tag::none))
    step = integer_argument(m, part.step, "the step of a slice");
  if (step == 0) m.value("the step of a slice must not be zero");
  if (step > 0) {
    const auto start = bound(part.start, 0, 0, n), stop = bound(part.stop, n, 0, n);
    return {start, step, stop > start ? (stop - start - 1) / step + 1 : 0};
  }
  const auto start = bound(part.start, n - 1, -1, n - 1), stop = bound(part.stop, -1, -1, n - 1);
  return {start, step, start > stop ? (start - stop - 1) / -step + 1 : 0};
}

// The part of an array that a subscript names.
struct Selection {
  int rank = 0;
  int64_t n[2] = {1, 1};
  int64_t stride[2] = {0, 0};
  double* data = nullptr;

  void add(Machine& m, int64_t size, int64_t step) {
    if (rank == 2) m.shape("arrays have at most two dimensions");
    n[rank] = size;
    stride[rank++] = step;
  }
  View view() const {
    if (rank == 0) return {data, 0, 1, 1, 0, 0};
    if (rank == 1) return {data, 1, 1, n[0], 0, stride[0]};
    return {data, 2, n[0], n[1], stride[0], stride[1]};
  }
};

Selection select(Machine& m, const Array& array, const Subscript* parts, size_t count) {
  Selection out;
  out.data = array.data;
  int axis = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto& part = parts[i];
    if (part.kind == Subscript::new_axis || (part.kind == Subscript::index && part.key.is(Tag::none))) {
      out.add(m, 1, 0);
      continue;
    }
    if (axis == array.rank)
      m.value("too many indices for an array with " + std::to_string(array.rank) + " dimensions");
    if (part.kind == Subscript::index) {
      out.data += index_in(m, part.key, array.n[axis]) * array.stride[axis];
    } else {
      const auto steps = steps_of(m, part, array.n[axis]);
      if (steps.count > 0) out.data += steps.start * array.stride[axis];
      out.add(m, steps.count, steps.step * array.stride[axis]);
    }
    ++axis;
  }
  for (; axis < array.rank; ++axis) out.add(m, array.n[axis], array.stride[axis]);
  return out;
}

void check_key(Machine& m, const Value& key) {
  if (!key.is_number() && !key.is(Tag::string) && !key.is(Tag::none) && !key.is(Tag::tuple))
    m.type(std::string(describe(key.tag())) + " cannot be a key of a dict");
}

// The value of a key; null when there is none.
Value* find_key(Machine& m, const Sequence& dict, const Value& key) {
  check_key(m, key);
  for (uint32_t i = 0; i < dict.size; i += 2) {
    if (equal(m, dict.items[i], key)) return &dict.items[i + 1];
  }
  return nullptr;
}

std::string key_text(const Value& key) {
  if (key.is(Tag::string)) return "'" + key.text().substr(0, 60) + "'";
  return key.is_number() ? std::to_string(key.number()) : describe(key.tag());
}

const Subscript& single(Machine& m, const Subscript* parts, size_t count, const Value& base) {
  if (count != 1 || parts[0].kind == Subscript::new_axis)
    m.type(std::string(describe(base.tag())) + " takes one index");
  return parts[0];
}

}  // namespace

Value get_item(Machine& m, const Value& base, const Subscript* parts, size_t count) {
  switch (base.tag()) {
    case Tag::array: {
      const auto& array = base.as<Array>();
      const auto selected = select(m, array, parts, count);
      if (selected.rank == 0) return Value::real(*selected.data);
      return m.view(array, selected.rank, selected.n[0], selected.n[1], selected.stride[0],
                    selected.stride[1], selected.data);
    }
    case Tag::list:
    case Tag::tuple: {
      const auto& list = base.as<Sequence>();
      const auto& part = single(m, parts, count, base);
      if (part.kind == Subscript::index) return list.items[index_in(m, part.key, list.size)];
      const auto steps = steps_of(m, part, list.size);
      m.charge_elements(steps.count);
      auto out = m.sequence(base.tag(), static_cast<uint32_t>(steps.count));
      for (int64_t i = 0; i < steps.count; ++i)
        m.append(out.as<Sequence>(), list.items[steps.start + i * steps.step]);
      return out;
    }
    case Tag::range: {
      const auto& range = base.as<Range>();
      const auto& part = single(m, parts, count, base);
      if (part.kind != Subscript::index) m.type("a range cannot be sliced");
      const auto i = index_in(m, part.key, static_cast<int64_t>(range.count));
      return Value::integer(range.start + static_cast<double>(i) * range.step);
    }
    case Tag::dict: {
      const auto& part = single(m, parts, count, base);
      if (part.kind != Subscript::index) m.type("a dict cannot be sliced");
      if (const auto* found = find_key(m, base.as<Sequence>(), part.key)) return *found;
      m.value("the dict has no key " + key_text(part.key));
    }
    default:
      m.type(std::string(describe(base.tag())) + " cannot be indexed");
  }
}

void set_item(Machine& m, const Value& base, const Subscript* parts, size_t count, const Value& value) {
  switch (base.tag()) {
    case Tag::array: {
      const auto selected = select(m, base.as<Array>(), parts, count);
      if (selected.rank > 0) return assign_array(m, selected.view(), selected.data, value);
      const auto number = as_array(m, value);
      if (number.is_number()) {
        *selected.data = number.number();
      } else if (number.as<Array>().size() == 1) {
        *selected.data = number.as<Array>().data[0];
      } else {
        m.shape("an element of an array holds one number, not " + shape_text(view_of(number.as<Array>())));
      }
      return;
    }
    case Tag::list: {
      const auto& part = single(m, parts, count, base);
      if (part.kind != Subscript::index) m.type("a slice of a list cannot be assigned");
      auto& list = base.as<Sequence>();
      Value& item = list.items[index_in(m, part.key, list.size)];
      item = value;
      return;
    }
    case Tag::dict: {
      const auto& part = single(m, parts, count, base);
      if (part.kind != Subscript::index) m.type("a dict cannot be sliced");
      auto& dict = base.as<Sequence>();
      if (auto* found = find_key(m, dict, part.key)) {
        *found = value;
        return;
      }
      m.append(dict, part.key);
      m.append(dict, value);
      return;
    }
    default:
      m.type(std::string("elements of ") + describe(base.tag()) + " cannot be assigned");
  }
}

Iterator::Iterator(Machine& m, const Value& source) : source_(source) {
  switch (source.tag()) {
    case Tag::array:
    case Tag::list:
    case Tag::tuple:
    case Tag::dict:
    case Tag::range:
      return;
    case Tag::enumerate:
    case Tag::zip: {
      m.step();
      if (++m.nesting > 64) m.fail(ProgramErrorKind::fuel, "zip and enumerate are nested more than 64 deep");
      const auto& sequence = source.as<Sequence>();
      const auto n = source.is(Tag::enumerate) ? 1 : sequence.size;
      for (uint32_t i = 0; i < n; ++i) parts_.emplace_back(m, sequence.items[i]);
      --m.nesting;
      return;
    }
    default:
      m.type(std::string(describe(source.tag())) + " cannot be iterated");
  }
}

bool Iterator::next(Machine& m, Value& out) {
  const auto i = at_++;
  switch (source_.tag()) {
    case Tag::array: {
      const auto& array = source_.as<Array>();
      if (i >= array.n[0]) return false;
      double* data = array.data + i * array.stride[0];
      out = array.rank == 1 ? Value::real(*data) : m.view(array, 1, array.n[1], 1, array.stride[1], 0, data);
      return true;
    }
    case Tag::list:
    case Tag::tuple: {
      const auto& list = source_.as<Sequence>();
      if (i >= list.size) return false;
      out = list.items[i];
      return true;
    }
    case Tag::dict: {
      const auto& dict = source_.as<Sequence>();
      if (2 * i >= dict.size) return false;
      out = dict.items[2 * i];
      return true;
    }
    case Tag::range: {
      const auto& range = source_.as<Range>();
      if (static_cast<double>(i) >= range.count) return false;
      out = Value::integer(range.start + static_cast<double>(i) * range.step);
      return true;
    }
    case Tag::enumerate: {
      Value item;
      if (!parts_[0].next(m, item)) return false;
      m.step();
      auto pair = m.sequence(Tag::tuple, 2);
      const auto start = source_.as<Sequence>().items[1].number();
      m.append(pair.as<Sequence>(), Value::integer(start + static_cast<double>(i)));
      m.append(pair.as<Sequence>(), std::move(item));
      out = std::move(pair);
      return true;
    }
    default: {
      if (parts_.empty()) return false;
      auto tuple = m.sequence(Tag::tuple, static_cast<uint32_t>(parts_.size()));
      for (auto& part : parts_) {
        Value item;
        m.step();
        if (!part.next(m, item)) return false;
        m.append(tuple.as<Sequence>(), std::move(item));
      }
      out = std::move(tuple);
      return true;
    }
  }
}

}  // namespace plaudit::program
