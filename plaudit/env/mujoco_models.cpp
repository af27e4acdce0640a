#include "plaudit/env/mujoco_models.h"

#include <fmt/format.h>

namespace plaudit {
namespace {

// Sliding along x and z and turning about y: what all three share. `at` is the height that the slides are
// measured from, `attributes` go to the slide along z.
std::string root_joints(double at, const char* attributes) {
  const char* free = R"(armature="0" damping="0" stiffness="0" limited="false")";
  return fmt::format(R"(
      <joint name="rootx" type="slide" axis="1 0 0" pos="0 0 {0}" {1}/>
      <joint name="rootz" type="slide" axis="0 0 1" pos="0 0 {0}" {1} {2}/>
      <joint name="rooty" type="hinge" axis="0 1 0" {1}/>)",
                     at, free, attributes);
}

const char* const kScene = R"(
    <light directional="true" pos="0 0 1.3" dir="0 0 -1.3" diffuse="1 1 1" specular=".1 .1 .1" cutoff="100"/>
    <geom name="floor" type="plane" conaffinity="1" condim="3" size="40 40 40" rgba=".8 .9 .8 1"/>)";
const char* const kCamera = R"(<camera name="track" mode="trackcom" pos="0 -3 {}" xyaxes="1 0 0 0 0 1"/>)";

std::string half_cheetah_xml() {
  // A limb: its body at `pos` with a hinge about y, and a capsule turned about y.
  const auto limb = [](const char* name, const char* pos, const char* joint, const char* geom_pos,
                       double turn, double half_length) {
    return fmt::format(R"(
      <body name="{0}" pos="{1}"><joint name="{0}" type="hinge" axis="0 1 0" {2}/>
      <geom name="{0}" type="capsule" pos="{3}" axisangle="0 1 0 {4}" size=".046 {5}"/>)",
                       name, pos, joint, geom_pos, turn, half_length);
  };
  const auto back =
      limb("bthigh", "-.5 0 0", R"(range="-.52 1.05" damping="6" stiffness="240")", ".1 0 -.13", -3.8, .145) +
      limb("bshin", ".16 0 -.25", R"(range="-.785 .785" damping="4.5" stiffness="180")", "-.14 0 -.07", -2.03,
           .15) +
      limb("bfoot", "-.28 0 -.14", R"(range="-.4 .785" damping="3" stiffness="120")", ".03 0 -.097", -.27,
           .094);
  const auto front =
      limb("fthigh", ".5 0 0", R"(range="-1 .7" damping="4.5" stiffness="180")", "-.07 0 -.12", .52, .133) +
      limb("fshin", "-.14 0 -.24", R"(range="-1.2 .87" damping="3" stiffness="120")", ".065 0 -.09", -.6,
           .106) +
      limb("ffoot", ".13 0 -.18", R"(range="-.5 .5" damping="1.5" stiffness="60")", ".045 0 -.07", -.6, .07);
  const char* ends = "</body></body></body>";
  std::string motors;
  for (const auto& [joint, gear] : {std::pair{"bthigh", 120},
                                    {"bshin", 90},
                                    {"bfoot", 60},
                                    {"fthigh", 120},
                                    {"fshin", 60},
                                    {"ffoot", 30}})
    motors += fmt::format(R"(<motor name="{0}" joint="{0}" gear="{1}"/>)", joint, gear);
  return fmt::format(
      R"(<mujoco model="cheetah">
  <compiler angle="radian" inertiafromgeom="true" settotalmass="14"/>
  <default>
    <joint armature=".1" damping=".01" stiffness="8" limited="true" solreflimit=".02 1" solimplimit="0 .8 .03"/>
    <geom contype="1" conaffinity="0" condim="3" friction=".4 .1 .1" solref=".02 1" solimp="0 .8 .01"
          rgba=".8 .6 .4 1"/>
    <motor ctrllimited="true" ctrlrange="-1 1"/>
  </default>
  <option gravity="0 0 -9.81" timestep=".01"/>
  <worldbody>{scene}
    <body name="torso" pos="0 0 .7">{camera}{root}
      <geom name="torso" type="capsule" fromto="-.5 0 0 .5 0 0" size=".046"/>
      <geom name="head" type="capsule" pos=".6 0 .1" axisangle="0 1 0 .87" size=".046 .15"/>{back}{ends}{front}{ends}
    </body>
  </worldbody>
  <actuator>{motors}</actuator>
</mujoco>)",
      fmt::arg("scene", kScene), fmt::arg("camera", fmt::format(fmt::runtime(kCamera), .3)),
      fmt::arg("root", root_joints(0, "")), fmt::arg("back", back), fmt::arg("front", front),
      fmt::arg("ends", ends), fmt::arg("motors", motors));
}

// The foot of a leg: at `x`, its hinge under the ankle, its capsule lying along x.
struct Foot {
  double x, radius, half_length, friction;
};

// Thigh, leg and foot under the torso, of Hopper and Walker2d; names end in `side`.
std::string leg(const char* side, const Foot& foot) {
  return fmt::format(R"(
      <body name="thigh{0}" pos="0 0 -.2"><joint name="thigh{0}_joint" axis="0 -1 0" range="-150 0"/>
      <geom name="thigh{0}_geom" type="capsule" pos="0 0 -.225" size=".05 .225" friction=".9"/>
      <body name="leg{0}" pos="0 0 -.7"><joint name="leg{0}_joint" axis="0 -1 0" pos="0 0 .25" range="-150 0"/>
      <geom name="leg{0}_geom" type="capsule" size=".04 .25" friction=".9"/>
      <body name="foot{0}" pos="{1} 0 -.35"><joint name="foot{0}_joint" axis="0 -1 0" pos="-{1} 0 .1" range="-45 45"/>
      <geom name="foot{0}_geom" type="capsule" pos="-{2} 0 .1" quat="0.70710678118654757 0 -0.70710678118654746 0"
            size="{3} {4}" friction="{5}"/></body></body></body>)",
                     side, foot.x, foot.x / 2, foot.radius, foot.half_length, foot.friction);
}

// Hopper and Walker2d: an upright torso on `legs`, moved by motors of one gear.
std::string upright(const char* name, const char* joints_and_geoms, const std::string& legs,
                    std::initializer_list<const char*> joints, int gear) {
  std::string motors;
  for (const auto* joint : joints)
    motors += fmt::format(R"(<motor joint="{}_joint" gear="{}" ctrllimited="true" ctrlrange="-1 1"/>)", joint,
                          gear);
  return fmt::format(R"(<mujoco model="{name}">
  <compiler angle="degree" inertiafromgeom="true"/>
  <default>{defaults}</default>
  <option integrator="RK4" timestep=".002"/>
  <worldbody>{scene}
    <body name="torso" pos="0 0 1.25">{camera}{root}
      <geom name="torso_geom" type="capsule" size=".05 .2" friction=".9"/>{legs}
    </body>
  </worldbody>
  <actuator>{motors}</actuator>
</mujoco>)",
                     fmt::arg("name", name), fmt::arg("defaults", joints_and_geoms),
                     fmt::arg("scene", kScene), fmt::arg("camera", fmt::format(fmt::runtime(kCamera), -.25)),
                     fmt::arg("root", root_joints(-1.25, R"(ref="1.25")")), fmt::arg("legs", legs),
                     fmt::arg("motors", motors));
}

std::string hopper_xml() {
  return upright("hopper", R"(
    <joint armature="1" damping="1" limited="true"/>
    <geom contype="1" conaffinity="1" condim="1" margin=".001" solref=".02 1" solimp=".8 .8 .01"
          rgba=".8 .6 .4 1"/>)",
                 leg("", {.13, .06, .195, 2}), {"thigh", "leg", "foot"}, 200);
}

std::string walker_xml(double right_friction) {
  return upright("walker2d", R"(
    <joint armature=".01" damping=".1" limited="true"/>
    <geom contype="1" conaffinity="0" condim="3" density="1000" friction=".7 .1 .1" rgba=".8 .6 .4 1"/>)",
                 leg("", {.2, .06, .1, right_friction}) + leg("_left", {.2, .06, .1, 1.9}),
                 {"thigh", "leg", "foot", "thigh_left", "leg_left", "foot_left"}, 100);
}

}  // namespace

std::string own_mujoco_model(const std::string& file) {
  if (file == "half_cheetah.xml") return half_cheetah_xml();
  if (file == "hopper.xml") return hopper_xml();
  if (file == "walker2d.xml") return walker_xml(0.9);
  if (file == "walker2d_v5.xml") return walker_xml(1.9);
  return "";
}

}  // namespace plaudit
