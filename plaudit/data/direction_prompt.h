// Directions in prompts: how a policy is told how much each objective shall count.
//
// Wang et al., "Arithmetic Control of LLMs: Directional Preference Alignment", 2024, arXiv 2402.18571: a unit
// vector over the objectives stands in the system message as integers, 100 times the direction.
#pragma once

#include <string_view>
#include <vector>

#include "plaudit/data/records.h"

namespace plaudit {

// UserErrors starting with `where`: no number (empty), one that is not finite (nan), a length that differs
// from 1 by more than `tolerance` (value).
void check_direction(std::string_view where, const std::vector<double>& direction, double tolerance = 1e-3);

// "Rating weights: 80, 60.", rounded half to even.
std::string direction_text(const std::vector<double>& direction);

// The prompt with the direction before its system message (chats), or as its first line (plain text).
Prompt with_direction(const Prompt& prompt, const std::vector<double>& direction);

// (cos, sin) of an angle in degrees.
std::vector<double> direction_of_angle(double degrees);

}  // namespace plaudit
