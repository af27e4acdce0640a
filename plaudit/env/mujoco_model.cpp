#include "plaudit/env/mujoco_model.h"

#include <dlfcn.h>
#include <mujoco/mujoco.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "plaudit/core/errors.h"
#include "plaudit/env/mujoco_contacts.h"

namespace plaudit {
namespace {

thread_local bool quiet = false;
mjfLogHandler next_handler = nullptr;

// Outside of QuietMujoco messages go where they went before.
void handle_message(const mjLogMessage* message) {
  if (quiet) {
    if (message->level == mjLOG_ERROR) bug("MuJoCo", message->subject);
    return;
  }
  if (next_handler != nullptr) return next_handler(message);
  std::fprintf(stderr, "MuJoCo: %s\n", message->subject);
}

// Set again whenever somebody else's handler replaced ours, e.g. that of the Python package.
void install_handler() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto before = mju_setLogHandler(&handle_message);
  if (before != &handle_message) next_handler = before;
}

using MujocoSpec = std::unique_ptr<mjSpec, decltype(&mj_deleteSpec)>;

[[noreturn]] void refuse(const std::string& name, const char* words) {
  fail(ErrorKind::io, name, std::string("is not a MuJoCo model: ") + words);
}

// What a reader made of a text or a file, compiled; MuJoCo's words in an error that starts with the name.
MujocoModel compile(const MujocoSpec& spec, const char* words, const std::string& name, Contacts contacts) {
  if (spec == nullptr) refuse(name, words);
  const std::shared_ptr<mjModel> model(mj_compile(spec.get(), nullptr), MujocoDelete());
  if (model == nullptr) refuse(name, mjs_getError(spec.get()));
  return contacts == Contacts::listed ? list_contacts(*spec, model) : model;
}

}  // namespace

void MujocoDelete::operator()(mjModel_* model) const {
  mj_deleteModel(model);
}

void MujocoDelete::operator()(mjData_* data) const {
  mj_deleteData(data);
}

QuietMujoco::QuietMujoco() : before_(quiet) {
  quiet = true;
}

QuietMujoco::~QuietMujoco() {
  quiet = before_;
}

MujocoModel load_mujoco_model(const std::string& path, Contacts contacts) {
  if (!std::filesystem::exists(path)) fail(ErrorKind::io, path, "no such model file");
  install_handler();
  const QuietMujoco loading;
  std::array<char, 1024> words{};
  const MujocoSpec spec(mj_parseXML(path.c_str(), nullptr, words.data(), words.size()), &mj_deleteSpec);
  return compile(spec, words.data(), path, contacts);
}

MujocoModel parse_mujoco_model(const std::string& xml, const std::string& name, Contacts contacts) {
  install_handler();
  const QuietMujoco loading;
  std::array<char, 1024> words{};
  const MujocoSpec spec(mj_parseXMLString(xml.c_str(), nullptr, words.data(), words.size()), &mj_deleteSpec);
  return compile(spec, words.data(), name, contacts);
}

MujocoData make_mujoco_data(const MujocoModel& model) {
  MujocoData data(mj_makeData(model.get()));
  if (!data) bug("make_mujoco_data", "no memory for a simulation");
  return data;
}

std::string gymnasium_models() {
  if (const char* folder = std::getenv("PLAUDIT_MODELS")) return folder;
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&mj_step), &library) == 0) return "";
  // site-packages/mujoco/libmujoco.so.* stands beside site-packages/gymnasium.
  std::error_code ignored;
  const auto file = std::filesystem::canonical(library.dli_fname, ignored);
  const auto folder = file.parent_path().parent_path() / "gymnasium/envs/mujoco/assets";
  return std::filesystem::is_directory(folder, ignored) ? folder.string() : "";
}

}  // namespace plaudit
