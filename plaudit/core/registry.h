// The function registry: every public function is one PyTorch operator with a doc line.
//
// A source file registers the functions that it implements at its end:
//
//   PLAUDIT_FUNCTIONS(preference, m) {
//     m.def("dpo_loss(Tensor chosen_logps, ..., float beta=0.1) -> (Tensor loss, ...)", &dpo_loss_op,
//           "Direct preference optimisation.", {"48", "15"});
//   }
//
// and the operator is from then on callable as `plaudit::dpo_loss` (C++),
// `torch.ops.plaudit_preference.dpo_loss` (Python), `plaudit call preference.dpo_loss` (JSON) and listed by
// `plaudit functions`.
#pragma once

#include <torch/library.h>

#include <memory>
#include <string>
#include <vector>

namespace plaudit {

struct FunctionInfo {
  std::string name;                  // "preference.dpo_loss"
  std::string schema;                // "dpo_loss(Tensor chosen_logps, ...) -> (...)"
  std::string doc;                   // one sentence
  std::vector<std::string> systems;  // numbers of the systems that use it
};

// All registered functions, sorted by name.
const std::vector<FunctionInfo>& functions();

// The function of that name; UserError with the nearest name when there is none.
const FunctionInfo& find_function(const std::string& name);

// The part of the PyTorch dispatcher that holds the functions of one area.
class FunctionLibrary {
 public:
  FunctionLibrary(std::string area, const char* file, uint32_t line);

  // Defines one operator. `fn` is any callable that the dispatcher accepts (tensors, numbers, strings, lists,
  // tuples).
  template <class Fn>
  void def(const std::string& schema, Fn&& fn, std::string doc, std::vector<std::string> systems) {
    library_->def(schema.c_str(), std::forward<Fn>(fn));
    record(schema, std::move(doc), std::move(systems));
  }

 private:
  void record(const std::string& schema, std::string doc, std::vector<std::string> systems);

  std::string area_;
  std::unique_ptr<torch::Library> library_;
};

namespace detail {
struct FunctionRegistrar {
  FunctionRegistrar(const char* area, void (*define)(FunctionLibrary&), const char* file, uint32_t line);
};
}  // namespace detail

}  // namespace plaudit

// Several files may register functions of one area in one translation unit, hence the number.
#define PLAUDIT_FUNCTIONS(area, m) PLAUDIT_FUNCTIONS_NUMBERED(area, m, __COUNTER__)
#define PLAUDIT_FUNCTIONS_NUMBERED(area, m, number) PLAUDIT_FUNCTIONS_OF(area, m, area, number)
#define PLAUDIT_FUNCTIONS_OF(area, m, a, n)                                      \
  static void plaudit_define_##a##_##n(::plaudit::FunctionLibrary& m);           \
  static const ::plaudit::detail::FunctionRegistrar plaudit_registrar_##a##_##n( \
      #area, &plaudit_define_##a##_##n, __FILE__, __LINE__);                     \
  static void plaudit_define_##a##_##n([[maybe_unused]] ::plaudit::FunctionLibrary& m)
