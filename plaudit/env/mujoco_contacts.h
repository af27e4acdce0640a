// A MuJoCo model with the pairs of its geoms that can touch written down.
#pragma once

#include "plaudit/env/mujoco_model.h"

struct mjSpec_;

namespace plaudit {

// The model of `spec` with its contacts listed, or null where that could change a number. MuJoCo looks for
// the pairs of bodies that may touch in every mj_step, and then for what those contacts join (islands). In a
// small model both cost more than they save: with explicit pairs, in the order in which the search reports
// them and with the parameters that it would mix, every state is the same to the last bit, and HalfCheetah is
// stepped a fifth faster. `searched` is what `spec` compiles to as it stands; `spec` is changed.
//
// Null: flexible bodies, pairs of its own, overridden or disabled contacts, geoms whose solver parameters
// would have to be mixed, more than 200 pairs (a search is faster then).
MujocoModel list_contacts(mjSpec_& spec, const mjModel_& searched);

}  // namespace plaudit
