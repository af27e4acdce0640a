// Stages: what recipes are made of. A stage is one small file that composes the layers below:
//
//   struct LabelOptions { std::string judge = "lexicon"; };
//   template <> void describe(OptionTable<LabelOptions>& t) {
//     t.field("judge", &LabelOptions::judge, "who scores the answers", one_of({"lexicon"}));
//   }
//
//   void run_label(const LabelOptions& options, RunContext& context) {
//     const auto& answers = context.get<Answers>("answers");
//     ...
//     context.put("scores", std::move(scores));
//     context.summary().metric("judge_mean", mean, low, high, n);
//   }
//
//   PLAUDIT_STAGE(label, LabelOptions, {
//     .doc = "Scores answers with a judge.",
//     .reads = {"answers"},
//     .writes = {"scores"},
//     .run = run_label,
//   });
//
// and `- label: {judge: lexicon}` is from then on a line of a recipe, checked before any work, listed by
// `plaudit stages` and a resume point of every run. What a stage reads and writes may depend on its options:
//
//   .reads = [](const TrainOptions& o) { return Names{o.objective == "sft" ? "demonstrations" : "pairs"}; },
//
// A name that ends in '?' is read when it is there. `.check` refuses what the types cannot: a file that is
// missing, two options that exclude each other. It runs before any stage does; its UserErrors start with the
// key.
//
// A section is a top-level key of recipes that makes an artefact of its own name on first use:
//
//   PLAUDIT_SECTION(policy, PolicyOptions, Policy, "The model that is trained.", make_policy);
//   Policy make_policy(const PolicyOptions& options, RunContext& context);
//   void check_section(const PolicyOptions& options);   // where there is one: as `.check` of a stage
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plaudit/core/options.h"
#include "plaudit/run/artefact.h"
#include "plaudit/run/context.h"

namespace plaudit {

using Names = std::vector<std::string>;

// A stage or section with its options read: ready to run.
struct BoundStage {
  Json options;  // defaults filled in
  Names reads, writes;
  std::string rounds_for;  // the option that counts the rounds of a repeat around it; "": none does
  std::function<void()> check;
  std::function<void(RunContext&)> run;
};

struct BoundSection {
  Json options;
  std::shared_ptr<const void> typed_options;
  std::type_index options_type = typeid(void);
  std::type_index artefact_type = typeid(void);
  std::function<void()> check;
  std::function<std::shared_ptr<void>(RunContext&)> make;
};

struct StageInfo {
  std::string name;
  std::string doc;                                 // one sentence
  std::function<std::vector<FieldInfo>()> fields;  // its options
  std::function<Names()> reads, writes;            // with default options
  std::function<BoundStage(const YAML::Node&, const Place&)> bind;
};

struct SectionInfo {
  std::string name;
  std::string doc;
  std::function<std::vector<FieldInfo>()> fields;
  std::function<BoundSection(const YAML::Node&, const Place&)> bind;
};

// All of them, sorted by name.
const std::vector<StageInfo>& stages();
const std::vector<SectionInfo>& sections();

// The one of that name, or null.
const StageInfo* find_stage(const std::string& name);
const SectionInfo* find_section(const std::string& name);

// Names, fixed or as a function of the options.
template <class Options>
class NamesOf {
 public:
  NamesOf() = default;
  NamesOf(std::initializer_list<const char*> names) {
    Names list(names.begin(), names.end());
    of_ = [list](const Options&) { return list; };
  }
  template <class F, class = std::enable_if_t<std::is_invocable_r_v<Names, F, const Options&>>>
  NamesOf(F of) : of_(std::move(of)) {}
  Names operator()(const Options& options) const { return of_ ? of_(options) : Names{}; }

 private:
  std::function<Names(const Options&)> of_;
};

template <class Options>
struct StageDefinition {
  std::string doc;
  NamesOf<Options> reads = {};
  NamesOf<Options> writes = {};
  std::function<std::string(const Options&)> rounds_for = {};
  std::function<void(const Options&)> check = {};
  std::function<void(const Options&, RunContext&)> run = {};
};

namespace detail {

void register_stage(StageInfo info);
void register_section(SectionInfo info);

template <class Options>
bool define_stage(const char* name, StageDefinition<Options> definition) {
  const auto shared = std::make_shared<const StageDefinition<Options>>(std::move(definition));
  StageInfo info;
  info.name = name;
  info.doc = shared->doc;
  // Tables and names may stand in a file that is initialised later: they are asked on first use.
  info.fields = [] { return option_table<Options>().fields(); };
  info.reads = [shared] { return shared->reads(Options{}); };
  info.writes = [shared] { return shared->writes(Options{}); };
  info.bind = [shared](const YAML::Node& node, const Place& place) {
    const auto options = std::make_shared<const Options>(read_options<Options>(node, place));
    BoundStage stage;
    stage.options = option_table<Options>().write(*options);
    stage.reads = shared->reads(*options);
    stage.writes = shared->writes(*options);
    if (shared->rounds_for) stage.rounds_for = shared->rounds_for(*options);
    stage.check = [shared, options] {
      if (shared->check) shared->check(*options);
    };
    stage.run = [shared, options](RunContext& context) { shared->run(*options, context); };
    return stage;
  };
  register_stage(std::move(info));
  return true;
}

template <class Options, class Artefact, class Make>
bool define_section(const char* name, const char* doc, Make make) {
  SectionInfo info;
  info.name = name;
  info.doc = doc;
  info.fields = [] { return option_table<Options>().fields(); };
  info.bind = [make](const YAML::Node& node, const Place& place) {
    const auto options = std::make_shared<const Options>(read_options<Options>(node, place));
    BoundSection section;
    section.options = option_table<Options>().write(*options);
    section.typed_options = options;
    section.options_type = typeid(Options);
    section.artefact_type = typeid(Artefact);
    section.check = [options] {
      if constexpr (requires { check_section(*options); }) check_section(*options);
    };
    section.make = [make, options](RunContext& context) {
      return std::static_pointer_cast<void>(std::make_shared<Artefact>(make(*options, context)));
    };
    return section;
  };
  register_section(std::move(info));
  return true;
}

}  // namespace detail
}  // namespace plaudit

#define PLAUDIT_STAGE(name, Options, ...)                   \
  [[maybe_unused]] static const bool plaudit_stage_##name = \
      ::plaudit::detail::define_stage<Options>(#name, ::plaudit::StageDefinition<Options> __VA_ARGS__)

#define PLAUDIT_SECTION(name, Options, Artefact, doc, make)   \
  [[maybe_unused]] static const bool plaudit_section_##name = \
      ::plaudit::detail::define_section<Options, Artefact>(#name, doc, make)
