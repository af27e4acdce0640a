#include "plaudit/train/unpaired.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plaudit/core/errors.h"
#include "plaudit/model/answer_batch.h"
#include "plaudit/objective/preference_kto.h"
#include "plaudit/train/batches.h"
#include "plaudit/train/examples.h"

namespace plaudit {
namespace {

constexpr const char* kUnpaired = "train.kto";

// For each example the next one, around the end, that `same` says is different; an empty list when there is
// none. Linear: the answer for i is i+1, or else that for i+1.
template <class Same>
std::vector<size_t> next_different(size_t size, Same same) {
  std::vector<size_t> out(size, size);
  for (size_t k = 2 * size; k-- > 0;) {
    const auto i = k % size, next = (i + 1) % size;
    out[i] = same(i, next) ? out[next] : next;
  }
  if (size == 0 || out[0] == size) out.clear();
  return out;
}

std::vector<size_t> partners(const std::vector<TokenizedAnswers>& own) {
  auto out = next_different(own.size(), [&](size_t a, size_t b) { return own[a].prompt == own[b].prompt; });
  if (out.empty())
    out = next_different(own.size(), [&](size_t a, size_t b) { return own[a].answers == own[b].answers; });
  if (out.empty())
    fail(ErrorKind::value, kUnpaired,
         "every example has the same prompt and answer, so there is no mismatched pair for the reference "
         "point");
  for (size_t i = 0; i < own.size(); ++i) {
    // Nothing at all before an ending token alone: such a pair would count no token.
    while (own[i].prompt.empty() && own[out[i]].answers[0].size() == 1) out[i] = (out[i] + 1) % own.size();
  }
  return out;
}

// Each prompt with another example's answer, cut to the same length as all.
std::vector<TokenizedAnswers> mismatch(const std::vector<TokenizedAnswers>& own, int64_t max_length) {
  const auto other = partners(own);
  std::vector<TokenizedAnswers> out;
  for (size_t i = 0; i < own.size(); ++i) {
    const auto room = static_cast<size_t>(max_length) - own[i].prompt.size();
    auto answer = own[other[i]].answers[0];
    if (answer.size() > room) answer.resize(room);
    out.push_back({own[i].prompt, {std::move(answer)}});
  }
  return out;
}

}  // namespace

template <>
void describe(OptionTable<UnpairedOptions>& t) {
  t.field("beta", &UnpairedOptions::beta, "strength of the pull to the reference", greater_than(0));
  t.field("desirable_weight", &UnpairedOptions::desirable_weight, "weight of desirable answers", at_least(0));
  t.field("undesirable_weight", &UnpairedOptions::undesirable_weight, "weight of undesirable answers",
          at_least(0));
  describe_reference(t);
  t.field("answers", &UnpairedOptions::answers, "lengths");
}

UnpairedObjective::UnpairedObjective(LanguageModel policy, const std::vector<UnpairedFeedback>& feedback,
                                     UnpairedOptions options, std::shared_ptr<Transformer> reference)
    : ReferenceObjective(std::move(policy), reference_options(options), /*needed=*/true,
                         std::move(reference)),
      options_(std::move(options)) {
  auto encoder = answer_encoder(policy_, options_.answers, AnswerEnd::cut);
  for (size_t i = 0; i < feedback.size(); ++i) {
    auto example = encoder.encode(fmt::format("record {}", i), feedback[i].prompt, {feedback[i].completion});
    if (!example) continue;
    own_.push_back(std::move(*example));
    desirable_.push_back(feedback[i].desirable ? 1 : 0);
  }
  if (own_.empty())
    fail(ErrorKind::empty, kUnpaired,
         feedback.empty() ? "there are no records" : "every record is above max_length");
  counts_ = as_map(encoder.counts());
  const auto desirable = static_cast<int64_t>(std::count(desirable_.begin(), desirable_.end(), 1.0));
  counts_["desirable"] = desirable;
  counts_["undesirable"] = size() - desirable;
  if (desirable == 0 || desirable == size())
    fail(
        ErrorKind::value, kUnpaired,
        fmt::format("every record is {}, expected both kinds", desirable == 0 ? "undesirable" : "desirable"));
  mismatched_ = mismatch(own_, encoder.max_length());
  options_.reference_file.clear();  // where the cache lies changes nothing
  fingerprint_ = hash_run(policy_, hash_examples(own_, desirable_) ^ hash_options(options_));
}

int64_t UnpairedObjective::tokens(int64_t example) const {
  return own_.at(static_cast<size_t>(example)).tokens();
}

std::vector<std::string> UnpairedObjective::metric_names() const {
  return {"kl",
          "logps/desirable",
          "logps/undesirable",
          "reference_point",
          "rewards/desirable",
          "rewards/undesirable"};
}

bool UnpairedObjective::prepare(const TrainOptions& options, TrainContext& context) {
  std::vector<TokenizedAnswers> both;
  both.reserve(own_.size());
  for (size_t i = 0; i < own_.size(); ++i)
    both.push_back({own_[i].prompt, {own_[i].answers[0], mismatched_[i].answers[0]}});
  return reference_.prepare(both, options, context);
}

void UnpairedObjective::begin_update(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                                     const Collective& ranks) {
  reference_point_ = reference_point(batch, tokens_per_batch, ranks);
}

// Each rank computes its share of the mismatched pairs; the sum over the ranks joins them.
at::Tensor UnpairedObjective::reference_point(const std::vector<int64_t>& batch, int64_t tokens_per_batch,
                                              const Collective& ranks) const {
  const at::NoGradGuard no_grad;
  // Places in the batch, so that an example that occurs twice counts twice.
  std::vector<int64_t> places(batch.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  const auto tokens = [&](int64_t place) {
    return mismatched_[static_cast<size_t>(batch[static_cast<size_t>(place)])].tokens();
  };
  auto found = at::zeros({2, static_cast<int64_t>(batch.size())}, at::kDouble);  // policy, reference
  for (const auto& pass :
       micro_batches(share_of_rank(places, tokens, ranks.rank, ranks.world), tokens, tokens_per_batch)) {
    std::vector<int64_t> examples;
    for (const auto place : pass) examples.push_back(batch[static_cast<size_t>(place)]);
    const auto packed = pack_for_logps(select(mismatched_, examples));
    const auto index = at::tensor(pass, at::kLong);
    found[0].index_copy_(0, index, answer_logps(*policy_.transformer, packed).to(at::kCPU, at::kDouble));
    found[1].index_copy_(0, index,
                         reference_.logps(examples, {1}, packed).squeeze(1).to(at::kCPU, at::kDouble));
  }
  std::vector<at::Tensor> sums = {found};
  ranks.all_reduce_sum(sums);
  // A policy that has diverged is reported by the pass, with its batch.
  if (!at::isfinite(sums[0]).all().item<bool>())
    return at::full({}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  return kto_reference_point(sums[0][0], sums[0][1]);
}

StepLoss UnpairedObjective::loss(const std::vector<int64_t>& examples) {
  const auto batch = pack_for_logps(select(own_, examples));
  const auto logps = answer_logps(*policy_.transformer, batch);
  const auto plain = logps.options().requires_grad(false);
  const auto reference = reference_.logps(examples, {0}, batch).squeeze(1).to(plain);
  const auto point = reference_point_.defined()
                         ? reference_point_
                         : reference_point(examples, std::numeric_limits<int64_t>::max(), {});
  const auto desirable = pick(desirable_, examples, logps);
  const auto result = kto_loss(logps, reference, desirable, point.to(plain),
                               {options_.beta, options_.desirable_weight, options_.undesirable_weight});
  const auto count = static_cast<double>(examples.size());
  StepLoss out{result.losses.sum(), count, {}};
  const auto put = [&](const std::string& metric, const at::Tensor& values) {
    const double good = desirable.sum().item<double>();
    out.sums[metric + "/desirable"] = {(values.detach() * desirable).sum(), good};
    out.sums[metric + "/undesirable"] = {(values.detach() * (1 - desirable)).sum(), count - good};
  };
  put("logps", logps);
  put("rewards", result.rewards);
  out.sums["reference_point"] = {point * count, count};
  out.sums["kl"] = {(reference - logps.detach()).sum(), count};
  return out;
}

double UnpairedObjective::weight_ratio() const {
  return options_.desirable_weight * static_cast<double>(counts_.at("desirable")) /
         (options_.undesirable_weight * static_cast<double>(counts_.at("undesirable")));
}

std::string UnpairedObjective::show(int64_t example) const {
  const auto place = static_cast<size_t>(example);
  return fmt::format("{}\n{}", show_answers(*policy_.tokenizer, own_.at(place)),
                     desirable_.at(place) > 0 ? "desirable" : "undesirable");
}

}  // namespace plaudit
