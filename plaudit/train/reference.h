// Reference log-probabilities, computed once and kept in a file beside the run.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "plaudit/train/loop.h"

namespace plaudit {

// Summed log-probabilities of every answer under the reference, [examples, answers] f32, from `path`; nullopt
// when there is no such file. UserErrors (value): the file was made with another model, tokenizer, data,
// length or precision (`key`); an example is missing from it.
std::optional<at::Tensor> load_reference(const std::string& path, const std::string& key, int64_t examples,
                                         int64_t answers);

// `computed_by`: see SharedReferences.
void save_reference(const std::string& path, const std::string& key, const at::Tensor& logps,
                    const std::string& computed_by = "");

// What load_reference finds in the first of the files that was made with the same key and computed in the
// same way, so that it is what this run would compute, bit for bit; the file's path is put into `from`. All
// others, damaged ones too, are passed over: they belong to other runs.
std::optional<at::Tensor> find_reference(const SharedReferences& others, const std::string& key,
                                         int64_t examples, int64_t answers, std::string& from);

}  // namespace plaudit
