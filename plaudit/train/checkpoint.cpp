#include "plaudit/train/checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"

namespace plaudit {
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr size_t kKept = 2;

// The step in "checkpoint-<step>.safetensors", or -1.
int64_t step_of(std::string_view file) {
  if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) return -1;
  file.remove_prefix(kPrefix.size());
  file.remove_suffix(kSuffix.size());
  int64_t step = -1;
  const auto [end, error] = std::from_chars(file.data(), file.data() + file.size(), step);
  return error == std::errc() && end == file.data() + file.size() ? step : -1;
}

}  // namespace

std::vector<CheckpointFile> list_checkpoints(const std::string& folder) {
  std::vector<CheckpointFile> out;
  if (!std::filesystem::is_directory(folder)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto step = step_of(entry.path().filename().string());
    if (step >= 0) out.push_back({step, entry.path().string()});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.step > b.step; });
  return out;
}

std::string save_checkpoint(const std::string& folder, int64_t step, const std::vector<Parameter>& tensors,
                            const Json& info) {
  std::map<std::string, at::Tensor> named;
  for (const auto& [name, tensor] : tensors) {
    if (!named.emplace(name, tensor.detach()).second)
      bug("train.checkpoint", "two tensors are named " + name);
  }
  create_folder(folder);
  const auto path = (std::filesystem::path(folder) / fmt::format("{}{}{}", kPrefix, step, kSuffix)).string();
  save_safetensors(path, named, {{"format", "pt"}, {"plaudit", info.dump()}});
  const auto files = list_checkpoints(folder);
  for (size_t i = kKept; i < files.size(); ++i) std::filesystem::remove(files[i].path);
  return path;
}

Json read_checkpoint_info(const std::string& path) {
  const auto file = load_safetensors(path);
  const auto found = file.metadata.find("plaudit");
  if (found == file.metadata.end())
    fail(ErrorKind::type, path, "is a safetensors file but not a checkpoint of a training run");
  auto info = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!info.is_object()) fail(ErrorKind::type, path, "the checkpoint's information is not JSON");
  return info;
}

void load_checkpoint(const std::string& path, const std::vector<Parameter>& tensors) {
  const at::NoGradGuard no_grad;
  const auto file = load_safetensors(path);
  for (const auto& [name, tensor] : tensors) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) fail(ErrorKind::value, path, "holds no tensor " + name);
    if (found->second.sizes() != tensor.sizes())
      fail(ErrorKind::shape, path,
           fmt::format("{} is {}, expected {}", name, shape_of(found->second), shape_of(tensor)));
    tensor.detach().copy_(found->second);
  }
}

}  // namespace plaudit
