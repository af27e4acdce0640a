"""Environments: native tasks, many at a time, behind the interfaces of Gymnasium and Stable-Baselines3.

::

    import plaudit.env
    envs = plaudit.env.make_vec("HalfCheetah-v5", 8, seed=0)     # a gymnasium.vector.VectorEnv
    observations, infos = envs.reset()
    observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())

    env = plaudit.env.make("HalfCheetah-v5", seed=0)             # a gymnasium.Env
    venv = plaudit.env.make_sb3("HalfCheetah-v5", 8, seed=0)     # a VecEnv of Stable-Baselines3

Ids are Gymnasium's (``plaudit.env.ids()``); gymnasium.make("plaudit/HalfCheetah-v5") works once this module is imported.
Observations, rewards and flags equal Gymnasium's from the same state and actions. Seeds are plaudit's own: environment i of
a vector draws from seed + i, and has the same episodes beside any number of others and on any number of threads.
"""

import json

import gymnasium
import numpy
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from plaudit import _library

__all__ = ["NativeEnv", "NativeVectorEnv", "ids", "make", "make_sb3", "make_vec"]

_AUTORESET = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "off",
}


def ids():
    """The names of all tasks."""
    return json.loads(_library.load().environment_ids())


def _box(bounds, dtype):
    """A space; null stands for infinity."""
    low = [-numpy.inf if b is None else b for b in bounds["low"]]
    high = [numpy.inf if b is None else b for b in bounds["high"]]
    return gymnasium.spaces.Box(numpy.array(low, dtype), numpy.array(high, dtype), dtype=dtype)


class _Simulations:
    """The native environments and views of their buffers; every class below stands on one of these."""

    def __init__(self, id, n, autoreset, seed, threads, max_steps, outside, divergence):
        for name, value, choices in (("outside", outside, ("refuse", "clip")), ("divergence", divergence, ("refuse", "end"))):
            if value not in choices:
                raise ValueError(f"env.make_vec: {name} must be one of {', '.join(choices)}, got {value!r}")
        _library.load()
        limit = -1 if max_steps is None else max_steps
        self.native = torch.classes.plaudit.VectorEnv(
            id, n, autoreset, threads, limit, outside == "refuse", divergence == "refuse"
        )
        self.spec = json.loads(self.native.spec())
        self.n = n
        self.max_steps = self.spec["max_steps"] if max_steps is None else max_steps or None
        names = "actions observations next_observations rewards terminated truncated valid".split()
        for name, tensor in zip(names, self.native.buffers()):
            setattr(self, name, tensor.numpy())
        self.dtype = numpy.float32 if self.spec["f32_observations"] else numpy.float64
        self.observation_space = _box(self.spec["observation"], self.dtype)
        self.action_space = _box(self.spec["action"], numpy.float32)
        if seed is not None:
            self.seed(seed)

    def seed(self, seed, mask=None):
        """One seed, of which environment i takes seed + i, or one each; None leaves a stream as it is."""
        if isinstance(seed, (int, numpy.integer)):
            seed = [int(seed) + i for i in range(self.n)]
        if len(seed) != self.n:
            raise ValueError(f"env.reset: seed must be one number or {self.n}, got {len(seed)} of them")
        for i, value in enumerate(seed):
            if value is not None and (mask is None or mask[i]):
                self.native.seed(i, int(value))

    def act(self, actions):
        """Takes actions of any real type, in full precision, and steps."""
        actions = numpy.asarray(actions)
        if actions.shape != self.actions.shape:
            raise ValueError(f"env.step: actions must have shape {self.actions.shape}, got {actions.shape}")
        self.actions[...] = actions
        self.native.step()

    def set_state(self, index, qpos, qvel):
        as_tensor = lambda x: torch.as_tensor(numpy.array(x, numpy.float64))
        self.native.set_state(index, as_tensor(qpos), as_tensor(qvel))

    def get_state(self, index):
        return tuple(x.numpy() for x in self.native.get_state(index))


class NativeVectorEnv(VectorEnv):
    """``n`` environments of one task; see make_vec."""

    def __init__(
        self,
        id,
        num_envs,
        *,
        seed=None,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        threads=0,
        max_episode_steps=None,
        outside="refuse",
        divergence="refuse",
        copy=True,
        render_mode=None,
    ):
        if render_mode is not None:
            raise ValueError(f"env.make_vec: render_mode must be None, got {render_mode!r}")
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self._simulations = s = _Simulations(
            id, num_envs, _AUTORESET[self.autoreset_mode], seed, threads, max_episode_steps, outside, divergence
        )
        self.num_envs = num_envs
        self.copy = copy
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": [], "render_fps": round(1 / s.spec["dt"])}
        self.single_observation_space, self.single_action_space = s.observation_space, s.action_space
        self.observation_space = batch_space(s.observation_space, num_envs)
        self.action_space = batch_space(s.action_space, num_envs)

    def _out(self, buffer):
        return buffer.copy() if self.copy else buffer

    def _observations(self, buffer):
        return buffer.astype(self._simulations.dtype, copy=self.copy)

    def reset(self, *, seed=None, options=None):
        s = self._simulations
        mask = (options or {}).get("reset_mask")
        if seed is not None:
            s.seed(seed, mask)
        if mask is None:
            s.native.reset()
        else:
            s.native.reset_some(torch.from_numpy(numpy.ascontiguousarray(mask)))
        return self._observations(s.observations), {}

    def step(self, actions):
        s = self._simulations
        s.act(actions)
        infos = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            ended = s.terminated | s.truncated
            if ended.any():
                final = numpy.full(self.num_envs, None, object)
                for i in numpy.flatnonzero(ended):
                    final[i] = s.next_observations[i].astype(s.dtype)
                infos = {"final_obs": final, "_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}
        flags = self._out(s.terminated), self._out(s.truncated)
        return self._observations(s.observations), self._out(s.rewards), *flags, infos

    @property
    def next_observations(self):
        """What the last step itself led to: also at an episode's end, where SAME_STEP has begun the next one."""
        return self._observations(self._simulations.next_observations)

    @property
    def valid(self):
        """Which rows of the last step are transitions: False where an episode began instead, or a simulation diverged."""
        return self._out(self._simulations.valid)

    def set_state(self, index, qpos, qvel):
        """Puts environment ``index`` into a state at the start of an episode; returns its observation."""
        self._simulations.set_state(index, qpos, qvel)
        return self._simulations.observations[index].astype(self._simulations.dtype)

    def get_state(self, index):
        """(qpos, qvel) of environment ``index``."""
        return self._simulations.get_state(index)

    def divergences(self):
        """Simulations that diverged since the last seed: [{"environment", "seed", "episode", "step", "what"}]."""
        return json.loads(self._simulations.native.divergences())


class NativeEnv(gymnasium.Env):
    """One environment; see make. Its own time limit is the task's, as gymnasium.make gives it."""

    def __init__(self, id, *, seed=None, max_episode_steps=None, outside="refuse", divergence="refuse", render_mode=None):
        if render_mode is not None:
            raise ValueError(f"env.make: render_mode must be None, got {render_mode!r}")
        self._simulations = s = _Simulations(id, 1, "off", seed, 1, max_episode_steps, outside, divergence)
        self.metadata = {"render_modes": [], "render_fps": round(1 / s.spec["dt"])}
        self.observation_space, self.action_space = s.observation_space, s.action_space
        self.render_mode = None
        self._fresh = seed is None

    def _observation(self):
        return self._simulations.observations[0].astype(self._simulations.dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is None and self._fresh:
            seed = int(self.np_random.integers(2**31))
        self._fresh = False
        if seed is not None:
            self._simulations.seed(seed)
        self._simulations.native.reset()
        return self._observation(), {}

    def step(self, action):
        s = self._simulations
        s.act(numpy.asarray(action)[None])
        return self._observation(), float(s.rewards[0]), bool(s.terminated[0]), bool(s.truncated[0]), {}

    def set_state(self, qpos, qvel):
        """Puts the environment into a state, at the start of an episode; returns its observation."""
        self._simulations.set_state(0, qpos, qvel)
        return self._observation()

    def get_state(self):
        """(qpos, qvel)."""
        return self._simulations.get_state(0)


def make(id, **options):
    """A gymnasium.Env of one task, e.g. for the algorithms of Stable-Baselines3.

    ``seed``: of the first reset; ``max_episode_steps``: the time limit, None the task's own and 0 none; ``outside``:
    "refuse" raises for an action outside of the space, "clip" leaves it to the actuators; ``divergence``: "refuse" raises
    for a simulation that diverges, "end" truncates its episode.
    """
    return NativeEnv(id, **options)


def make_vec(id, num_envs, **options):
    """A gymnasium.vector.VectorEnv of ``num_envs`` environments stepped by native threads.

    ``seed``: environment i draws from seed + i; ``autoreset_mode``: gymnasium.vector.AutoresetMode, NEXT_STEP (the step after an
    end ignores its action and starts the next episode), SAME_STEP (infos["final_obs"] has the last observation) or DISABLED;
    ``threads``: at most, 0 as many as torch uses; ``copy``: False returns views of buffers that the next step overwrites;
    ``max_episode_steps``, ``outside`` and ``divergence`` as for make.
    """
    return NativeVectorEnv(id, num_envs, **options)


def make_sb3(id, num_envs, **options):
    """A VecEnv of Stable-Baselines3; options as for make_vec, without autoreset_mode and copy."""
    from plaudit._sb3 import NativeSb3VecEnv

    return NativeSb3VecEnv(id, num_envs, **options)


def _register():
    """gymnasium.make("plaudit/ID") and gymnasium.make_vec("plaudit/ID", num_envs=n)."""
    for id in ids():
        gymnasium.register(
            f"plaudit/{id}",
            entry_point="plaudit.env:make",
            vector_entry_point=_vector_entry_point(id),
            kwargs={"id": id},
        )


def _vector_entry_point(id):
    return lambda num_envs, **options: make_vec(options.pop("id", id), num_envs, **options)


_register()
