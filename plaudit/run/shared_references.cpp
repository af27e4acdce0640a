#include "plaudit/run/shared_references.h"

#include <algorithm>
#include <filesystem>

#include "plaudit/core/hash.h"
#include "plaudit/run/versions.h"

namespace plaudit {

SharedReferences references_beside(int64_t tokens_per_batch, RunContext& context) {
  namespace fs = std::filesystem;
  auto made = versions();
  made.erase("started");
  made["program"] = program_digest();
  made["device"] = context.device().is_cuda() ? "cuda" : "cpu";  // all ranks say the same
  made["world"] = context.ranks().world();
  made["tokens_per_batch"] =
      tokens_per_batch;  // which examples are computed side by side moves the last bits
  SharedReferences out{{}, hex64(hash64(made.dump()))};

  auto own = fs::absolute(context.run_folder()).lexically_normal();
  if (!own.has_filename()) own = own.parent_path();
  std::error_code error;  // a folder that cannot be read is passed over
  for (fs::directory_iterator at(own.parent_path(), error), end; !error && at != end; at.increment(error)) {
    const auto file = at->path() / "stages" / context.id() / "checkpoints" / "reference.safetensors";
    std::error_code missing;
    if (at->path() != own && fs::is_regular_file(file, missing)) out.files.push_back(file.string());
  }
  std::sort(out.files.begin(), out.files.end());
  return out;
}

}  // namespace plaudit
