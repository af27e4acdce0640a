// Stages: the verbs of a recipe. Each is one small file that composes the layers below and registers itself:
//
//   struct LabelOptions { std::string judge = "lexicon"; };
//   void run_label(RunContext& context, const LabelOptions& options) { ... }
//   PLAUDIT_STAGE(label, "Scores answers and makes pairs of them.", LabelOptions, run_label)
//
// (describe<LabelOptions> stands beside it, as for all options.) Stages read and write named artefacts of the
// context and add metrics, tables and plots to the report.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plaudit/core/options.h"

namespace plaudit::run {

class RunContext;

// One stage of one recipe, its options read.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual void run(RunContext& context) const = 0;
  virtual Json options() const = 0;
};

struct StageKind {
  std::string name;
  std::string doc;
  std::vector<FieldInfo> (*fields)();
  std::unique_ptr<Stage> (*make)(const YAML::Node& node, const Place& place);
};

// All kinds of stages, sorted by name.
const std::vector<StageKind>& stage_kinds();

namespace detail {

void register_stage(StageKind kind);

template <class Options>
class OptionsStage : public Stage {
 public:
  using Body = void (*)(RunContext&, const Options&);
  OptionsStage(Options options, Body body) : options_(std::move(options)), body_(body) {}
  void run(RunContext& context) const override { body_(context, options_); }
  Json options() const override { return option_table<Options>().write(options_); }

 private:
  Options options_;
  Body body_;
};

template <class Options, void (*body)(RunContext&, const Options&)>
struct StageRegistrar {
  StageRegistrar(const char* name, const char* doc) {
    register_stage({name, doc, [] { return option_table<Options>().fields(); },
                    [](const YAML::Node& node, const Place& place) -> std::unique_ptr<Stage> {
                      return std::make_unique<OptionsStage<Options>>(read_options<Options>(node, place),
                                                                     body);
                    }});
  }
};

}  // namespace detail
}  // namespace plaudit::run

#define PLAUDIT_STAGE(name, doc, Options, body) \
  static const ::plaudit::run::detail::StageRegistrar<Options, body> plaudit_stage_##name(#name, doc);
