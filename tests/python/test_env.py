"""plaudit.env as the others' tools see it: Gymnasium's checker, its registry, and training by Stable-Baselines3."""

import copy
import pathlib
import pickle
import re
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
    assert observations in env.observation_space and infos["_x_position"].all()


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_the_registry_makes_every_kind_of_vector_also_from_its_spec(mode):
    env = gymnasium.make_vec("plaudit/Hopper-v5", num_envs=2, vectorization_mode=mode)
    again = gymnasium.make_vec(env.spec)
    assert again.num_envs == 2 and type(again) is type(env)
    for each in (env, again):
        each.reset(seed=0)
        each.step(each.action_space.sample())
        each.close()


def test_the_spec_has_the_time_limit_and_travels_as_json():
    assert gymnasium.spec("plaudit/Reacher-v5").max_episode_steps == 50
    assert gymnasium.spec("plaudit/HalfCheetah-v5").reward_threshold == gymnasium.spec("HalfCheetah-v5").reward_threshold
    env = gymnasium.make("plaudit/point", max_episode_steps=70)  # longer than its own 50
    env = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample())[3] for _ in range(70)]
    assert ends.index(True) == 69


def test_without_a_seed_every_start_is_another():
    starts = [plaudit.env.make_vec("point", 2).reset()[0] for _ in range(2)]
    assert not numpy.array_equal(*starts)


@pytest.mark.parametrize("seed", [2**63, 2**64 - 1, 2**64, 2**200 + 7])
def test_seeds_of_any_length(seed):
    env = plaudit.env.make_vec("point", 2)
    first, _ = env.reset(seed=seed)
    assert env.np_random_seed == (seed, seed + 1)
    again, _ = env.reset(seed=[seed, seed + 1])
    assert numpy.array_equal(first, again)
    other, _ = env.reset(seed=seed - 1)
    assert not numpy.array_equal(first[0], other[0]) and numpy.array_equal(first[0], other[1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plaudit.env.make_vec("point", 2).reset(seed=-1), "seed must be a whole number >= 0, got -1"),
        (lambda: plaudit.env.make_vec("point", 2).reset(seed=[1.7, 2]), "seed must be a whole number >= 0, got 1.7"),
        (lambda: plaudit.env.make_vec("point", 1.5), "num_envs must be a whole number >= 1, got 1.5"),
        (lambda: plaudit.env.make_vec("point", 2, max_episode_steps="9"), "max_episode_steps must be a whole number >= 0, got '9'"),
        (lambda: plaudit.env.make("point", render_mode="human"), "render_mode must be one of None, rgb_array, got 'human'"),
        (lambda: plaudit.env.make("point", seed=0).step([0, 0]), "call reset first"),
        (lambda: plaudit.env.make_vec("point", 2).step(numpy.zeros((2, 2))), "call reset first"),
        (lambda: plaudit.env.make_vec("point", 2).reset(options={"reset_mask": [True, False]}), "numpy array of bool, got list"),
        (lambda: plaudit.env.make_vec("point", 2).reset(options={"reset_mask": numpy.zeros(2, bool)}), "all are False"),
        (lambda: plaudit.env.make_vec("point", 2).reset(options={"reset_mask": numpy.array([True, False])}), "[1] have not begun"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises((ValueError, TypeError, gymnasium.error.ResetNeeded)) as error:
        call()
    assert words in str(error.value)


@pytest.mark.parametrize("make", [lambda: plaudit.env.make("Hopper-v5"), lambda: plaudit.env.make_vec("Hopper-v5", 2)])
def test_a_deep_copy_goes_on_as_the_original_and_pickle_keeps_the_options(make):
    env = make()
    env.reset(seed=3)
    roll(env, 5)
    twin = copy.deepcopy(env)
    steps = 40 if hasattr(env, "num_envs") else 5  # of a vector: over the end of an episode
    for ours, theirs in zip(roll(env, steps, seed=1), roll(twin, steps, seed=1)):
        assert all(numpy.array_equal(a, b) for a, b in zip(ours[:4], theirs[:4]))
    fresh = pickle.loads(pickle.dumps(env))
    assert numpy.array_equal(fresh.reset(seed=9)[0], env.reset(seed=9)[0])


def test_pictures():
    env = gymnasium.make("plaudit/Hopper-v5", render_mode="rgb_array")
    assert env.unwrapped.metadata["render_modes"] == ["rgb_array"]
    env.reset(seed=0)
    try:
        first = env.render()
    except RuntimeError as error:
        pytest.skip(str(error))
    assert first.shape == (480, 480, 3) and first.dtype == numpy.uint8 and first.std() > 1
    env.unwrapped.set_state(*(x + 0.1 for x in env.unwrapped.get_state()))
    assert not numpy.array_equal(first, env.render())
    vector = plaudit.env.make_vec("Hopper-v5", 2, seed=0, render_mode="rgb_array")
    vector.reset()
    assert len(vector.render()) == 2
    assert plaudit.env.make("Hopper-v5").render() is None
    with pytest.raises(ValueError, match="picture"):
        point = plaudit.env.make("point", render_mode="rgb_array")
        point.reset()
        point.render()


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


def test_a_vector_of_stable_baselines3():
    stable_baselines3 = pytest.importorskip("stable_baselines3")
    vector = stable_baselines3.common.env_util.make_vec_env("plaudit/Hopper-v5", n_envs=2)  # asks for pictures
    vector.reset()
    env = plaudit.env.make_sb3("Hopper-v5", 2, seed=4)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(numpy.zeros((2, 3)))
    env.reset()
    assert env.get_attr("spec")[1].id == "plaudit/Hopper-v5"
    assert numpy.array_equal(env.env_method("get_state", indices=-1)[0][0], env.env_method("get_state", indices=1)[0][0])
    twin = copy.deepcopy(env)
    for _ in range(40):
        ours, theirs = env.step(numpy.full((2, 3), 0.3)), twin.step(numpy.full((2, 3), 0.3))
        assert all(numpy.array_equal(a, b) for a, b in zip(ours[:3], theirs[:3]))


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


def test_options_of_a_task_are_checked(tmp_path):
    make = plaudit.env.make
    with pytest.raises(ValueError, match="HalfCheetah-v5 has no option 'ctrl_cost_wieght'.*'ctrl_cost_weight'"):
        make("HalfCheetah-v5", ctrl_cost_wieght=1)
    with pytest.raises(ValueError, match="HalfCheetah-v4 has no option 'frame_skip'"):
        make("HalfCheetah-v4", frame_skip=2)
    with pytest.raises(ValueError, match="point has no option 'frame_skip'"):
        make("point", frame_skip=2)
    with pytest.raises(ValueError, match="ctrl_cost_weight must be a number, got \"much\""):
        make("HalfCheetah-v5", ctrl_cost_weight="much")
    with pytest.raises(ValueError, match="terminate_when_unhealthy must be true or false, got 1"):
        make("Ant-v5", terminate_when_unhealthy=1)
    with pytest.raises(ValueError, match=r"frame_skip must be in \[1, 1000000\], got 0"):
        make("Ant-v5", frame_skip=0)
    with pytest.raises(ValueError, match=r"healthy_z_range must be a lower and an upper bound above it, got \[1.0,0.2\]"):
        make("Ant-v5", healthy_z_range=(1.0, 0.2))
    with pytest.raises(ValueError, match="reset_noise_scale must be >= 0, got -1"):
        make("Ant-v5", reset_noise_scale=-1)
    with pytest.raises(ValueError, match="main_body must be a body of the model or a number below 14, got 'tail'"):
        make("Ant-v5", main_body="tail")
    with pytest.raises(ValueError, match="main_body must be a body of the model or a number below 14, got 14"):
        make("Ant-v5", main_body=14)
    with pytest.raises(TypeError, match="ctrl_cost_weight must be numbers, flags or text, got dict"):
        make("Ant-v5", ctrl_cost_weight={})
    with pytest.raises(ValueError, match="ctrl_cost_weight must be a number of 64 bits"):
        make("Ant-v5", ctrl_cost_weight=10**400)
    for name in ("torso\0x", "\udc80"):
        with pytest.raises(ValueError):
            make("Ant-v5", main_body=name)
    with pytest.raises(ValueError, match="none.xml: no such model file"):
        make("Ant-v5", xml_file=tmp_path / "none.xml")


def test_a_model_of_ones_own(tmp_path):
    """The file's friction, gravity and bodies count; a file that lacks what the task's rules read is refused."""
    gymnasium_mujoco = pytest.importorskip("gymnasium.envs.mujoco.mujoco_env")
    folder = pathlib.Path(gymnasium_mujoco.__file__).parent / "assets"
    text = (folder / "hopper.xml").read_text()
    own = tmp_path / "moon.xml"
    own.write_text(text.replace("<option ", '<option gravity="0 0 -1.6" '))
    env = plaudit.env.make("Hopper-v5", xml_file=own)
    usual = plaudit.env.make("Hopper-v5")
    heights = []
    for one in (env, usual):
        one.reset(seed=0)
        one.set_state([0, 1.6, 0, 0, 0, 0], numpy.zeros(6))
        heights.append(one.step(numpy.zeros(3))[4]["z_distance_from_origin"])
    assert heights[0] > heights[1]
    own.write_text(text.replace("<option ", '<option gravity="0 0 -20" '))  # edited while the first is in use
    twin = copy.deepcopy(env)
    again = plaudit.env.make("Hopper-v5", xml_file=own)
    again.reset(seed=0)
    again.set_state([0, 1.6, 0, 0, 0, 0], numpy.zeros(6))
    assert again.step(numpy.zeros(3))[4]["z_distance_from_origin"] < heights[1]
    with pytest.raises(ValueError, match="needs at least 3 positions for Hopper-v5, has 2"):
        plaudit.env.make("Hopper-v5", xml_file="inverted_pendulum.xml")
    with pytest.raises(ValueError, match="needs at least 7 numbers in an array of mjData that the observation reads, has 6"):
        plaudit.env.make("Pusher-v5", xml_file=own)
    own.unlink()  # copies have the model of the original
    third = copy.deepcopy(env)
    expected = env.step(numpy.ones(3))[0]
    assert all(numpy.array_equal(one.step(numpy.ones(3))[0], expected) for one in (twin, third))


def test_copies_sample_and_remember_alike():
    env = plaudit.env.make_vec("HalfCheetah-v5", 2, seed=0, divergence="end")
    env.reset()
    env.action_space.seed(5)
    env.single_action_space.seed(6)
    env.set_state(1, numpy.zeros(9), numpy.full(9, 1e12))
    env.step(env.action_space.sample())
    other = copy.deepcopy(env)
    assert numpy.array_equal(other.action_space.sample(), env.action_space.sample())
    assert numpy.array_equal(other.single_action_space.sample(), env.single_action_space.sample())
    assert other.divergences() == env.divergences() and other.divergences()
    actions = numpy.zeros((2, 6))
    assert numpy.array_equal(other.step(actions)[0], env.step(actions)[0])


def test_paths_of_models(tmp_path, monkeypatch):
    gymnasium_mujoco = pytest.importorskip("gymnasium.envs.mujoco.mujoco_env")
    text = (pathlib.Path(gymnasium_mujoco.__file__).parent / "assets/humanoid.xml").read_text()
    third = '<fixed name="third"><joint coef="1" joint="right_knee"/></fixed>'
    monkeypatch.chdir(tmp_path)
    pathlib.Path("mine.xml").write_text(text.replace("</tendon>", third + "</tendon>"))
    for path in (pathlib.Path("mine.xml"), "./mine.xml", str(tmp_path / "mine.xml")):
        env = plaudit.env.make("Humanoid-v5", xml_file=path)
        assert env.reset(seed=0)[1]["tendon_length"].shape == (3,)
    pathlib.Path("mine.xml").write_text(re.sub("(?s)<tendon>.*</tendon>", "", text))
    vector = plaudit.env.make_vec("Humanoid-v5", 2, xml_file="./mine.xml")
    assert vector.reset(seed=0)[1]["tendon_length"].shape == (2, 0)


def test_options_stay_with_copies():
    env = plaudit.env.make_vec("Hopper-v5", 2, seed=0, terminate_when_unhealthy=False, ctrl_cost_weight=5.0)
    env.reset()
    actions = numpy.full((2, 3), 0.9)
    for _ in range(60):
        env.step(actions)
    other = copy.deepcopy(env)
    made = pickle.loads(pickle.dumps(env))
    made.reset()
    rewards, terminations = env.step(actions)[1:3]
    assert numpy.array_equal(other.step(actions)[1], rewards) and not terminations.any()
    assert made.step(actions)[4]["reward_ctrl"] == pytest.approx([-5 * 3 * 0.81] * 2)
    assert gymnasium.make("plaudit/Hopper-v5", ctrl_cost_weight=2.0).unwrapped.reset()[0].shape == (11,)
    vector = gymnasium.make_vec("plaudit/Hopper-v5", num_envs=2, ctrl_cost_weight=2.0)
    vector.reset()
    assert vector.step(actions)[4]["reward_ctrl"] == pytest.approx([-2 * 3 * 0.81] * 2)
