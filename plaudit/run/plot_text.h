// How much room texts take in a plot, and what to do when it is too little.
#pragma once

#include <string>
#include <vector>

#include "plaudit/run/plot_scale.h"

namespace plaudit {

// Width of a text at 12 px, roughly: there is no font to ask. Han, kana and hangul count double.
double text_width(const std::string& text);

// The text, or its beginning and "…" when it is wider than `most` pixels.
std::string shortened(const std::string& text, double most);

// Every tick, or every second, third, ... one: as many as have labels that stay apart along the scale.
std::vector<Tick> labels_that_fit(const std::vector<Tick>& ticks, const PlotScale& scale);

}  // namespace plaudit
