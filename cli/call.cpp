#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "plaudit/core/call.h"
#include "plaudit/core/errors.h"

namespace plaudit::cli {

void add_call(CLI::App& app, int&) {
  auto* command = app.add_subcommand("call", "call a function with JSON arguments from standard input");
  command->footer(
      "Example:\n  echo '{\"chosen_rewards\": [1.0], \"rejected_rewards\": [0.5]}' | "
      "plaudit call preference.bradley_terry_loss");
  auto name = std::make_shared<std::string>();
  command->add_option("function", *name, "area.name, as `plaudit functions` lists them")->required();
  command->callback([name] {
    const Json arguments = Json::parse(std::cin, nullptr, false);
    if (arguments.is_discarded()) fail(ErrorKind::type, "call", "standard input is not JSON");
    std::cout << call_function(*name, arguments).dump() << "\n";
  });
}

}  // namespace plaudit::cli
