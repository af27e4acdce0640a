// The plan of a recipe: its stages in the order in which they run, repeats unrolled, options bound.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "plaudit/run/stage.h"

namespace plaudit {

// One run of one stage: a line of the recipe, once per round of the repeats around it.
struct PlannedStage {
  std::string id;    // its folder below stages/: "02-train", "03-repeat/2/00-sample"
  std::string kind;  // "train"
  std::string name;  // as the recipe names it; "" when it does not
  std::string
      stream;  // of random numbers: "train", "train.2" for the second of its kind, "train@3" in round 3
  int64_t round = 0;  // of the innermost repeat, from 1; 0 outside
  Place place;        // in the recipe
  int64_t line = 0;
  BoundStage bound;
};

// Reads the list of stages into `out`; returns it with all options filled in.
Json plan_stages(const YAML::Node& list, const Place& place, std::vector<PlannedStage>& out);

// Refuses a stage that reads what neither a section nor an earlier stage makes.
void check_flow(const std::vector<PlannedStage>& plan, const std::map<std::string, BoundSection>& sections);

// Asks each stage for what its types cannot say: missing files, options that exclude each other.
void check_stages(const std::vector<PlannedStage>& plan);

}  // namespace plaudit
