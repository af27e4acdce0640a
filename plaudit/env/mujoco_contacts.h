// A MuJoCo model with the pairs of its geoms that can touch written down.
#pragma once

#include "plaudit/env/mujoco_model.h"

struct mjSpec_;

namespace plaudit {

// `searched`, what `spec` compiles to, or the model of `spec` with its contacts listed; the numbers of both
// are the same to the last bit. MuJoCo looks for the pairs of bodies that may touch in every mj_step, and
// then for what those contacts join (islands). In a small model both cost more than they save: with explicit
// pairs, in the order in which the search reports them and with the parameters that it would mix, HalfCheetah
// is stepped a fifth faster. `spec` and `searched` may be changed.
//
// Searched are the contacts of a model with flexible bodies, meshes, pairs of its own, overridden or disabled
// contacts, gaps, solver parameters that would have to be mixed, a body of several geoms that meets anything
// but a level floor, or more than 200 pairs. Islands are left out where all bodies hang together.
MujocoModel list_contacts(mjSpec_& spec, const std::shared_ptr<mjModel_>& searched);

}  // namespace plaudit
