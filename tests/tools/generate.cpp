// Generates from given ids, for tests that compare with what others wrote.
//
//   tool_generate job.json
//
// The job: {"model": path, "precision": "f32|bf16", "prompts": [[id, ...], ...], "max_new_tokens",
// "temperature",
//  "per_prompt", "batch", "seed", "out": file}. `out` receives [[{"ids", "logps", "finish"}, ...], ...].
#include <cstdio>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"
#include "plaudit/model/generate.h"

namespace plaudit {
namespace {

void run(const std::string& path) {
  const auto job = read_json(path);
  const LanguageModel model{Transformer::load(job.at("model")), nullptr, "", ""};
  const SamplingOptions options{.max_new_tokens = job.value("max_new_tokens", int64_t{64}),
                                .temperature = job.value("temperature", 0.0),
                                .per_prompt = job.value("per_prompt", int64_t{1}),
                                .batch = job.value("batch", int64_t{32}),
                                .ignore_stop = true};
  const auto answers = Generator(model, job.value("precision", "f32"))
                           .generate(job.at("prompts").get<std::vector<std::vector<int64_t>>>(), options,
                                     Rng(job.value("seed", uint64_t{0}), "tool"));
  Json out = Json::array();
  for (const auto& prompt : answers) {
    out.push_back(Json::array());
    for (const auto& a : prompt)
      out.back().push_back({{"ids", a.ids}, {"logps", a.logps}, {"finish", a.finish}});
  }
  write_json(job.at("out"), out);
}

}  // namespace
}  // namespace plaudit

int main(int argc, char** argv) {
  try {
    if (argc != 2) plaudit::fail(plaudit::ErrorKind::value, "tool_generate", "expected one job file");
    plaudit::run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", plaudit::message_of(error).c_str());
    return 2;
  }
}
