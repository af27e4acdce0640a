// MuJoCo models: loading, ownership, and where Gymnasium keeps the models of its tasks.
#pragma once

#include <memory>
#include <string>

struct mjModel_;
struct mjData_;

namespace plaudit {

struct MujocoDelete {
  void operator()(mjModel_* model) const;
  void operator()(mjData_* data) const;
};
// Shared by all simulations of it, in any thread; nothing changes it.
using MujocoModel = std::shared_ptr<const mjModel_>;
using MujocoData = std::unique_ptr<mjData_, MujocoDelete>;

// Whether a simulation looks for the pairs of geoms that may touch in every step or knows them
// (mujoco_contacts.h). The numbers are the same; where they might not be, `listed` searches, too.
enum class Contacts { searched, listed };

// UserErrors: io, with the path and MuJoCo's own words, for a file that is missing or does not load.
MujocoModel load_mujoco_model(const std::string& path, Contacts contacts);
// The same from text; `name` stands for the path in errors.
MujocoModel parse_mujoco_model(const std::string& xml, const std::string& name, Contacts contacts);

MujocoData make_mujoco_data(const MujocoModel& model);

// The folder of model files of the gymnasium package that is installed beside the mujoco package, or the one
// that PLAUDIT_MODELS names; "" where there is none.
std::string gymnasium_models();

// While one of these lives, this thread's warnings of MuJoCo are not printed (they are counted in mjData),
// and an error of MuJoCo throws BugError instead of ending the program.
class QuietMujoco {
 public:
  QuietMujoco();
  ~QuietMujoco();
  QuietMujoco(const QuietMujoco&) = delete;
  QuietMujoco& operator=(const QuietMujoco&) = delete;

 private:
  bool before_;
};

}  // namespace plaudit
