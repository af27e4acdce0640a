// Reference log-probabilities, computed once and kept in a file beside the run.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

namespace plaudit {

// Summed log-probabilities of every answer under the reference, [examples, answers] f32, from `path`; nullopt
// when there is no such file. UserErrors (value): the file was made with another model, tokenizer, data,
// length or precision (`key`); an example is missing from it.
std::optional<at::Tensor> load_reference(const std::string& path, const std::string& key, int64_t examples,
                                         int64_t answers);

void save_reference(const std::string& path, const std::string& key, const at::Tensor& logps);

}  // namespace plaudit
