// Steering: what changes a model's logits while it decodes, such as values of the next tokens
// (plan/value_steering.h).
#pragma once

#include <cstdint>

namespace plaudit {

class Steering {
 public:
  virtual ~Steering() = default;
  // Changes the logits [vocab] of one position in place. `hidden` [width]: the model's final hidden state
  // there, after the final norm. Called from several threads at once.
  virtual void steer(const float* hidden, int64_t width, float* logits, int64_t vocab) const = 0;
};

}  // namespace plaudit
