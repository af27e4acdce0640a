// Answers between tags: <think> .. </think> <answer> .. </answer>, and what image tasks write inside.
//
// Source: Liu et al., "Visual-RFT", 2025, arXiv 2503.01785, and its code; newlines are allowed everywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plaudit/core/checks.h"

namespace plaudit {

// 1 when the whole text matches <think>.*?</think>\s*<answer>.*?</answer> (dot matches newlines; the lazy
// parts may stretch over further tags), else 0.
double think_answer_format(std::string_view text);

// The text between the first <answer> and the next </answer>, trimmed; nullopt when either is missing.
std::optional<std::string> extract_answer(std::string_view text);

struct ParsedBoxes {
  std::optional<Tensor> boxes;       // [P,4] f64, (x1,y1,x2,y2) as written
  std::optional<Tensor> confidence;  // [P] f64
};

// The detections of an answer block: a list of {'Position': [x1,y1,x2,y2], 'Confidence': c} with single or
// double quotes. A missing end tag reads to the end; a list that was cut off loses its last, incomplete item.
// Both nullopt when there is no block or it holds anything else.
ParsedBoxes parse_boxes(std::string_view text);

// The first (x1,y1),(x2,y2) of unsigned integers in the answer block, divided by 1000; [4] f64. nullopt when
// there is none. White space may stand around every number and comma.
std::optional<Tensor> parse_point_box(std::string_view text);

}  // namespace plaudit
