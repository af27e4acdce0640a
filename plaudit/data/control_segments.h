// Pieces of episodes of one length, for methods that learn from sequences: windows, and pairs of them to be
// compared.
//
// P segments of T steps; no segment runs over the end of an episode. UserErrors: value, empty.
#pragma once

#include <vector>

#include "plaudit/core/rng.h"
#include "plaudit/data/control_data.h"

namespace plaudit {

struct ControlSegments {
  Tensor observations;  // [P,T,S]
  Tensor actions;       // [P,T,A]
  Tensor rewards;       // [P,T]
  Tensor mask;          // [P,T] f32, 0 behind the end of the episode, where all else is 0
  Tensor starts;        // [P] i64, the row that each begins with
};

// The rows from which `length` steps fit into their episode, [M] i64, ascending. None is kind empty, and says
// how long the longest episode is.
Tensor segment_starts(const ControlData& data, int64_t length);

// Segments from these rows, cut at the ends of their episodes.
ControlSegments segments_at(const ControlData& data, const Tensor& starts, int64_t length);

// `count` whole segments, their starts drawn uniformly with replacement.
ControlSegments sample_segments(const ControlData& data, int64_t count, int64_t length, Rng& rng);

// One segment after another through every episode; the last one of each may be cut.
ControlSegments all_segments(const ControlData& data, int64_t length);

// Two segments each and which is better. Hejna et al., "Contrastive Preference Learning", ICLR 2024.
struct PreferenceSegments {
  ControlSegments a, b;  // actions within 1 - 1e-5 of 0, so that a squashed law has a density at them
  Tensor label;          // [P], 1: a is better, 0: b, 0.5: no difference
};

// The better one has the larger sum of rewards; sums that differ by at most `margin` (>= 0) are a tie.
PreferenceSegments compare_by_return(ControlSegments a, ControlSegments b, double margin = 0);

}  // namespace plaudit
