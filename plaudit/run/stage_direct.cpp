// direct: demonstrations for a policy that reads directions: of the answers to each prompt, the best in each
// direction, behind a prompt that names the direction.
#include <ATen/ATen.h>

#include <cmath>

#include "plaudit/data/direction_prompt.h"
#include "plaudit/reward/directional.h"
#include "plaudit/run/records_artefact.h"
#include "plaudit/run/scored_answers.h"
#include "plaudit/run/stage_parts.h"

namespace plaudit {

struct DirectStage {
  std::vector<double> angles = {0, 15, 30, 45, 60, 75, 90};
};

template <>
void describe(OptionTable<DirectStage>& t) {
  t.field(
      "angles", &DirectStage::angles,
      "directions over the two objectives, in degrees: 0 is the first alone, 90 the second, -45 the first "
      "against the second");
}

namespace {

void run_direct(const DirectStage& options, RunContext& context) {
  int64_t failed = 0, empty = 0;
  const auto scored = judged_alone(context.get<ScoredAnswers>("scores"), failed);
  if (failed > 0) context.summary().rejected("answers without a score", failed);
  if (scored.objectives.size() != 2)
    fail(ErrorKind::value, "direct",
         fmt::format("needs the scores of two objectives, got {}: one score stage each",
                     scored.objectives.size()));
  Demonstrations out;
  std::vector<double> chosen(options.angles.size(), 0);
  for (size_t i = 0; i < scored.scores.size(); ++i) {
    const auto& list = scored.answers.lists[i];
    // An answer of nothing is short and harmless: it would win wherever brevity counts.
    std::vector<size_t> places;
    std::vector<double> numbers;
    for (size_t k = 0; k < list.completions.size(); ++k) {
      if (list.completions[k].find_first_not_of(" \t\n") == std::string::npos) {
        ++empty;
        continue;
      }
      places.push_back(k);
      numbers.insert(numbers.end(), scored.scores[i][k].begin(), scored.scores[i][k].end());
    }
    if (places.empty()) continue;
    const auto rewards = at::tensor(numbers, at::kDouble).view({1, -1, 2});
    for (size_t d = 0; d < options.angles.size(); ++d) {
      const auto direction = direction_of_angle(options.angles[d]);
      const auto best = directional_best_of_n(rewards, at::tensor(direction, at::kDouble).view({1, 2}));
      const auto place = places[static_cast<size_t>(best.index.item<int64_t>())];
      out.push_back({with_direction(list.prompt, direction), list.completions[place], 1, list.extra});
      chosen[d] += best.score.item<double>();
    }
  }
  if (empty > 0) context.summary().rejected("empty answers", empty);
  if (out.empty()) fail(ErrorKind::empty, "direct", "there is no answer that every objective could judge");
  const auto prompts = static_cast<double>(out.size()) / static_cast<double>(options.angles.size());
  for (size_t d = 0; d < options.angles.size(); ++d)
    context.summary().metric(fmt::format("direct/best@{:g}", options.angles[d]), chosen[d] / prompts);
  context.put<Demonstrations>("demonstrations", std::move(out));
}

PLAUDIT_STAGE(direct, DirectStage,
              {
                  .doc = "The best answer to each prompt in each direction, as demonstrations.",
                  .reads = {"scores"},
                  .writes = {"demonstrations"},
                  .check =
                      [](const DirectStage& options) {
                        if (options.angles.empty())
                          fail(ErrorKind::empty, "angles", "must list directions in degrees");
                      },
                  .run = run_direct,
              });

}  // namespace
}  // namespace plaudit
