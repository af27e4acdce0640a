// HalfCheetah, Hopper and Walker2d where the gymnasium package with its model files is absent.
#pragma once

#include <string>

namespace plaudit {

// The MJCF text that stands for a model file of Gymnasium, "half_cheetah.xml", "hopper.xml", "walker2d.xml"
// or "walker2d_v5.xml"; "" for any other. Every body, joint and geom equals the file's to 1e-12.
std::string own_mujoco_model(const std::string& file);

}  // namespace plaudit
