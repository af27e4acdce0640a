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
a vector draws from seed + i, and has the same episodes beside any number of others and on any number of threads. Without
a seed it is drawn anew each time, as Gymnasium does.
"""

import json

import gymnasium
import numpy
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from plaudit._simulations import Copied, Simulations, environments, made_with

__all__ = ["NativeEnv", "NativeVectorEnv", "ids", "make", "make_sb3", "make_vec"]

_AUTORESET = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "off",
}


def ids():
    """The names of all tasks."""
    return list(environments())


class NativeVectorEnv(Copied, VectorEnv):
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
        **task,
    ):
        self._made_with = made_with(locals())
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self._simulations = s = Simulations(
            id, num_envs, _AUTORESET[self.autoreset_mode], seed, threads, max_episode_steps, outside, divergence, render_mode, task
        )
        self.num_envs = num_envs
        self.copy = copy
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": self.autoreset_mode, **s.metadata}
        self.spec = gymnasium.spec(f"plaudit/{id}")
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
        s.reset(mask)
        begun = numpy.ones(self.num_envs, bool) if mask is None else mask
        return self._observations(s.observations), s.reported.vector(s.infos, begun, numpy.zeros_like(begun))

    def step(self, actions):
        s = self._simulations
        s.act(actions)
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            begun = s.terminated | s.truncated
        else:
            begun = ~s.valid & ~s.truncated
        infos = s.reported.vector(s.infos, begun, ~begun)
        if self.autoreset_mode is AutoresetMode.SAME_STEP and begun.any():
            final = numpy.full(self.num_envs, None, object)
            for i in numpy.flatnonzero(begun):
                final[i] = s.next_observations[i].astype(s.dtype)
            last = s.reported.vector(s.next_infos, numpy.zeros_like(begun), begun)
            infos |= {"final_obs": final, "_final_obs": begun, "final_info": last, "_final_info": begun.copy()}
        flags = self._out(s.terminated), self._out(s.truncated)
        return self._observations(s.observations), self._out(s.rewards), *flags, infos

    @property
    def np_random_seed(self):
        """The seed of each environment."""
        return tuple(self._simulations.seeds)

    def render(self):
        """A picture of each environment, RGB [480, 480, 3] u8; None without render_mode "rgb_array"."""
        if self.render_mode is None:
            return None
        return tuple(self._simulations.render(i) for i in range(self.num_envs))

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


class NativeEnv(Copied, gymnasium.Env):
    """One environment; see make. Its own time limit is the task's, as gymnasium.make gives it."""

    def __init__(self, id, *, seed=None, max_episode_steps=None, outside="refuse", divergence="refuse", render_mode=None, **task):
        self._made_with = made_with(locals())
        self._simulations = s = Simulations(id, 1, "off", seed, 1, max_episode_steps, outside, divergence, render_mode, task)
        self.metadata, self.spec = s.metadata, gymnasium.spec(f"plaudit/{id}")
        self.observation_space, self.action_space = s.observation_space, s.action_space
        self.render_mode = render_mode

    def _observation(self):
        return self._simulations.observations[0].astype(self._simulations.dtype)

    def _infos(self, start=False):
        return self._simulations.reported.single(self._simulations.infos[0], start)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self._simulations.seed(seed)
        self._simulations.reset()
        return self._observation(), self._infos(start=True)

    def step(self, action):
        s = self._simulations
        s.act(action, single=True)
        return self._observation(), float(s.rewards[0]), bool(s.terminated[0]), bool(s.truncated[0]), self._infos()

    def set_state(self, qpos, qvel):
        """Puts the environment into a state, at the start of an episode; returns its observation."""
        self._simulations.set_state(0, qpos, qvel)
        return self._observation()

    def get_state(self):
        """(qpos, qvel)."""
        return self._simulations.get_state(0)

    def render(self):
        """A picture, RGB [480, 480, 3] u8; None without render_mode "rgb_array"."""
        return self._simulations.render(0)


def make(id, **options):
    """A gymnasium.Env of one task, e.g. for the algorithms of Stable-Baselines3.

    ``seed``: of the first reset; ``max_episode_steps``: the time limit, None the task's own and 0 none; ``outside``:
    "refuse" raises for an action outside of the space, "clip" leaves it to the actuators; ``divergence``: "refuse" raises
    for a simulation that diverges, "end" truncates its episode; ``render_mode``: "rgb_array" for render(), of MuJoCo tasks.
    Further options are the task's own, as Gymnasium names them: ``ctrl_cost_weight=0.5``, ``terminate_when_unhealthy=False``.
    """
    return NativeEnv(id, **options)


def make_vec(id, num_envs, **options):
    """A gymnasium.vector.VectorEnv of ``num_envs`` environments stepped by native threads.

    ``seed``: environment i draws from seed + i; ``autoreset_mode``: gymnasium.vector.AutoresetMode, NEXT_STEP (the step after an
    end ignores its action and starts the next episode), SAME_STEP (infos["final_obs"] has the last observation) or DISABLED;
    ``threads``: at most, 0 as many as torch uses; ``copy``: False returns views of buffers that the next step overwrites;
    ``max_episode_steps``, ``outside``, ``divergence``, ``render_mode`` and the task's own as for make.
    """
    return NativeVectorEnv(id, num_envs, **options)


def make_sb3(id, num_envs, **options):
    """A VecEnv of Stable-Baselines3; options as for make_vec, without autoreset_mode and copy."""
    from plaudit._sb3 import NativeSb3VecEnv

    return NativeSb3VecEnv(id, num_envs, **options)


def _registered(task, **options):
    """For gymnasium.make, whose wrapper keeps the time limit."""
    return make(task, max_episode_steps=0, **options)


def _registered_vec(num_envs, task, **options):
    return make_vec(task, num_envs, **options)


def _register():
    """gymnasium.make("plaudit/ID") and gymnasium.make_vec("plaudit/ID", num_envs=n)."""
    for id, limit in environments().items():
        theirs = gymnasium.registry.get(id)
        gymnasium.register(
            f"plaudit/{id}",
            entry_point="plaudit.env:_registered",
            vector_entry_point="plaudit.env:_registered_vec",
            reward_threshold=theirs and theirs.reward_threshold,
            max_episode_steps=limit or None,
            kwargs={"task": id},
        )


_register()
