// Which model something was learnt on.
#pragma once

#include <cstdint>

#include "plaudit/model/transformer.h"

namespace plaudit {

// Identifies a model without its adapter, whatever number format it is held in: its weights rounded to bf16,
// so that what was trained over a bf16 backbone loads over the f32 one and the other way round.
uint64_t backbone_fingerprint(const Transformer& model);

// The same with its adapter, for what was learnt on its hidden states. An adapter that changes nothing yet
// counts as none.
uint64_t policy_fingerprint(const Transformer& model);

}  // namespace plaudit
