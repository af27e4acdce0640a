// The `plaudit` program: parses the command line and turns errors into exit codes.
// 0 done, 1 a result falls short, 2 the user's mistake, 3 our own bug, 130 stopped by Ctrl-C with a
// checkpoint written.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/memory.h"
#include "plaudit/core/errors.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/run/versions.h"

namespace {

void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return;
  plaudit::fail(
      plaudit::ErrorKind::value, argv[1],
      "is no command of plaudit" + plaudit::suggestion(argv[1], names) + " (plaudit --help lists them)");
}

int run_program(int argc, char** argv) {
  CLI::App app{
      "plaudit turns feedback into rewards, rewards into policies, and says how far each can be trusted."};
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  app.set_version_flag(
      "--version", [] { return "plaudit " + plaudit::versions().at("plaudit").get<std::string>(); },
      "Print the version and exit");
  int exit_code = 0;
  plaudit::cli::add_run(app, exit_code);
  plaudit::cli::add_claim(app, exit_code);
  plaudit::cli::add_eval(app, exit_code);
  plaudit::cli::add_chat(app, exit_code);
  plaudit::cli::add_sample(app, exit_code);
  plaudit::cli::add_list(app, exit_code);
  plaudit::cli::add_show(app, exit_code);
  plaudit::cli::add_data(app, exit_code);
  plaudit::cli::add_tokenize(app, exit_code);
  plaudit::cli::add_convert(app, exit_code);
  plaudit::cli::add_embed(app, exit_code);
  plaudit::cli::add_call(app, exit_code);
  plaudit::cli::add_functions(app, exit_code);
  plaudit::cli::add_conform(app, exit_code);
  plaudit::cli::add_program(app, exit_code);
  plaudit::cli::add_bench(app, exit_code);
  check_command(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  plaudit::cli::keep_memory();
  try {
    return run_program(argc, argv);
  } catch (const plaudit::InterruptedError& error) {
    fmt::print(stderr, "plaudit: {}\n", error.what());
    return 130;
  } catch (const plaudit::UserError& error) {
    fmt::print(stderr, "plaudit: {}\n", plaudit::message_of(error));
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "plaudit: a bug of plaudit, please report it: {}\n", plaudit::message_of(error));
    return 3;
  }
}
