#include "plaudit/run/shared_references.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "plaudit/core/file_lock.h"
#include "plaudit/core/files.h"
#include "plaudit/core/hash.h"
#include "plaudit/core/log.h"
#include "plaudit/run/versions.h"

namespace plaudit {
namespace {

namespace fs = std::filesystem;

// The folders of checkpoints of this stage in the runs beside `own`, in order.
std::vector<fs::path> stages_beside(const fs::path& own, const std::string& id) {
  std::vector<fs::path> out;
  std::error_code error;  // a folder that cannot be read is passed over
  for (fs::directory_iterator at(own.parent_path(), error), end; !error && at != end; at.increment(error))
    if (at->path() != own) out.push_back(at->path() / "stages" / id / "checkpoints");
  std::sort(out.begin(), out.end());
  return out;
}

bool says(const fs::path& file, const std::string& text) {
  try {
    return read_file(file.string()) == text;
  } catch (const UserError&) {
    return false;
  }
}

// A file that says what a run computes, locked by the run while it does.
class Turn {
 public:
  Turn(std::string path, const std::string& text) : path_(std::move(path)) {
    write_file_atomic(path_, text);
    lock_ = FileLock::take(path_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    std::error_code gone;
    fs::remove(path_, gone);
  }

 private:
  std::string path_;
  std::optional<FileLock> lock_;
};

constexpr const char* kTurn = "reference.turn";

// Nobody else's turn begins while the folder of runs is locked.
std::shared_ptr<void> take_turn(const fs::path& own, const std::string& what, RunContext& context) {
  for (bool said = false; !context.interrupted();) {
    {
      const auto alone = FileLock::take(own.parent_path().string(), /*wait=*/true);
      const auto others = stages_beside(own, context.id());
      const auto busy = std::find_if(others.begin(), others.end(), [&](const fs::path& folder) {
        const auto file = folder / kTurn;
        return says(file, what) && FileLock::is_taken(file.string());
      });
      if (busy == others.end()) {
        const auto folder = context.folder() + "/checkpoints";
        create_folder(folder);
        return std::make_shared<Turn>(folder + "/" + kTurn, what);
      }
      if (!std::exchange(said, true))
        say("waiting for the reference log-probabilities that " + busy->string() + " computes");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return nullptr;
}

}  // namespace

SharedReferences references_beside(const std::string& key, int64_t tokens_per_batch, RunContext& context) {
  auto made = versions();
  made.erase("started");
  made["program"] = program_digest();
  made["device"] = context.device().is_cuda() ? "cuda" : "cpu";  // all ranks say the same
  made["world"] = context.ranks().world();
  made["tokens_per_batch"] =
      tokens_per_batch;  // which examples are computed side by side moves the last bits
  SharedReferences out{.computed_by = hex64(hash64(made.dump()))};

  auto own = fs::absolute(context.run_folder()).lexically_normal();
  if (!own.has_filename()) own = own.parent_path();
  if (context.ranks().rank() == 0) {
    try {
      out.turn = take_turn(own, key + " " + out.computed_by, context);
    } catch (const UserError& error) {  // a folder that may not be read or a disk without locks: not shared
      say(std::string("reference log-probabilities are computed without waiting for others: ") +
          error.what());
    }
  }
  for (const auto& folder : stages_beside(own, context.id())) {
    const auto file = folder / "reference.safetensors";
    std::error_code missing;
    if (fs::is_regular_file(file, missing)) out.files.push_back(file.string());
  }
  return out;
}

}  // namespace plaudit
