#include "plaudit/train/reference.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <filesystem>

#include "plaudit/core/checks.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/core/safetensors.h"

namespace plaudit {
namespace {

constexpr const char* tensor_name = "reference_logps";
constexpr const char* key_name = "plaudit.reference_key";
constexpr const char* computed_by_name = "plaudit.computed_by";

}  // namespace

std::optional<at::Tensor> load_reference(const std::string& path, const std::string& key, int64_t examples,
                                         int64_t answers) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto file = load_safetensors(path);
  const auto tensor = file.tensors.find(tensor_name);
  const auto saved_key = file.metadata.find(key_name);
  if (tensor == file.tensors.end() || saved_key == file.metadata.end())
    fail(ErrorKind::type, path, "does not hold reference log-probabilities");
  if (saved_key->second != key)
    fail(
        ErrorKind::value, path,
        fmt::format("was made with another model, tokenizer, data, max_length or precision (key {}, this run "
                    "has {}); delete the file to compute it again",
                    saved_key->second, key));
  const auto logps = tensor->second;
  if (logps.dim() != 2 || logps.size(0) < examples || logps.size(1) != answers)
    fail(ErrorKind::value, path,
         fmt::format("holds {} numbers, expected [{}, {}]: an example is missing", shape_of(logps), examples,
                     answers));
  const auto missing = at::isnan(logps).any(1).nonzero();
  if (missing.numel() > 0)
    fail(ErrorKind::value, path,
         fmt::format("has no log-probability for example {}", missing[0].item<int64_t>()));
  return logps.clone();
}

void save_reference(const std::string& path, const std::string& key, const at::Tensor& logps,
                    const std::string& computed_by) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) create_folder(folder.string());
  save_safetensors(path, {{tensor_name, logps}},
                   {{"format", "pt"}, {key_name, key}, {computed_by_name, computed_by}});
}

std::optional<at::Tensor> find_reference(const SharedReferences& others, const std::string& key,
                                         int64_t examples, int64_t answers, std::string& from) {
  if (others.computed_by.empty()) return std::nullopt;
  for (const auto& path : others.files) {
    try {
      const auto made = load_safetensors(path).metadata;
      const auto by = made.find(computed_by_name);
      if (by == made.end() || by->second != others.computed_by) continue;
      if (auto found = load_reference(path, key, examples, answers)) {
        from = path;
        return found;
      }
    } catch (const UserError&) {
      continue;
    }
  }
  return std::nullopt;
}

}  // namespace plaudit
