#include "plaudit/run/run_folder.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>

#include "plaudit/core/files.h"
#include "plaudit/core/log.h"
#include "plaudit/core/yaml.h"
#include "plaudit/run/versions.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

// A new folder runs/<name>-20260131-<n>; creating it is what claims the number.
std::string new_folder(const std::string& name) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char date[16];
  std::strftime(date, sizeof(date), "%Y%m%d", &local);
  create_folder("runs");
  for (int n = 1;; ++n) {
    const auto path = fmt::format("runs/{}-{}-{}", name, date, n);
    std::error_code error;
    if (fs::create_directory(path, error)) return path;
    if (error) fail(ErrorKind::io, path, "cannot be created: " + error.message());
  }
}

// Whether a new run may take the folder: it is missing, empty, or holds what a process left that was killed
// before the run began.
bool is_free(const std::string& path) {
  if (!fs::exists(path)) return true;
  if (!fs::is_directory(path)) fail(ErrorKind::io, path, "is a file; a run needs a folder");
  for (const auto& entry : fs::directory_iterator(path)) {
    const auto name = entry.path().filename().string();
    const auto starts = [&](const char* of) { return name.rfind(of, 0) == 0; };
    if (!starts(".lock") && !starts("versions.json") && !starts("recipe.yaml")) return false;
  }
  return true;
}

// A run that goes on elsewhere is no longer the same bit for bit.
void compare_versions(const std::string& path) {
  if (!fs::exists(path)) return;
  Json before = read_json(path), now = versions();
  before.erase("started");
  now.erase("started");
  const auto difference = first_difference(before, now);
  if (!difference.empty()) warn("this run began elsewhere, so its numbers may differ: " + difference);
}

// Every rank gets rank 0's text.
void broadcast_text(std::string& text, Distributed& ranks) {
  if (ranks.world() == 1) return;
  std::vector<at::Tensor> length = {at::tensor(static_cast<int64_t>(text.size()))};
  ranks.broadcast(length);
  text.resize(static_cast<size_t>(length[0].item<int64_t>()));
  if (text.empty()) return;
  std::vector<at::Tensor> bytes = {at::from_blob(text.data(), {length[0].item<int64_t>()}, at::kByte)};
  ranks.broadcast(bytes);
}

}  // namespace

RunFolder::RunFolder(const Recipe& recipe, const std::string& path, Distributed& ranks) {
  // A failure of rank 0 must reach the others, which would wait for ever.
  std::string refusal;
  ErrorKind kind = ErrorKind::io;
  if (ranks.rank() == 0) {
    try {
      open(recipe, path);
    } catch (const UserError& error) {
      refusal = message_of(error);
      kind = error.kind();
    }
  }
  broadcast_text(refusal, ranks);
  if (!refusal.empty()) throw UserError(kind, refusal);
  broadcast_text(path_, ranks);
  continues_ = fs::exists(path_ + "/stages");
}

void RunFolder::open(const Recipe& recipe, const std::string& path) {
  path_ = path.empty() ? new_folder(recipe.name) : path;
  const bool holds_run = fs::exists(path_ + "/recipe.yaml");
  if (!holds_run && !is_free(path_)) fail(ErrorKind::io, path_, "holds files, but no run; name a new folder");
  create_folder(path_);
  lock();
  if (holds_run) {
    compare(recipe);
    compare_versions(path_ + "/versions.json");
    return;
  }
  write_json(path_ + "/versions.json", versions());
  // Last, since it is what makes the folder a run.
  write_file_atomic(path_ + "/recipe.yaml", yaml_text(recipe.resolved));
}

void RunFolder::lock() {
  lock_ = FileLock::take(path_ + "/.lock");
  if (!lock_) fail(ErrorKind::io, path_, "another process runs in it");
}

void RunFolder::compare(const Recipe& recipe) const {
  Json before = load_recipe(path_ + "/recipe.yaml").resolved, now = recipe.resolved;
  before.erase("doc");  // words alone change nothing
  now.erase("doc");
  const auto difference = first_difference(before, now);
  if (difference.empty()) return;
  fail(ErrorKind::value, path_,
       "holds a run of another recipe: " + difference + ". Go on with the old one by `plaudit run --resume " +
           path_ + "`, or name a new folder");
}

std::optional<Json> RunFolder::finished(const std::string& stage_id) const {
  const auto marker = path_ + "/stages/" + stage_id + "/done.json";
  if (!fs::exists(marker)) return std::nullopt;
  return read_json(marker);
}

void RunFolder::finish(const std::string& stage_id, const Json& result) const {
  create_folder(path_ + "/stages/" + stage_id);
  write_json(path_ + "/stages/" + stage_id + "/done.json", result);
}

Recipe load_run_recipe(const std::string& folder) {
  const auto path = folder + "/recipe.yaml";
  if (!fs::exists(path)) fail(ErrorKind::io, folder, "holds no run: there is no recipe.yaml in it");
  return load_recipe(path);
}

}  // namespace plaudit
