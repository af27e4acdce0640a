// Checkpoints of a training run: one safetensors file `checkpoint-<step>.safetensors` per saved step, written
// aside, synced and renamed, so that a kill at any instant leaves the previous one. The last two are kept.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plaudit/model/transformer.h"

namespace plaudit {

using Json = nlohmann::ordered_json;

struct CheckpointFile {
  int64_t step = 0;
  std::string path;
};

// The checkpoints in a folder, newest first; none when the folder does not exist.
std::vector<CheckpointFile> list_checkpoints(const std::string& folder);

// Writes the tensors and `info` as a checkpoint of `step`, then removes all but the last two. Returns its
// path. Names must be unique.
std::string save_checkpoint(const std::string& folder, int64_t step, const std::vector<Parameter>& tensors,
                            const Json& info);

// What save_checkpoint was given as `info`.
Json read_checkpoint_info(const std::string& path);

// Copies the checkpoint into the tensors, in place. A missing name or another shape is a UserError that names
// the file.
void load_checkpoint(const std::string& path, const std::vector<Parameter>& tensors);

}  // namespace plaudit
