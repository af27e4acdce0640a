#include "plaudit/data/tokenize_pair.h"

#include <algorithm>
#include <tuple>

#include "plaudit/core/checks.h"
#include "plaudit/core/registry.h"

namespace plaudit {
namespace {

constexpr int64_t ignored_label = -100;

void check_ids(const Check& check, const char* name, const std::vector<int64_t>& ids, int64_t eos_id) {
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto where = [&] { return fmt::format("{}[{}]", name, i); };
    if (ids[i] < 0) check.that(false, where(), ">= 0", ids[i]);
    if (ids[i] == eos_id)
      check.refuse(ErrorKind::value, where(),
                   fmt::format("is eos_id ({}), which may only be appended at the end", eos_id));
  }
}

}  // namespace

void cut_prompt(std::vector<int64_t>& prompt, int64_t keep, const std::string& truncation) {
  const auto left = std::min(prompt.size(), static_cast<size_t>(keep));
  if (truncation == "keep_end")
    prompt.erase(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(left));
  else
    prompt.resize(left);
}

TruncatedPair truncate_pair(std::vector<int64_t> prompt, std::vector<int64_t> chosen,
                            std::vector<int64_t> rejected, int64_t eos_id,
                            const TokenizePairOptions& options) {
  const Check check("preference.tokenize_pair");
  check.that(eos_id >= 0, "eos_id", ">= 0", eos_id);
  check.that(options.max_length >= 1, "max_length", ">= 1", options.max_length);
  check.that(options.max_prompt_length >= 0, "max_prompt_length", ">= 0", options.max_prompt_length);
  check.choice("truncation", options.truncation, {"keep_end", "keep_start"});
  check_ids(check, "prompt", prompt, eos_id);
  check_ids(check, "chosen", chosen, eos_id);
  check_ids(check, "rejected", rejected, eos_id);

  TruncatedPair pair{std::move(prompt), std::move(chosen), std::move(rejected)};
  pair.chosen.push_back(eos_id);
  pair.rejected.push_back(eos_id);
  const size_t longer = std::max(pair.chosen.size(), pair.rejected.size());
  const auto limit = static_cast<size_t>(options.max_length);
  if (pair.prompt.size() + longer > limit) {
    const size_t before = pair.prompt.size();
    cut_prompt(pair.prompt, options.max_prompt_length, options.truncation);
    pair.prompt_cut = pair.prompt.size() < before;
  }
  if (pair.prompt.size() + longer > limit) {
    check.that(options.max_prompt_length < options.max_length, "max_prompt_length",
               fmt::format("< {} (max_length) to leave room for an answer", options.max_length),
               options.max_prompt_length);
    const auto keep = static_cast<size_t>(options.max_length - options.max_prompt_length);
    pair.answers_cut = longer > keep;
    pair.chosen.resize(std::min(pair.chosen.size(), keep));
    pair.rejected.resize(std::min(pair.rejected.size(), keep));
  }
  return pair;
}

TokenizedPair tokenize_pair(const std::vector<int64_t>& prompt, const std::vector<int64_t>& chosen,
                            const std::vector<int64_t>& rejected, int64_t eos_id,
                            const TokenizePairOptions& options) {
  const auto pair = truncate_pair(prompt, chosen, rejected, eos_id, options);
  const auto row = [&](const std::vector<int64_t>& answer) {
    auto ids = pair.prompt;
    ids.insert(ids.end(), answer.begin(), answer.end());
    return ids;
  };
  const auto labels = [&](const std::vector<int64_t>& answer) {
    std::vector<int64_t> row_labels(pair.prompt.size(), ignored_label);
    row_labels.insert(row_labels.end(), answer.begin(), answer.end());
    return row_labels;
  };
  return {row(pair.chosen), labels(pair.chosen), row(pair.rejected), labels(pair.rejected)};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "tokenize_pair(int[] prompt, int[] chosen, int[] rejected, int eos_id, int max_length=512, int "
      "max_prompt_length=256, str truncation='keep_end') -> (int[] chosen_ids, int[] chosen_labels, int[] "
      "rejected_ids, int[] rejected_labels)",
      [](std::vector<int64_t> prompt, std::vector<int64_t> chosen, std::vector<int64_t> rejected,
         int64_t eos_id, int64_t max_length, int64_t max_prompt_length, std::string truncation) {
        auto pair = tokenize_pair(prompt, chosen, rejected, eos_id,
                                  {max_length, max_prompt_length, std::move(truncation)});
        return std::tuple(std::move(pair.chosen_ids), std::move(pair.chosen_labels),
                          std::move(pair.rejected_ids), std::move(pair.rejected_labels));
      },
      "Token ids and labels of a preference pair: EOS appended, prompt and then answers cut to fit.", {"48"});
}

}  // namespace plaudit
