// `plaudit embed`: vectors of texts, and how alike the texts are.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/data/text.h"
#include "plaudit/model/sentence_encoder.h"

namespace plaudit::cli {
namespace {

struct EmbedOptions {
  std::string model, json;
  std::vector<std::string> texts;
};

std::vector<std::string> lines_of_input() {
  std::vector<std::string> out;
  for (std::string line; std::getline(std::cin, line);) out.push_back(line);
  return out;
}

// Cosines of all pairs; the vectors have length one unless the model says otherwise.
void print_similarities(const std::vector<std::string>& texts, const at::Tensor& vectors) {
  const auto unit = vectors / vectors.norm(2, {1}, true);
  const auto cosine = at::matmul(unit, unit.t()).contiguous();
  const auto values = cosine.accessor<float, 2>();
  for (int64_t i = 0; i < cosine.size(0); ++i) {
    for (int64_t j = 0; j < cosine.size(1); ++j) fmt::print("{:>6.3f} ", values[i][j]);
    fmt::print(" {}\n", excerpt(texts[static_cast<size_t>(i)], 60));
  }
}

void embed(const EmbedOptions& options) {
  const auto encoder = SentenceEncoder::load(options.model);
  const auto texts = options.texts.empty() ? lines_of_input() : options.texts;
  const auto vectors = encoder->embed(texts);
  print_similarities(texts, vectors);
  if (options.json.empty()) return;
  Json list = Json::array();
  for (int64_t i = 0; i < vectors.size(0); ++i) {
    const auto row = vectors.select(0, i);
    list.push_back(
        std::vector<float>(row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()));
  }
  write_json(options.json, {{"texts", texts}, {"vectors", list}});
}

}  // namespace

void add_embed(CLI::App& app, int&) {
  auto* command = app.add_subcommand("embed", "vectors of texts by a sentence encoder, and their cosines");
  command->footer(
      "Example:\n  plaudit embed minilm-l6 --text 'a small dog' --text 'a puppy' --text 'tax law'");
  auto options = std::make_shared<EmbedOptions>();
  command->add_option("model", options->model, "name (minilm-l6) or folder of a sentence encoder")
      ->required();
  command
      ->add_option("--text", options->texts, "a text, as often as needed; else the lines of standard input")
      ->take_all()
      ->expected(1);
  command->add_option("--json", options->json, "also write the vectors to this file");
  command->callback([options] { embed(*options); });
}

}  // namespace plaudit::cli
