// `plaudit bench`: jobs whose speed and memory are measured in one run beside the machine's limits and, where
// there is one, beside a named peer that does the same work.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/machine.h"

namespace plaudit::bench {

double median(std::vector<double> values);
double seconds_since(std::chrono::steady_clock::time_point start);

// One side of a comparison.
struct Measurement {
  double rate = 0;                  // units per second
  double peak_mib = 0;              // largest resident memory of its process
  Json same_work = Json::object();  // what shows that both sides did the same work, e.g. the first loss
  std::string version = "";
};

struct JobResult {
  std::string job;                       // "sft"
  std::string precision;                 // "f32", "bf16"
  std::string unit;                      // "tokens/s"
  std::vector<Measurement> ours = {};    // one per round
  std::vector<Measurement> theirs = {};  // same rounds; empty without a peer
  std::string peer = "";
  std::optional<double> share_of_limit = {};  // of the machine's own limit
};

struct BenchReport {
  Machine machine;
  Json limits = Json::object();  // name -> value
  std::vector<JobResult> jobs;
};

// The shape that DESIGN promises: {"machine", "limits", "jobs": [{"job", "precision", "peer", ...}]}.
Json to_json(const BenchReport& report);

// A table for people.
void print(const BenchReport& report);

// Measures the limits that every report carries.
BenchReport begin_report();

}  // namespace plaudit::bench
