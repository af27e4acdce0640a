#include <fmt/format.h>

#include "plaudit/core/errors.h"
#include "plaudit/model/resolve.h"
#include "plaudit/model/transformer.h"

namespace plaudit {

LanguageModel LanguageModel::load(const std::string& path, at::ScalarType dtype, at::Device device) {
  const auto source = resolve_model(path);
  // The tokenizer first: it is small, and without it the weights are of no use here.
  auto tokenizer = Tokenizer::load(source);
  auto transformer = Transformer::load(source, dtype, device);
  if (tokenizer->vocab_size() > transformer->config().vocab)
    fail(ErrorKind::value, source,
         fmt::format("the tokenizer has {} tokens, but the model embeds only {}", tokenizer->vocab_size(),
                     transformer->config().vocab));
  return {std::move(transformer), std::move(tokenizer), "", path};
}

}  // namespace plaudit
