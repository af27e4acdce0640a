// The sub-commands of the `plaudit` program. Each add_* function declares one and its options on the app; the
// callback throws UserError for the user's mistakes and sets `exit_code` to 1 when a result falls short.
#pragma once

#include <CLI/CLI.hpp>

namespace plaudit::cli {

void add_bench(CLI::App& app, int& exit_code);
void add_call(CLI::App& app, int& exit_code);
void add_chat(CLI::App& app, int& exit_code);
void add_conform(CLI::App& app, int& exit_code);
void add_claim(CLI::App& app, int& exit_code);
void add_convert(CLI::App& app, int& exit_code);
void add_data(CLI::App& app, int& exit_code);
void add_embed(CLI::App& app, int& exit_code);
void add_eval(CLI::App& app, int& exit_code);
void add_functions(CLI::App& app, int& exit_code);
void add_list(CLI::App& app, int& exit_code);
void add_program(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_sample(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_tokenize(CLI::App& app, int& exit_code);

}  // namespace plaudit::cli
