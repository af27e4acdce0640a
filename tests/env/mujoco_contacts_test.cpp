#include "plaudit/env/mujoco_contacts.h"

#include <mujoco/mujoco.h>

#include "plaudit/core/rng.h"
#include "plaudit/env/mujoco_environment.h"
#include "tests/support/property.h"

namespace plaudit {
namespace {

using namespace testing;

// What a step left: state, what touches, and the forces of it.
std::vector<double> left_by(const mjModel& m, const mjData& d) {
  std::vector<double> out(d.qpos, d.qpos + m.nq);
  out.insert(out.end(), d.qvel, d.qvel + m.nv);
  out.insert(out.end(), d.qacc, d.qacc + m.nv);
  out.insert(out.end(), d.qfrc_constraint, d.qfrc_constraint + m.nv);
  out.insert(out.end(), d.efc_force, d.efc_force + d.nefc);
  for (int k = 0; k < d.ncon; ++k) {
    const auto& contact = d.contact[k];
    for (const double x : {double(contact.geom[0]), double(contact.geom[1]), double(contact.dim),
                           contact.dist, contact.includemargin})
      out.push_back(x);
    out.insert(out.end(), contact.friction, contact.friction + 5);
    out.insert(out.end(), contact.solref, contact.solref + mjNREF);
    out.insert(out.end(), contact.solreffriction, contact.solreffriction + mjNREF);
    out.insert(out.end(), contact.solimp, contact.solimp + mjNIMP);
  }
  return out;
}

// Both models under the same random forces, started afresh every `episode` steps; the contacts that were
// met.
int64_t expect_equal(const MujocoModel& searched, const MujocoModel& listed, int steps, int episode,
                     const std::string& name) {
  const QuietMujoco quiet;
  const auto one = make_mujoco_data(searched), other = make_mujoco_data(listed);
  Rng rng(1, "contacts");
  int64_t met = 0;
  for (int t = 0; t < steps; ++t) {
    if (t % episode == 0) {
      mj_resetData(searched.get(), one.get());
      mj_resetData(listed.get(), other.get());
      for (int i = 0; i < searched->nv; ++i) one->qvel[i] = other->qvel[i] = rng.normal();
    }
    for (int i = 0; i < searched->nu; ++i)
      one->ctrl[i] = other->ctrl[i] = searched->actuator_ctrlrange[2 * i + 1] * (2 * rng.uniform() - 1);
    mj_step(searched.get(), one.get());
    mj_step(listed.get(), other.get());
    const auto a = left_by(*searched, *one), b = left_by(*listed, *other);
    EXPECT_EQ(a, b) << name << " at step " << t;
    if (a != b) return -1;
    met += one->ncon;
  }
  return met;
}

TEST(MujocoContacts, ListedContactsChangeNoBitOfAnyTask) {
  int listed_models = 0;
  int64_t met = 0;
  for (const auto& id : mujoco_task_ids()) {
    const auto* task = find_mujoco_task(id);
    if (gymnasium_models().empty() && task->name != "HalfCheetah" && task->name != "Hopper") continue;
    const auto searched = mujoco_task_model(*task, Contacts::searched), listed = mujoco_task_model(*task);
    EXPECT_EQ(searched->npair, 0);
    listed_models += listed->npair > 0;
    met += expect_equal(searched, listed, 3000, 300, id);
  }
  EXPECT_GE(listed_models, 4);
  EXPECT_GT(met, 10000);
}

// Two boxes of several geoms that fall on a plane and on each other; `geom` goes to one of them.
std::string boxes(const std::string& geom, const std::string& rest = "") {
  return R"(<mujoco><option timestep="0.005"/><worldbody><geom type="plane" size="5 5 .1" margin=".003"/>
    <body name="low" pos="0 0 .4"><freejoint/>
      <geom name="a2" type="sphere" size=".2" friction=".3 .2 .1" margin=".01"/>
      <geom type="capsule" size=".1 .2" pos=".2 0 0" condim="1" gap=".002"/></body>
    <body name="high" pos=".05 0 1"><freejoint/>
      <geom type="capsule" size=".1 .2" condim="4" friction="2 .01 .3"/>
      <geom type="sphere" size=".15" pos="0 .3 0" )" +
         geom + R"(/>
      <body pos="0 0 .3"><joint type="hinge" axis="0 1 0"/><geom type="sphere" size=".1"/></body></body>
    </worldbody>)" +
         rest + "</mujoco>";
}

TEST(MujocoContacts, ParametersAreThoseOfTheSearch) {
  for (const std::string rest : {"", "<contact><exclude body1='low' body2='high'/></contact>",
                                 "<option><flag filterparent='disable'/></option>"}) {
    const auto xml = boxes("", rest);
    const auto searched = parse_mujoco_model(xml, "boxes", Contacts::searched),
               listed = parse_mujoco_model(xml, "boxes", Contacts::listed);
    EXPECT_GT(listed->npair, 4) << rest;
    EXPECT_GT(expect_equal(searched, listed, 2000, 500, rest), 2000);
  }
}

TEST(MujocoContacts, ASearchStaysWhereAListMightDiffer) {
  const auto pairs = [](const std::string& xml) {
    return parse_mujoco_model(xml, "boxes", Contacts::listed)->npair;
  };
  EXPECT_EQ(pairs(boxes("solref='.03 1'")), 0);
  EXPECT_EQ(pairs(boxes("solimp='.8 .9 .01'")), 0);
  EXPECT_EQ(pairs(boxes("solmix='2'")), 0);
  EXPECT_EQ(pairs(boxes("priority='1'")), 0);
  EXPECT_EQ(pairs(boxes("", "<option><flag override='enable'/></option>")), 0);
  EXPECT_EQ(pairs(boxes("name='a'", "<contact><pair geom1='a' geom2='a2'/></contact>")), 1);  // its own
}

}  // namespace
}  // namespace plaudit
