// The engine's side of a RunContext: what lives as long as the run, and what belongs to the current stage.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "plaudit/core/metrics.h"
#include "plaudit/core/progress.h"
#include "plaudit/run/artefact_table.h"
#include "plaudit/run/context.h"
#include "plaudit/run/recipe.h"

namespace plaudit {

struct RunContext::Impl {
  const Recipe& recipe;
  std::string folder;
  at::Device device;
  std::shared_ptr<Distributed> ranks;
  std::unique_ptr<MetricsLog> metrics = nullptr;  // rank 0 only
  ArtefactTable artefacts = {};

  const PlannedStage* stage = nullptr;
  std::set<std::string> written = {};  // artefacts that the stage has put or edited
  Summary summary = {};
  Report report = Report();
  std::unique_ptr<Progress> progress = nullptr;

  // The artefact that is being made or loaded, "" in the stage's own code. Its making may read other
  // artefacts, and has random streams of its own: they must not depend on which stage happens to ask first.
  std::string making = {};

  bool is_first_rank() const { return ranks->rank() == 0; }
  std::string stage_folder() const { return folder + "/stages/" + stage->id; }
};

}  // namespace plaudit
