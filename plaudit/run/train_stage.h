// The options of stage `train`, and what they mean together. The objective's name chooses data, model and
// loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plaudit/run/stage.h"
#include "plaudit/run/watch.h"
#include "plaudit/train/offline.h"
#include "plaudit/train/policy_gradient.h"
#include "plaudit/train/preference.h"
#include "plaudit/train/value.h"

namespace plaudit {

struct TrainStage {
  std::string objective = "dpo";
  std::string data;  // "": what the objective usually reads
  PreferenceLossOptions loss = {};
  double sft_weight = 0;
  double td_weight = 0, discount = 1;
  std::string reference = "auto";
  std::string reference_file = "";
  int64_t ref_sync_steps = 0;
  double ref_sync_mix = 0.6;
  double desirable_weight = 1, undesirable_weight = 1;
  double center_coef = 0;
  bool use_margins = false;
  bool normalise = true;
  AnswerOptions answers = {};
  TrainOptions training = {};
  ValueTrainingOptions value = {};
  OfflineOptions offline = {};
  PolicyGradientOptions gradient = {};
  std::optional<RolloutChoice> rollout = {};
  std::optional<WatchOptions> watch = {};
};

template <>
void describe(OptionTable<TrainStage>& table);

bool is_reward(const TrainStage& stage);
bool is_sft(const TrainStage& stage);
bool is_kto(const TrainStage& stage);
bool is_ranked(const TrainStage& stage);
bool is_value(const TrainStage& stage);
bool is_alol(const TrainStage& stage);
bool is_policy_gradient(const TrainStage& stage);

// The records that it reads; "" for answers that are drawn while training.
std::string data_of(const TrainStage& stage);
Names train_reads(const TrainStage& stage);
Names train_writes(const TrainStage& stage);

// UserErrors for options that the objective does not have, or that exclude each other.
void check_train(const TrainStage& stage);

}  // namespace plaudit
