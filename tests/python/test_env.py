"""plaudit.env as the others' tools see it: Gymnasium's checker, its registry, and training by Stable-Baselines3."""

import warnings

import numpy
import pytest

gymnasium = pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402

import plaudit.env  # noqa: E402


@pytest.mark.parametrize("id", ["HalfCheetah-v5", "Humanoid-v5", "Reacher-v4", "Pendulum-v1", "point"])
def test_gymnasiums_checker_finds_nothing(id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(infinity|Casting|precision|out of date|recommend).*")
        check_env(gymnasium.make(f"plaudit/{id}").unwrapped, skip_render_check=True)


def test_registry_makes_vectors():
    env = gymnasium.make_vec("plaudit/Hopper-v5", num_envs=3, vectorization_mode="vector_entry_point")
    assert isinstance(env, gymnasium.vector.VectorEnv) and env.num_envs == 3
    observations, infos = env.reset(seed=3)
    assert observations in env.observation_space and infos == {}


def roll(env, steps, seed=0):
    env.action_space.seed(seed)
    return [env.step(env.action_space.sample()) for _ in range(steps)]


def test_seeds_are_per_environment():
    together = plaudit.env.make_vec("Hopper-v5", 3, seed=5)
    first, _ = together.reset()
    for i in range(3):
        alone, _ = plaudit.env.make_vec("Hopper-v5", 1).reset(seed=5 + i)
        assert numpy.array_equal(alone[0], first[i])
    again, _ = together.reset(seed=[7, None, 5])
    assert numpy.array_equal(again[2], first[0]) and not numpy.array_equal(again[1], first[1])


def test_autoreset_modes_follow_gymnasium():
    """Against Gymnasium's own SyncVectorEnv around the same environments."""
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        ours = plaudit.env.make_vec("InvertedPendulum-v5", 4, autoreset_mode=mode)
        theirs = gymnasium.vector.SyncVectorEnv(
            [lambda: plaudit.env.make("InvertedPendulum-v5")] * 4, autoreset_mode=mode
        )
        assert ours.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"]
        assert numpy.array_equal(ours.reset(seed=1)[0], theirs.reset(seed=1)[0])
        for a, b in zip(roll(ours, 60), roll(theirs, 60)):
            for x, y in zip(a[:4], b[:4]):
                assert numpy.array_equal(x, y)
            assert set(a[4]) == set(b[4])
            if "final_obs" in a[4]:
                assert numpy.array_equal(a[4]["_final_obs"], b[4]["_final_obs"])
                for x, y in zip(a[4]["final_obs"], b[4]["final_obs"]):
                    assert (x is None) == (y is None) and (x is None or numpy.array_equal(x, y))


def test_copies_and_views():
    env = plaudit.env.make_vec("point", 2, seed=0, copy=False)
    first, _ = env.reset()
    assert env.step(env.action_space.sample())[0] is not None and numpy.shares_memory(first, env.step(
        env.action_space.sample())[0])
    env = plaudit.env.make_vec("point", 2, seed=0)
    first, _ = env.reset()
    assert not numpy.shares_memory(first, env.step(env.action_space.sample())[0])


def test_masked_reset_leaves_the_others():
    env = plaudit.env.make_vec("point", 3, seed=0, autoreset_mode=AutoresetMode.DISABLED)
    before, _ = env.reset()
    after, _ = env.reset(options={"reset_mask": numpy.array([False, True, False])})
    assert numpy.array_equal(before == after, numpy.array([[True] * 4, [False, False, True, True], [True] * 4]))


@pytest.mark.parametrize(
    "action, words",
    [([[0, 0], [0, 2]], r"actions\[1,1\] must lie in \[-1, 1\], got 2"), ([[numpy.nan, 0], [0, 0]], r"actions\[0,0\] is nan"),
     ([[0, 0]], "shape"), ],
)
def test_bad_actions_are_named(action, words):
    env = plaudit.env.make_vec("point", 2, seed=0)
    env.reset()
    with pytest.raises(ValueError, match=words):
        env.step(numpy.array(action, float))


def test_actions_outside_can_be_left_to_the_actuators():
    env = plaudit.env.make_vec("HalfCheetah-v5", 1, seed=0, outside="clip")
    env.reset()
    assert numpy.isfinite(env.step(numpy.full((1, 6), 3.0))[1]).all()


def test_divergence_is_reported():
    env = plaudit.env.make_vec("HalfCheetah-v5", 2, seed=3)
    env.reset()
    env.set_state(1, numpy.zeros(9), numpy.full(9, 1e12))
    with pytest.raises(ValueError, match=r"environment 1 \(seed 4\) diverged at step 0"):
        env.step(numpy.zeros((2, 6)))
    assert env.divergences()[0]["seed"] == 4


def test_trains_under_stable_baselines3():
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_checker import check_env as check_sb3

    check_sb3(plaudit.env.make("HalfCheetah-v5"))
    model = sb3.SAC("MlpPolicy", plaudit.env.make("HalfCheetah-v5", seed=0), learning_starts=50, batch_size=32, seed=0)
    model.learn(120)
    model = sb3.PPO("MlpPolicy", plaudit.env.make_sb3("Hopper-v5", 4), n_steps=64, batch_size=64, n_epochs=1, seed=0)
    model.learn(512)
    # Its own count of episodes, from the infos that Monitor would have given.
    assert len(model.ep_info_buffer) > 5 and all(e["l"] < 200 for e in model.ep_info_buffer)
