#include "plaudit/env/mujoco_contacts.h"

#include <mujoco/mujoco.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace plaudit {
namespace {

constexpr size_t kMostPairs = 200;

struct Touch {
  int signature;  // of the two bodies, as MuJoCo numbers them
  int first, second;

  auto order() const { return std::tie(signature, first, second); }
};

// What moves as one with the body.
struct Welded {
  int body, parent;
};

Welded welded(const mjModel& m, int geom) {
  const int body = m.body_weldid[m.geom_bodyid[geom]];
  return {body, m.body_weldid[m.body_parentid[body]]};
}

// MuJoCo's rules (Computation chapter, Collision detection: selection).
bool can_touch(const mjModel& m, int a, int b) {
  const bool masks =
      (m.geom_contype[a] & m.geom_conaffinity[b]) != 0 || (m.geom_contype[b] & m.geom_conaffinity[a]) != 0;
  const auto one = welded(m, a), other = welded(m, b);
  if (!masks || one.body == other.body) return false;
  if ((m.opt.disableflags & mjDSBL_FILTERPARENT) != 0 || one.body == 0 || other.body == 0) return true;
  return one.body != other.parent && other.body != one.parent;
}

// Where the parameters of a contact are those of either geom, no mixing can round. With a gap the search
// misses some contacts that press on nothing.
bool equally_solved(const mjModel& m, int a, int b) {
  return m.geom_gap[a] == 0 && m.geom_gap[b] == 0 && m.geom_priority[a] == m.geom_priority[b] &&
         m.geom_solmix[a] == m.geom_solmix[b] &&
         std::equal(m.geom_solref + a * mjNREF, m.geom_solref + (a + 1) * mjNREF,
                    m.geom_solref + b * mjNREF) &&
         std::equal(m.geom_solimp + a * mjNIMP, m.geom_solimp + (a + 1) * mjNIMP, m.geom_solimp + b * mjNIMP);
}

// All that can touch, in the order of MuJoCo's search: by bodies, then by geoms, the simpler shape first.
std::vector<Touch> touches(const mjModel& m) {
  const std::set<int> excluded(m.exclude_signature, m.exclude_signature + m.nexclude);
  const auto geoms = static_cast<int>(m.ngeom);
  std::vector<Touch> out;
  for (int a = 0; a < geoms; ++a)
    for (int b = a + 1; b < geoms; ++b) {
      const auto [low, high] = std::minmax({m.geom_bodyid[a], m.geom_bodyid[b]});
      const int signature = (low << 16) + high;
      if (!can_touch(m, a, b) || excluded.contains(signature)) continue;
      const bool simpler = m.geom_type[a] <= m.geom_type[b];
      out.push_back({signature, simpler ? a : b, simpler ? b : a});
    }
  std::ranges::sort(out, {}, [](const Touch& touch) { return touch.order(); });
  return out;
}

// Of bodies with several geoms the search compares boxes first. These are too small for contacts within a
// margin that do not touch yet, and that of a tilted plane is so large that it loses digits; a level one
// loses none.
bool is_always_found(const mjModel& m, int a, int b) {
  const auto alone = [&](int geom) { return m.body_geomnum[m.geom_bodyid[geom]] == 1; };
  const auto is_floor = [&](int geom) {
    const auto* turn = m.geom_quat + 4 * geom;
    return m.geom_type[geom] == mjGEOM_PLANE && m.geom_bodyid[geom] == 0 && turn[0] == 1;
  };
  return (alone(a) && alone(b)) || is_floor(a) || is_floor(b);
}

bool is_simple(int type) {
  return type != mjGEOM_HFIELD && type <= mjGEOM_BOX;
}

bool is_listable(const mjModel& m, const std::vector<Touch>& pairs) {
  if (m.nflex > 0 || m.npair > 0 || m.flg_adhesion || pairs.size() > kMostPairs) return false;
  if ((m.opt.enableflags & (mjENBL_OVERRIDE | mjENBL_SLEEP | mjENBL_SPECULATIVE)) != 0) return false;
  if ((m.opt.disableflags & (mjDSBL_CONTACT | mjDSBL_CONSTRAINT | mjDSBL_MIDPHASE)) != 0) return false;
  return std::ranges::all_of(pairs, [&](const Touch& touch) {
    const auto [a, b] = std::pair(touch.first, touch.second);
    return is_simple(m.geom_type[a]) && is_simple(m.geom_type[b]) && equally_solved(m, a, b) &&
           is_always_found(m, a, b);
  });
}

std::string name_of(const mjModel& m, int geom) {
  const char* name = mj_id2name(&m, mjOBJ_GEOM, geom);
  return name != nullptr ? name : "plaudit: geom " + std::to_string(geom);
}

void name_geoms(mjSpec& spec, const mjModel& m) {
  for (auto* e = mjs_firstElement(&spec, mjOBJ_GEOM); e != nullptr; e = mjs_nextElement(&spec, e)) {
    const int id = mjs_getId(e);
    if (mj_id2name(&m, mjOBJ_GEOM, id) == nullptr) mjs_setName(e, name_of(m, id).c_str());
  }
}

// What the search would give the contact of two geoms that are equally solved.
void write_pair(mjModel& m, int64_t k, const Touch& touch) {
  const auto a = touch.first, b = touch.second;
  const auto larger = [&](int i) { return std::max(m.geom_friction[3 * a + i], m.geom_friction[3 * b + i]); };
  m.pair_signature[k] = touch.signature;
  m.pair_geom1[k] = a;
  m.pair_geom2[k] = b;
  m.pair_dim[k] = std::max(m.geom_condim[a], m.geom_condim[b]);
  m.pair_margin[k] = m.geom_margin[a] + m.geom_margin[b];
  m.pair_gap[k] = 0;
  m.pair_adhesion[k] = 0;
  std::copy_n(m.geom_solref + a * mjNREF, mjNREF, m.pair_solref + k * mjNREF);
  std::fill_n(m.pair_solreffriction + k * mjNREF, mjNREF, 0);
  std::copy_n(m.geom_solimp + a * mjNIMP, mjNIMP, m.pair_solimp + k * mjNIMP);
  std::ranges::copy(std::array{larger(0), larger(0), larger(1), larger(2), larger(2)},
                    m.pair_friction + 5 * k);
}

// Null where there is nothing to list, or no way to.
std::shared_ptr<mjModel> listed(mjSpec& spec, const mjModel& searched) {
  const auto pairs = touches(searched);
  if (!is_listable(searched, pairs)) return nullptr;
  name_geoms(spec, searched);
  for (const auto& touch : pairs) {
    const auto* pair = mjs_addPair(&spec, nullptr);
    mjs_setString(pair->geomname1, name_of(searched, touch.first).c_str());
    mjs_setString(pair->geomname2, name_of(searched, touch.second).c_str());
  }
  std::shared_ptr<mjModel> model(mj_compile(&spec, nullptr), MujocoDelete());
  if (model == nullptr || model->ngeom != searched.ngeom || std::cmp_not_equal(model->npair, pairs.size()))
    return nullptr;
  auto& m = *model;
  for (size_t k = 0; k < pairs.size(); ++k) write_pair(m, static_cast<int64_t>(k), pairs[k]);
  for (auto* masks : {m.geom_contype, m.geom_conaffinity}) std::fill_n(masks, m.ngeom, 0);
  for (auto* masks : {m.body_contype, m.body_conaffinity}) std::fill_n(masks, m.nbody, 0);
  return model;
}

}  // namespace

MujocoModel list_contacts(mjSpec& spec, const std::shared_ptr<mjModel>& searched) {
  auto model = listed(spec, *searched);
  if (model == nullptr) model = searched;
  // One tree is one island, whatever touches.
  if (model->ntree == 1 && (model->opt.enableflags & mjENBL_SLEEP) == 0)
    model->opt.disableflags |= mjDSBL_ISLAND;
  return model;
}

}  // namespace plaudit
