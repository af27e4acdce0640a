#include "plaudit/env/mujoco_contacts.h"

#include <mujoco/mujoco.h>

#include <regex>

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

// Bodies of one geom that fall on a floor and on each other; `geom` goes to one of them.
std::string bodies(const std::string& geom, const std::string& rest = "") {
  return R"(<mujoco><option timestep="0.005"/><worldbody><geom type="plane" size="5 5 .1" margin=".003"/>
    <body name="low" pos="0 0 .4"><freejoint/>
      <geom name="a2" type="sphere" size=".2" friction=".3 .2 .1" margin=".01"/></body>
    <body name="side" pos=".3 0 .4"><freejoint/><geom type="capsule" size=".1 .2" condim="1"/></body>
    <body name="high" pos=".05 0 1"><freejoint/><geom type="capsule" size=".1 .2" condim="4" friction="2 .01 .3"/>
      <body pos="0 .3 0"><joint type="hinge" axis="0 1 0"/><geom type="sphere" size=".15" )" +
         geom + R"(/></body>
      <body pos="0 0 .3"><joint type="hinge" axis="0 1 0"/><geom type="box" size=".1 .05 .1"/></body></body>
    </worldbody>)" +
         rest + "</mujoco>";
}

TEST(MujocoContacts, ParametersAreThoseOfTheSearch) {
  for (const std::string rest : {"", "<contact><exclude body1='low' body2='high'/></contact>",
                                 "<option><flag filterparent='disable'/></option>"}) {
    const auto xml = bodies("", rest);
    const auto searched = parse_mujoco_model(xml, "bodies", Contacts::searched),
               listed = parse_mujoco_model(xml, "bodies", Contacts::listed);
    EXPECT_GT(listed->npair, 4) << rest;
    EXPECT_GT(expect_equal(searched, listed, 2000, 500, rest), 2000);
  }
}

// Models at random.
class Models {
 public:
  explicit Models(uint64_t seed) : rng_(seed, "models") {}

  std::string next() {
    most_geoms_ = 1 + 2 * rng_.below(2);
    masks_ = most_geoms_ == 1 ? std::vector<std::string>{"1", "1", "2", "0"} : std::vector<std::string>{"0"};
    margins_ =
        one_of({"0", "0", "1"}) == "0" ? std::vector<std::string>{"0"} : std::vector<std::string>{"0", ".01"};
    std::string xml = "<mujoco><option timestep='.004' solver='" + one_of({"Newton", "CG", "PGS"}) +
                      "' cone='" + one_of({"pyramidal", "elliptic"}) + "' integrator='" +
                      one_of({"Euler", "RK4", "implicitfast"}) +
                      "'/><worldbody><geom type='plane' size='5 5 .1'/>" +
                      one_of({"", "<geom type='box' size='.2 .2 .1' pos='.3 0 .1'/>"});
    for (int64_t k = 0, n = 1 + rng_.below(3); k < n; ++k) xml += body(0);
    return xml + "</worldbody></mujoco>";
  }

 private:
  std::string number(double low, double high) { return std::to_string(low + (high - low) * rng_.uniform()); }
  std::string one_of(const std::vector<std::string>& list) {
    return list[rng_.below(static_cast<int64_t>(list.size()))];
  }
  std::string geom() {
    return "<geom type='" + one_of({"sphere", "capsule", "box", "ellipsoid", "cylinder"}) + "' size='" +
           number(.05, .15) + " " + number(.05, .15) + " " + number(.05, .15) + "' pos='" + number(-.1, .1) +
           " 0 " + number(-.1, .1) + "' condim='" + one_of({"1", "3", "4", "6"}) + "' friction='" +
           number(.1, 2) + " .01 .001' margin='" + one_of(margins_) + "' contype='" + one_of(masks_) +
           "' conaffinity='" + one_of({"1", "1", "3"}) + "'/>";
  }
  std::string body(int depth) {
    std::string out = "<body pos='" + number(-.3, .3) + " " + number(-.3, .3) + " " + number(.1, .5) + "'>";
    out += depth == 0 ? "<freejoint/>" : one_of({"", "<joint axis='0 1 0'/>", "<joint type='ball'/>"});
    for (int64_t k = 0, n = 1 + rng_.below(most_geoms_); k < n; ++k) out += geom();
    for (int64_t k = 0, n = depth < 3 ? rng_.below(3) : 0; k < n; ++k) out += body(depth + 1);
    return out + "</body>";
  }

  Rng rng_;
  int64_t most_geoms_ = 1;
  std::vector<std::string> margins_, masks_;  // of several geoms in a body none touches another body
};

TEST(MujocoContacts, RandomModelsKeepEveryBit) {
  Models models(5);
  int listed_models = 0;
  int64_t met = 0;
  for (int model = 0; model < 100; ++model) {
    const auto xml = models.next();
    const auto searched = parse_mujoco_model(xml, "random", Contacts::searched),
               listed = parse_mujoco_model(xml, "random", Contacts::listed);
    listed_models += listed->npair > 0;
    const auto contacts = expect_equal(searched, listed, 300, 150, xml);
    ASSERT_GE(contacts, 0);
    met += contacts;
  }
  EXPECT_GT(listed_models, 50);
  EXPECT_GT(met, 20000);
}

TEST(MujocoContacts, ASearchStaysWhereAListMightDiffer) {
  const auto pairs = [](const std::string& xml) {
    return parse_mujoco_model(xml, "bodies", Contacts::listed)->npair;
  };
  EXPECT_EQ(pairs(bodies("solref='.03 1'")), 0);
  EXPECT_EQ(pairs(bodies("solimp='.8 .9 .01'")), 0);
  EXPECT_EQ(pairs(bodies("solmix='2'")), 0);
  EXPECT_EQ(pairs(bodies("priority='1'")), 0);
  EXPECT_EQ(pairs(bodies("gap='.01'")), 0);
  EXPECT_EQ(pairs(bodies("/><geom type='sphere' size='.1' pos='0 0 .1'")), 0);  // a body of two
  EXPECT_EQ(pairs(bodies("", "<option><flag override='enable'/></option>")), 0);
  EXPECT_EQ(pairs(bodies("", "<option><flag midphase='disable'/></option>")), 0);
  const std::string floors =
      "<mujoco><worldbody><geom type='plane' size='5 5 .1' euler='0 0 0'/><body><freejoint/>"
      "<geom size='.1'/><geom size='.1' pos='.1 0 0'/></body></worldbody></mujoco>";
  EXPECT_EQ(pairs(floors), 2);
  EXPECT_EQ(pairs(std::regex_replace(floors, std::regex("0 0 0"), "9.6 15.8 0")), 0);  // a tilted floor
  EXPECT_EQ(pairs(bodies("name='a'", "<contact><pair geom1='a' geom2='a2'/></contact>")), 1);  // its own
}

}  // namespace
}  // namespace plaudit
