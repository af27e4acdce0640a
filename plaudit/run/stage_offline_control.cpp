// iql, bc, td3_bc, edac: learn a policy of control from logged data.
#include "plaudit/core/errors.h"
#include "plaudit/run/offline_control.h"
#include "plaudit/run/stage_parts.h"
#include "plaudit/train/iql.h"
#include "plaudit/train/sac.h"
#include "plaudit/train/td3_bc.h"

namespace plaudit {
namespace {

template <class Options>
struct OfflineStage {
  OfflineControlOptions run = {};
  Options learner = {};
};
using IqlStage = OfflineStage<IqlOptions>;
using CloningStage = OfflineStage<RegressedPolicyOptions>;
using Td3BcStage = OfflineStage<Td3BcOptions>;
struct EdacStage {
  OfflineControlOptions run = {};
  SacOptions learner = edac_options();
};

template <class Stage>
void describe_stage(OptionTable<Stage>& t, const std::vector<std::string>& without = {}) {
  t.include(&Stage::run);
  t.include(&Stage::learner, without);
}

}  // namespace

template <>
void describe(OptionTable<IqlStage>& t) {
  describe_stage(t);
}
template <>
void describe(OptionTable<CloningStage>& t) {
  describe_stage(t);
}
template <>
void describe(OptionTable<Td3BcStage>& t) {
  describe_stage(t);
}
template <>
void describe(OptionTable<EdacStage>& t) {
  describe_stage(t, {"sequence", "model_hidden", "recall"});
}

namespace {

template <class Stage>
Names writes(const Stage& o) {
  return {o.run.into};
}
template <class Stage>
Names reads(const Stage& o) {
  return {o.run.data};
}

void check_hidden(const std::vector<int64_t>& hidden) {
  if (hidden.empty()) fail(ErrorKind::empty, "hidden", "must name a layer");
}

// `steps` are given to learners whose rates follow a schedule.
template <class Learner, class Stage, class... Steps>
void learn(const std::string& title, const Stage& o, const std::vector<int64_t>& hidden, RunContext& context,
           Steps... steps) {
  const auto make = [&](int64_t observations, int64_t actions) {
    return std::make_unique<Learner>(observations, actions, o.learner, steps..., context.rng("weights"));
  };
  run_offline_control(title, o.run, hidden, make, context);
}

void run_iql(const IqlStage& o, RunContext& context) {
  const bool robust = o.learner.quantile || o.learner.huber_sigma;
  learn<IqlLearner>(robust ? "robust implicit Q-learning" : "implicit Q-learning", o, o.learner.policy.hidden,
                    context, o.run.steps);
}

void run_cloning(const CloningStage& o, RunContext& context) {
  learn<CloningLearner>("behaviour cloning", o, o.learner.hidden, context, o.run.steps);
}

void run_td3_bc(const Td3BcStage& o, RunContext& context) {
  learn<Td3BcLearner>("TD3+BC", o, o.learner.hidden, context);
}

void run_edac(const EdacStage& o, RunContext& context) {
  learn<SacLearner>(fmt::format("soft actor-critic with {} critics{}", o.learner.critics,
                                o.learner.diversity > 0 ? " kept diverse (EDAC)" : ""),
                    o, o.learner.hidden, context);
}

PLAUDIT_STAGE(iql, IqlStage,
              {
                  .doc = "Implicit Q-learning on logged control data, plain or robust.",
                  .reads = reads<IqlStage>,
                  .writes = writes<IqlStage>,
                  .check =
                      [](const IqlStage& o) {
                        check_hidden(o.learner.policy.hidden);
                        if (o.learner.expectile <= 0 || o.learner.expectile >= 1)
                          fail(ErrorKind::value, "expectile",
                               fmt::format("must be in (0, 1), got {}", o.learner.expectile));
                        if (o.learner.target_min && o.learner.target_max &&
                            *o.learner.target_min >= *o.learner.target_max)
                          fail(ErrorKind::value, "target_min",
                               fmt::format("must be below target_max, {}, got {}", *o.learner.target_max,
                                           *o.learner.target_min));
                      },
                  .run = run_iql,
              });
PLAUDIT_STAGE(bc, CloningStage,
              {
                  .doc = "Behaviour cloning on logged control data.",
                  .reads = reads<CloningStage>,
                  .writes = writes<CloningStage>,
                  .check = [](const CloningStage& o) { check_hidden(o.learner.hidden); },
                  .run = run_cloning,
              });
PLAUDIT_STAGE(td3_bc, Td3BcStage,
              {
                  .doc = "TD3+BC on logged control data.",
                  .reads = reads<Td3BcStage>,
                  .writes = writes<Td3BcStage>,
                  .check = [](const Td3BcStage& o) { check_hidden(o.learner.hidden); },
                  .run = run_td3_bc,
              });
PLAUDIT_STAGE(
    edac, EdacStage,
    {
        .doc = "Soft actor-critic with an ensemble of critics (SAC-N, EDAC) on logged control data.",
        .reads = reads<EdacStage>,
        .writes = writes<EdacStage>,
        .check =
            [](const EdacStage& o) {
              check_hidden(o.learner.hidden);
              if (o.learner.diversity > 0 && o.learner.critics < 2)
                fail(ErrorKind::value, "diversity", "needs two critics at least");
            },
        .run = run_edac,
    });

}  // namespace
}  // namespace plaudit
