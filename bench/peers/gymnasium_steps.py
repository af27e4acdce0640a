"""Steps per second of Gymnasium's own environments, for `plaudit bench control`.

    gymnasium_steps.py TASK SECONDS OUT.json

One environment, and vectors of 8 in one process (sync) and in 8 (async, shared memory), under random actions. OUT.json:
{"single", "sync", "async": steps/s, "peak_mib", "version"}.
"""

import json
import resource
import sys
import time

import gymnasium
import mujoco
import numpy

VECTOR = 8


def rate(step, actions, steps_per_call, seconds):
    """Calls `step` with each of the actions in turn until the time is over."""
    for action in actions[:20]:
        step(action)
    count, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < seconds:
        for action in actions:
            step(action)
            count += steps_per_call
    return count / taken


def single(task, seconds):
    env = gymnasium.make(task, disable_env_checker=True)
    env.reset(seed=0)
    actions = numpy.random.default_rng(0).uniform(env.action_space.low, env.action_space.high, (50, *env.action_space.shape))

    def step(action):
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return rate(step, actions.astype(numpy.float32), 1, seconds)


def vector(task, mode, seconds):
    env = gymnasium.make_vec(task, num_envs=VECTOR, vectorization_mode=mode)
    env.reset(seed=0)
    actions = numpy.random.default_rng(0).uniform(env.action_space.low, env.action_space.high, (50, *env.action_space.shape))
    result = rate(env.step, actions.astype(numpy.float32), VECTOR, seconds)
    env.close()
    return result


def main(task, seconds, out):
    seconds = float(seconds)
    result = {
        "single": single(task, seconds),
        "sync": vector(task, "sync", seconds),
        "async": vector(task, "async", seconds),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "version": f"gymnasium {gymnasium.__version__}, mujoco {mujoco.__version__}",
    }
    with open(out, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
