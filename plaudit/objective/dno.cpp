#include "plaudit/objective/dno.h"

#include <ATen/ATen.h>

#include "plaudit/core/registry.h"
#include "plaudit/core/results.h"
#include "plaudit/objective/link.h"

namespace plaudit {

DnoResult dno_loss(const DnoPair& pair, double eta) {
  const Check check("preference.dno_loss");
  check.alike({{"logps_a", pair.logps_a},
               {"logps_b", pair.logps_b},
               {"ref_logps_a", pair.ref_logps_a},
               {"ref_logps_b", pair.ref_logps_b},
               {"rewards_a", pair.rewards_a},
               {"rewards_b", pair.rewards_b}},
              1);
  check.that(eta > 0, "eta", "> 0", eta);
  const auto margin = eta * ((as_real(pair.logps_a) - as_real(pair.ref_logps_a)) -
                             (as_real(pair.logps_b) - as_real(pair.ref_logps_b)));
  const auto preference = (as_real(pair.rewards_a) - as_real(pair.rewards_b)).detach();
  const auto losses = logistic_link(margin, at::sigmoid(-preference));
  return {losses.mean(), losses, at::sigmoid(preference)};
}

PLAUDIT_FUNCTIONS(preference, m) {
  m.def(
      "dno_loss(Tensor logps_a, Tensor logps_b, Tensor ref_logps_a, Tensor ref_logps_b, Tensor rewards_a, "
      "Tensor rewards_b, float eta=0.1) -> (Tensor loss, Tensor losses, Tensor targets)",
      [](const Tensor& a, const Tensor& b, const Tensor& ref_a, const Tensor& ref_b, const Tensor& rewards_a,
         const Tensor& rewards_b, double eta) {
        return as_tuple(dno_loss({a, b, ref_a, ref_b, rewards_a, rewards_b}, eta));
      },
      "Direct Nash optimisation on pairs with win rates.", {"56"});
}

}  // namespace plaudit
