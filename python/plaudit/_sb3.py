"""The native environments as a VecEnv of Stable-Baselines3."""

import time

import gymnasium
import numpy
from stable_baselines3.common.vec_env.base_vec_env import VecEnv

from plaudit._simulations import Copied, Simulations, made_with


class NativeSb3VecEnv(Copied, VecEnv):
    """As DummyVecEnv over Monitor: episodes restart in the step that ends them, infos hold "terminal_observation",
    "TimeLimit.truncated" and, at an episode's end, "episode" with its return, length and time."""

    def __init__(
        self,
        id,
        num_envs,
        *,
        seed=None,
        threads=0,
        max_episode_steps=None,
        outside="refuse",
        divergence="refuse",
        render_mode=None,
        **task,
    ):
        self._made_with = made_with(locals())
        self._simulations = s = Simulations(
            id, num_envs, "same_step", seed, threads, max_episode_steps, outside, divergence, render_mode, task
        )
        self.spec = gymnasium.spec(f"plaudit/{id}")
        self.metadata = s.metadata
        self.render_mode = render_mode
        super().__init__(num_envs, s.observation_space, s.action_space)
        self._returns = numpy.zeros(num_envs)
        self._lengths = numpy.zeros(num_envs, int)
        self._start = time.time()

    def reset(self):
        s = self._simulations
        if any(seed is not None for seed in self._seeds):
            s.seed(self._seeds)
        self._reset_seeds()
        self._reset_options()
        s.reset()
        self._returns[:] = 0
        self._lengths[:] = 0
        self.reset_infos = [s.reported.single(row, start=True) for row in s.infos]
        return s.observations.astype(s.dtype)

    def step_async(self, actions):
        self._simulations.act(actions)

    def step_wait(self):
        s = self._simulations
        ended = s.terminated | s.truncated
        self._returns += s.rewards
        self._lengths += 1
        infos = [s.reported.single(row) for row in s.next_infos]
        for info, cut, end in zip(infos, s.truncated, s.terminated):
            info["TimeLimit.truncated"] = bool(cut and not end)
        for i in numpy.flatnonzero(ended):
            self.reset_infos[i] = s.reported.single(s.infos[i], start=True)
            infos[i]["terminal_observation"] = s.next_observations[i].astype(s.dtype)
            infos[i]["episode"] = {
                "r": round(float(self._returns[i]), 6),
                "l": int(self._lengths[i]),
                "t": round(time.time() - self._start, 6),
            }
        self._returns[ended] = 0
        self._lengths[ended] = 0
        return s.observations.astype(s.dtype), s.rewards.astype(numpy.float32), ended, infos

    def close(self):
        pass

    def get_images(self):
        return [self._simulations.render(i) for i in range(self.num_envs)]

    def get_attr(self, attr_name, indices=None):
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name, value, indices=None):
        raise AttributeError(f"the environments have no attribute '{attr_name}' to set")

    def env_method(self, method_name, *args, indices=None, **kwargs):
        if method_name not in ("set_state", "get_state"):
            raise AttributeError(f"the environments have no method '{method_name}'")
        return [getattr(self._simulations, method_name)(i, *args, **kwargs) for i in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class, indices=None):
        # Episodes are counted here already, as Monitor would.
        monitored = wrapper_class.__name__ == "Monitor"
        return [monitored for _ in self._get_indices(indices)]
