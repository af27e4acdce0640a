// Artefacts: the named values that stages hand to each other, and how each type of them is kept in a folder.
//
// A type is declared once, at the end of the file that knows how to write it:
//
//   PLAUDIT_ARTEFACT(ScoredAnswers, "scored answers", &save_answers, &load_answers);
//
//   void save_answers(const ScoredAnswers& value, const std::string& folder);   // the folder exists, empty
//   ScoredAnswers load_answers(const std::string& folder);                      // or (folder, RunContext&)
//
// `Json` is declared already. Loading is lazy: a resumed run reads an artefact when a stage asks for it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <typeindex>

namespace plaudit {

class RunContext;

struct ArtefactType {
  std::string name;  // "scored answers"; stored beside the value, so that another type is not misread
  std::function<void(const void* value, const std::string& folder)> save;
  std::function<std::shared_ptr<void>(const std::string& folder, RunContext& context)> load;
};

// How values of that C++ type are kept; a bug when the type was never declared.
const ArtefactType& artefact_type(std::type_index type);

namespace detail {

void register_artefact(std::type_index type, ArtefactType artefact);

template <class T, class Save, class Load>
bool register_artefact_of(std::string name, Save save, Load load) {
  ArtefactType type;
  type.name = std::move(name);
  type.save = [save](const void* value, const std::string& folder) {
    save(*static_cast<const T*>(value), folder);
  };
  type.load = [load](const std::string& folder, [[maybe_unused]] RunContext& context) {
    if constexpr (std::is_invocable_v<Load, const std::string&, RunContext&>)
      return std::static_pointer_cast<void>(std::make_shared<T>(load(folder, context)));
    else
      return std::static_pointer_cast<void>(std::make_shared<T>(load(folder)));
  };
  register_artefact(typeid(T), std::move(type));
  return true;
}

}  // namespace detail
}  // namespace plaudit

#define PLAUDIT_CONCAT_(a, b) a##b
#define PLAUDIT_CONCAT(a, b) PLAUDIT_CONCAT_(a, b)

#define PLAUDIT_ARTEFACT(T, name, save, load)                                      \
  [[maybe_unused]] static const bool PLAUDIT_CONCAT(plaudit_artefact_, __LINE__) = \
      ::plaudit::detail::register_artefact_of<T>(name, save, load)
