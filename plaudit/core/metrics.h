// The metrics of a run, as two files in its folder: metrics.jsonl, one line per step,
//
//   {"stage": "02-train", "step": 3, "time": 1767225600.123, "loss": 0.69, "grad_norm": 1.2}
//
// ("time" in seconds since 1970; NaN and infinities as strings), and the same as TensorBoard events with tags
// like "02-train/loss". Each line is written at once, so that a kill loses at most the line being written.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace plaudit {

class MetricsLog {
 public:
  // Starts the files, or continues those of an earlier process; a last line that was cut off is removed.
  explicit MetricsLog(std::string folder);

  // Following lines belong to that stage.
  void begin(const std::string& stage);

  // Appends one line. Steps do not decrease within a stage. When an earlier process left lines of this stage
  // at this step or later, they are replaced: a resumed stage repeats what came after its checkpoint.
  // UserError (io) when the disk is full.
  void log(int64_t step, const std::map<std::string, double>& values);

  std::string path() const { return folder_ + "/metrics.jsonl"; }

 private:
  struct OldLine {
    std::string stage;
    int64_t step;
    uint64_t offset;  // where it starts in metrics.jsonl
  };

  void read_old_lines();
  void truncate(uint64_t size);
  void rewrite_events() const;

  std::string folder_, stage_;
  std::vector<OldLine> old_;  // of earlier processes, in file order
};

}  // namespace plaudit
