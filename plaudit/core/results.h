// Named result structs as the tuples that the dispatcher returns.
//
//   struct PairLoss { Tensor loss; Tensor losses; };
//   m.def("... -> (Tensor loss, Tensor losses)", [](...) { return as_tuple(hinge_loss(...)); }, ...);
//
// The order of the members is the order of the results in the schema.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

namespace plaudit {
namespace detail {

struct AnyMember {
  template <class T>
  operator T() const;
};

template <class T, size_t... I>
constexpr bool takes_members(std::index_sequence<I...>) {
  return requires {
    T{(static_cast<void>(I), AnyMember{})...};
  };
}

// How many members the aggregate T has.
template <class T, size_t N = 8>
constexpr size_t member_count() {
  static_assert(N > 0, "a result struct has one to eight members");
  if constexpr (takes_members<T>(std::make_index_sequence<N>{})) {
    return N;
  } else {
    return member_count<T, N - 1>();
  }
}

}  // namespace detail

// The members of an aggregate of one to eight, moved into a tuple; the member itself when there is only one.
template <class Result>
auto as_tuple(Result r) {
  constexpr size_t n = detail::member_count<Result>();
  const auto pack = [](auto&... member) { return std::tuple(std::move(member)...); };
  if constexpr (n == 1) {
    auto& [a] = r;
    return std::move(a);
  } else if constexpr (n == 2) {
    auto& [a, b] = r;
    return pack(a, b);
  } else if constexpr (n == 3) {
    auto& [a, b, c] = r;
    return pack(a, b, c);
  } else if constexpr (n == 4) {
    auto& [a, b, c, d] = r;
    return pack(a, b, c, d);
  } else if constexpr (n == 5) {
    auto& [a, b, c, d, e] = r;
    return pack(a, b, c, d, e);
  } else if constexpr (n == 6) {
    auto& [a, b, c, d, e, f] = r;
    return pack(a, b, c, d, e, f);
  } else if constexpr (n == 7) {
    auto& [a, b, c, d, e, f, g] = r;
    return pack(a, b, c, d, e, f, g);
  } else {
    static_assert(n == 8, "extend as_tuple");
    auto& [a, b, c, d, e, f, g, h] = r;
    return pack(a, b, c, d, e, f, g, h);
  }
}

}  // namespace plaudit
