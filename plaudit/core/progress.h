// How far a piece of work is: on a terminal one line with a bar that is rewritten, elsewhere a plain line
// every few seconds; both with the rate and the time left.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace plaudit {

// What a line tells. `seconds` is the time since `first` were done; a rate needs done > first.
struct ProgressState {
  std::string what;
  int64_t first = 0, done = 0;
  int64_t total = 0;  // 0: unknown
  double seconds = 0;
};

// "train [=======>        ] 120/240  3.2/s  0:38 left", at most `columns` wide: the bar takes what is left,
// and goes when there is no room.
std::string progress_bar_line(const ProgressState& state, int columns);

// "train 120/240 (50 %), 3.2/s, 0:38 left"
std::string progress_plain_line(const ProgressState& state);

// "0:07", "12:34", "1:02:03"
std::string clock_text(double seconds);

class Progress {
 public:
  // Where lines go and what time it is; the default is standard error and a steady clock.
  struct Output {
    bool live = false;  // rewrite one line instead of printing many
    int columns = 80;
    std::function<void(const std::string&)> line;  // a plain line
    std::function<void(const std::string&)> live_line;
    std::function<double()> seconds;
  };
  static Output standard_output();

  explicit Progress(std::string what, Output output = standard_output());
  ~Progress();  // finishes
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  const std::string& what() const { return state_.what; }
  // Shows the state when enough time has passed. The rate counts from the first call.
  void update(int64_t done, int64_t total);
  // Removes the live line, or prints how long the work took.
  void finish();

 private:
  ProgressState state_;
  Output output_;
  double start_ = 0, shown_ = 0;
  bool begun_ = false, finished_ = false;
};

}  // namespace plaudit
