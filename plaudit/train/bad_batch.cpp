#include "plaudit/train/bad_batch.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "plaudit/core/errors.h"
#include "plaudit/core/files.h"

namespace plaudit {
namespace {

// JSON has no NaN and no infinity.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value));
}

// NaN also where the objective itself refuses the example for a NaN.
double loss_of(Objective& objective, int64_t example) {
  const at::NoGradGuard no_grad;
  try {
    return objective.loss({example}).loss_sum.item<double>();
  } catch (const UserError& error) {
    if (error.kind() != ErrorKind::nan) throw;
    return std::numeric_limits<double>::quiet_NaN();
  }
}

std::string first_words(const std::string& text) {
  constexpr size_t limit = 160;
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
}

}  // namespace

std::string save_bad_batch(Objective& objective, const BadBatch& batch, const std::string& folder) {
  Json bad = Json::array(), good = Json::array();
  std::string named;
  for (const auto example : batch.examples) {
    const double loss = loss_of(objective, example);
    auto& list = std::isfinite(loss) ? good : bad;
    list.push_back({{"example", example}, {"loss", number(loss)}, {"text", objective.show(example)}});
    if (!std::isfinite(loss) && bad.size() <= 3)
      named +=
          fmt::format("\n  example {} (loss {}): {}", example, loss, first_words(objective.show(example)));
  }
  if (named.empty()) named = "\n  each example alone has a finite loss: the gradient overflows";
  std::string saved;
  if (!folder.empty()) {
    const auto path =
        (std::filesystem::path(folder) / fmt::format("bad-batch-step-{}.json", batch.step)).string();
    for (auto& entry : good) bad.push_back(std::move(entry));
    create_folder(folder);
    write_json(path, {{"step", batch.step},
                      {"loss", number(batch.loss)},
                      {"gradient_norm", number(batch.gradient_norm)},
                      {"examples", std::move(bad)}});
    saved = "; the batch is saved in " + path;
  }
  return fmt::format("step {}: loss {} with gradient norm {}, expected finite numbers{}{}", batch.step,
                     batch.loss, batch.gradient_norm, saved, named);
}

}  // namespace plaudit
