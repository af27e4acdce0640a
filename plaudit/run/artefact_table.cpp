#include "plaudit/run/artefact_table.h"

#include <filesystem>

#include "plaudit/core/files.h"

namespace plaudit {

void ArtefactTable::add_section(const std::string& name, const BoundSection& section) {
  Entry entry;
  entry.type = section.artefact_type;
  entry.make = section.make;
  entries_[name] = std::move(entry);
}

void ArtefactTable::add_saved(const std::string& name, const std::string& type_name,
                              const std::string& folder) {
  Entry entry;
  entry.type_name = type_name;
  entry.folder = folder;
  entries_[name] = std::move(entry);
}

std::shared_ptr<void> ArtefactTable::find(const std::string& name, std::type_index type,
                                          RunContext& context) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) bug("artefact " + name, "nothing has made it");
  Entry& entry = found->second;
  if (entry.type == typeid(void)) {
    const auto& wanted = artefact_type(type).name;
    if (entry.type_name != wanted)
      bug("artefact " + name, "is a value of type '" + entry.type_name + "', and read as '" + wanted + "'");
    entry.type = type;
  }
  if (entry.type != type)
    bug("artefact " + name, std::string("has type ") + entry.type.name() + ", and is read as " + type.name());
  if (!entry.value)
    entry.value =
        entry.folder.empty() ? entry.make(context) : artefact_type(type).load(entry.folder, context);
  return entry.value;
}

void ArtefactTable::store(const std::string& name, std::type_index type, std::shared_ptr<void> value) {
  Entry entry;
  entry.type = type;
  entry.value = std::move(value);
  entries_[name] = std::move(entry);
}

void ArtefactTable::save(const std::string& name, const std::string& folder) {
  const Entry& entry = entries_.at(name);
  std::filesystem::remove_all(folder);
  create_folder(folder);
  artefact_type(entry.type).save(entry.value.get(), folder);
}

void ArtefactTable::set_saved(const std::string& name, const std::string& folder) {
  Entry& entry = entries_.at(name);
  entry.type_name = type_name(name);
  entry.folder = folder;
}

const std::string& ArtefactTable::type_name(const std::string& name) const {
  return artefact_type(entries_.at(name).type).name;
}

void ArtefactTable::release(const std::string& name) {
  const auto found = entries_.find(name);
  if (found != entries_.end()) found->second.value.reset();
}

}  // namespace plaudit
