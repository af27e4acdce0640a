// The artefacts of one run: in memory, in the folder of the stage that wrote them, or still to be made by a
// section of the recipe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <typeindex>

#include "plaudit/run/stage.h"

namespace plaudit {

class ArtefactTable {
 public:
  void add_section(const std::string& name, const BoundSection& section);
  // An artefact that an earlier process saved in `folder`.
  void add_saved(const std::string& name, const std::string& type_name, const std::string& folder);

  bool has(const std::string& name) const { return entries_.count(name) > 0; }
  // The value, loaded or made on first use. Bugs: no such artefact, another type.
  std::shared_ptr<void> find(const std::string& name, std::type_index type, RunContext& context);
  void store(const std::string& name, std::type_index type, std::shared_ptr<void> value);

  // Writes the value into `folder`, which is emptied first.
  void save(const std::string& name, const std::string& folder);
  // The value stands in `folder`, whichever rank wrote it; a released one is read from there.
  void set_saved(const std::string& name, const std::string& folder);
  // The name of the type of a value that is in memory.
  const std::string& type_name(const std::string& name) const;
  // The value is no longer needed in memory; it must have been saved, or be made again by its section.
  void release(const std::string& name);

 private:
  struct Entry {
    std::shared_ptr<void> value;  // null: load or make it
    std::type_index type = typeid(void);
    std::string type_name, folder;  // where it is saved; "" when it is not
    std::function<std::shared_ptr<void>(RunContext&)> make;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace plaudit
