// A process that trains the toy regression in a folder and can be killed: `train_toy_child FOLDER`. It is
// slow enough to be hit between any two of its writes.
#include <cstdio>
#include <thread>

#include "tests/train/toy.h"

int main(int argc, char** argv) {
  using namespace plaudit;
  if (argc != 2) return 2;
  ToyObjective toy({.dropout = 0.2});
  auto options = toy_train_options();
  options.epochs = 40;
  options.checkpoint_every = 1;
  TrainContext context{.rng = Rng(3, "train"), .folder = argv[1]};
  context.metrics = [](int64_t, const auto&) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
  train(toy, options, context);
  return 0;
}
