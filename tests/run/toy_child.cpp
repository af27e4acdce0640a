// A process that runs a recipe of toy stages and can be killed: `run_toy_child RECIPE FOLDER`.
#include <cstdio>

#include "plaudit/core/errors.h"
#include "plaudit/core/interrupt.h"
#include "plaudit/run/engine.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    plaudit::run_recipe(plaudit::load_recipe(argv[1]), argv[2], plaudit::Distributed::from_environment());
  } catch (const plaudit::InterruptedError&) {
    return 130;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", plaudit::message_of(error).c_str());
    return 2;
  }
  return 0;
}
