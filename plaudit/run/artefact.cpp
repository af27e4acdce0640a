#include "plaudit/run/artefact.h"

#include <unordered_map>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/options.h"

namespace plaudit {
namespace {

// Function-local so that registrars in other files can run before this file's statics.
std::unordered_map<std::type_index, ArtefactType>& types() {
  static std::unordered_map<std::type_index, ArtefactType> map;
  return map;
}

void save_json_artefact(const Json& value, const std::string& folder) {
  write_json(folder + "/value.json", value);
}

Json load_json_artefact(const std::string& folder) {
  return read_json(folder + "/value.json");
}

}  // namespace

const ArtefactType& artefact_type(std::type_index type) {
  const auto found = types().find(type);
  if (found == types().end())
    bug("artefact", std::string("type ") + type.name() + " has no PLAUDIT_ARTEFACT declaration");
  return found->second;
}

void detail::register_artefact(std::type_index type, ArtefactType artefact) {
  types().insert_or_assign(type, std::move(artefact));
}

PLAUDIT_ARTEFACT(Json, "json", &save_json_artefact, &load_json_artefact);

}  // namespace plaudit
