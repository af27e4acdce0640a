"""The native environments and views of their buffers: what every class of plaudit.env stands on."""

import copy
import json
import math
import operator
import os
import secrets

import gymnasium
import numpy
import torch

from plaudit import _library

_WORD = (1 << 64) - 1


def environments():
    """{id: steps of an episode, 0 without a limit} of all tasks."""
    return json.loads(_library.load().environments())


def whole_number(name, value, least):
    """``value`` as an int."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, numpy.bool_)) or number < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    return number


def _word(seed):
    """A seed of any length as one of 64 bits: those that fit are themselves."""
    while seed > _WORD:
        seed = (seed & _WORD) ^ (seed >> 64)
    return seed


def _box(bounds, dtype):
    """A space; null stands for infinity."""
    low = [-numpy.inf if b is None else b for b in bounds["low"]]
    high = [numpy.inf if b is None else b for b in bounds["high"]]
    return gymnasium.spaces.Box(numpy.array(low, dtype), numpy.array(high, dtype), dtype=dtype)


def _task_options(options):
    """Options of a task as JSON, which has neither infinity nor numpy's types."""

    def plain(name, value):
        if isinstance(value, numpy.generic):
            value = value.item()
        if isinstance(value, (list, tuple, numpy.ndarray)):
            return [plain(name, part) for part in value]
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, os.PathLike):
            return os.path.abspath(os.path.expanduser(value))
        if isinstance(value, str):
            value.encode()  # half a surrogate pair is a ValueError
            return os.path.expanduser(value) if name == "xml_file" else value
        if isinstance(value, int) and abs(value) >= 1 << 63:
            raise ValueError(f"env.make: {name} must be a number of 64 bits")
        if value is None or isinstance(value, (bool, int, float)):
            return value
        raise TypeError(f"env.make: {name} must be numbers, flags or text, got {type(value).__name__}")

    return json.dumps({name: plain(name, value) for name, value in options.items()})


def _real_numbers(name, values):
    """``values`` as an array, which must hold real numbers."""
    if numpy.ma.is_masked(values):
        raise ValueError(f"{name} must be numbers, got a masked array")
    values = numpy.asarray(values)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, got {values.dtype}")
    return values


class Infos:
    """What a task reports beside its observations: [n, I] numbers of the simulations under their names."""

    def __init__(self, parts):
        self.columns, place = {}, 0
        for part in parts:
            width = 1 if part["size"] < 0 else part["size"]
            self.columns[part["name"]] = place if part["size"] < 0 else slice(place, place + width)
            place += width
        self.names = list(self.columns)
        self.of_start = [part["name"] for part in parts if part["at_start"]]

    def vector(self, values, begun, stepped):
        """{name: [n], "_name": which rows have it} as gymnasium.vector has infos: rows ``begun`` anew have those of a start,
        rows ``stepped`` have all."""
        some, values, infos = begun | stepped, values.copy(), {}
        values[~some] = 0
        for name in self.names if stepped.any() else self.of_start:
            infos[name] = values[:, self.columns[name]]
            infos["_" + name] = (some if name in self.of_start else stepped).copy()
        return infos

    def single(self, row, start=False):
        """{name: number or array} of one environment."""
        row = row.copy()
        return {name: row[self.columns[name]] for name in (self.of_start if start else self.names)}


class Simulations:
    """``n`` native environments of one task."""

    def __init__(self, id, n, autoreset, seed, threads, max_steps, outside, divergence, render_mode, task):
        for name, value, choices in (
            ("outside", outside, ("refuse", "clip")),
            ("divergence", divergence, ("refuse", "end")),
            ("render_mode", render_mode, (None, "rgb_array")),
        ):
            if value not in choices:
                raise ValueError(f"env.make_vec: {name} must be one of {', '.join(map(str, choices))}, got {value!r}")
        self.n = whole_number("env.make_vec: num_envs", n, 1)
        limit = -1 if max_steps is None else whole_number("env.make_vec: max_episode_steps", max_steps, 0)
        threads = whole_number("env.make_vec: threads", threads, 0)
        _library.load()
        self.native = torch.classes.plaudit.VectorEnv(
            str(id), self.n, autoreset, threads, limit, outside == "refuse", divergence == "refuse", _task_options(task)
        )
        self.spec = json.loads(self.native.spec())
        self.render_mode = render_mode
        self.metadata = {
            "render_modes": ["rgb_array"] if self.native.has_picture() else [],
            "render_fps": round(1 / self.spec["dt"]),
        }
        self._view_buffers()
        self.reported = Infos(self.spec["infos"])
        self.dtype = numpy.float32 if self.spec["f32_observations"] else numpy.float64
        self.observation_space = _box(self.spec["observation"], self.dtype)
        self.action_space = _box(self.spec["action"], numpy.float32)
        self.seeds = [0] * self.n
        self.begun = numpy.zeros(self.n, bool)
        self.seed(secrets.randbits(63) if seed is None else seed)

    def _view_buffers(self):
        names = "actions observations next_observations rewards terminated truncated valid infos next_infos".split()
        self.views = dict(zip(names, (tensor.numpy() for tensor in self.native.buffers())))
        self.__dict__ |= self.views

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        for name, value in self.__dict__.items():
            if name not in ("native", "views") and name not in self.views:
                setattr(twin, name, copy.deepcopy(value, memo))
        twin.native = self.native.twin()
        twin._view_buffers()
        return twin

    def seed(self, seed, mask=None):
        """One seed, of which environment i takes seed + i, or one each; None leaves a stream as it is."""
        if isinstance(seed, (int, numpy.integer)):
            seed = whole_number("env.reset: seed", seed, 0)
            seed = [seed + i for i in range(self.n)]
        if len(seed) != self.n:
            raise ValueError(f"env.reset: seed must be one number or {self.n}, got {len(seed)} of them")
        seed = [None if value is None else whole_number("env.reset: seed", value, 0) for value in seed]
        for i, value in enumerate(seed):
            if value is not None and (mask is None or mask[i]):
                self.seeds[i] = value
                word = _word(value)
                self.native.seed(i, word - (1 << 64) if word >> 63 else word)

    def reset(self, mask=None):
        """All, or those of a mask [n] alone."""
        if mask is None:
            self.native.reset()
            self.begun[:] = True
            return
        if not isinstance(mask, numpy.ndarray) or mask.dtype != numpy.bool_:
            got = mask.dtype if isinstance(mask, numpy.ndarray) else type(mask).__name__
            raise TypeError(f"env.reset: reset_mask must be a numpy array of bool, got {got}")
        if mask.shape != (self.n,):
            raise ValueError(f"env.reset: reset_mask must have shape ({self.n},), got {mask.shape}")
        if not mask.any():
            raise ValueError("env.reset: reset_mask must name an environment, all are False")
        missing = numpy.flatnonzero(~(self.begun | mask)).tolist()
        if missing:
            raise gymnasium.error.ResetNeeded(f"env.reset: environments {missing} have not begun: the first reset is of all")
        self.native.reset_some(torch.from_numpy(numpy.ascontiguousarray(mask)))
        self.begun |= mask

    def act(self, actions, single=False):
        """Takes actions of any real type, in full precision, and steps; ``single``: the action of the only environment."""
        if not self.begun.all():
            raise gymnasium.error.ResetNeeded("env.step: no episode has begun: call reset first")
        name, buffer = ("action", self.actions[0]) if single else ("actions", self.actions)
        actions = _real_numbers(f"env.step: {name}", actions)
        if actions.shape != buffer.shape:
            raise ValueError(f"env.step: {name} must have shape {buffer.shape}, got {actions.shape}")
        buffer[...] = actions
        self.native.step()

    def set_state(self, index, qpos, qvel):
        index = range(self.n)[index]
        as_tensor = lambda name, x: torch.as_tensor(numpy.array(_real_numbers(f"env.set_state: {name}", x), numpy.float64))
        self.native.set_state(index, as_tensor("qpos", qpos), as_tensor("qvel", qvel))
        self.begun[index] = True

    def get_state(self, index):
        return tuple(x.numpy() for x in self.native.get_state(range(self.n)[index]))

    def render(self, index, width=480, height=480, camera=""):
        """A picture [height, width, 3] u8, or None without a render_mode."""
        if self.render_mode is None:
            return None
        if not self.begun[index]:
            raise gymnasium.error.ResetNeeded("env.render: no episode has begun: call reset first")
        return self.native.draw(index, width, height, camera).numpy()


def made_with(arguments):
    """What a constructor was called with: its locals()."""
    return {name: value for name, value in arguments.items() if name not in ("self", "__class__", "task")} | arguments["task"]


class Copied:
    """deepcopy goes on exactly as the original does; pickle, as for the tasks of Gymnasium, makes it anew from its options."""

    def __getstate__(self):
        return self._made_with

    def __setstate__(self, options):
        self.__init__(**options)

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = object.__new__(type(self))
        for name, value in self.__dict__.items():
            setattr(twin, name, copy.deepcopy(value, memo))
        return twin
