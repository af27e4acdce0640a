"""The native tasks against Gymnasium's own: from the same state and actions, the same observations, rewards and flags."""

import numpy
import pytest

gymnasium = pytest.importorskip("gymnasium")
mujoco = pytest.importorskip("mujoco")

import plaudit.env  # noqa: E402

NAMES = [
    "HalfCheetah", "Hopper", "Walker2d", "Ant", "Swimmer", "Reacher", "Pusher", "InvertedPendulum",
    "InvertedDoublePendulum", "Humanoid", "HumanoidStandup",
]
IDS = [f"{name}-v5" for name in NAMES] + [f"{name}-v4" for name in NAMES if name != "Pusher"]
TOLERANCE = 1e-10
pytestmark = pytest.mark.filterwarnings("ignore:.*is out of date")
SEEDS = range(5)


@pytest.fixture(scope="module")
def worst():
    """The largest difference of each task: printed with -s."""
    table = {}
    yield table
    for id, (steps, episodes, observation, reward) in table.items():
        print(f"{id:<28} {steps:>6} steps {episodes:>4} episodes  observation {observation:.1e}  reward {reward:.1e}")


def theirs_from(env, seed):
    """Gymnasium's environment in a state of its own distribution, without a past; returns (observation, qpos, qvel)."""
    env.reset(seed=seed)
    inner = env.unwrapped
    qpos, qvel = inner.data.qpos.copy(), inner.data.qvel.copy()
    mujoco.mj_resetData(inner.model, inner.data)
    inner.set_state(qpos, qvel)
    return inner._get_obs(), qpos, qvel


def largest(a, b):
    a, b = numpy.asarray(a, float), numpy.asarray(b, float)
    assert a.shape == b.shape
    return float(numpy.max(numpy.abs(a - b) / numpy.maximum(1, numpy.abs(b))))


@pytest.mark.parametrize("id", IDS)
def test_whole_episodes_are_equal(id, worst):
    theirs = gymnasium.make(id)
    ours = plaudit.env.make_vec(id, 2)  # the second row shows that rows do not mix
    assert ours.single_observation_space == theirs.observation_space
    assert ours.single_action_space == theirs.action_space
    low, high = theirs.action_space.low.astype(float), theirs.action_space.high.astype(float)
    steps = episodes = 0
    observation_gap = reward_gap = 0.0
    ours.reset(seed=0)
    for seed in SEEDS:
        random = numpy.random.default_rng(seed)
        played = 0
        while played < 200:  # episodes of a random policy are short in tasks where it falls
            expected, qpos, qvel = theirs_from(theirs, int(random.integers(2**31)))
            observation_gap = max(observation_gap, largest(ours.set_state(0, qpos, qvel), expected))
            done = False
            while not done:
                action = random.uniform(low, high)
                expected, reward, terminated, truncated, info = theirs.step(action)
                observations, rewards, terminations, truncations, infos = ours.step(numpy.stack([action, action * 0.5]))
                assert {name for name in infos if name[0] != "_"} == info.keys()
                for name, value in info.items():
                    assert largest(infos[name][0], value) < TOLERANCE, name
                observation_gap = max(observation_gap, largest(observations[0], expected))
                reward_gap = max(reward_gap, largest(rewards[0], reward))
                assert (terminations[0], truncations[0]) == (terminated, truncated)
                done = terminated or truncated
                played += 1
            episodes += 1
        steps += played
    worst[id] = (steps, episodes, observation_gap, reward_gap)
    assert observation_gap < TOLERANCE and reward_gap < TOLERANCE


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("mode", list(gymnasium.vector.AutoresetMode))
def test_infos_of_vectors_are_arranged_alike(id, mode):
    """Names, masks, types and shapes, also where one row begins anew; the numbers are those of test_whole_episodes_are_equal."""
    make = lambda: gymnasium.make(id, max_episode_steps=3)
    theirs = gymnasium.vector.SyncVectorEnv([make, make], autoreset_mode=mode)
    ours = plaudit.env.make_vec(id, 2, autoreset_mode=mode, max_episode_steps=3)
    theirs.action_space.seed(0)

    def arrangement(value):
        if isinstance(value, dict):
            return {name: arrangement(part) for name, part in value.items()}
        return value.tolist() if value.dtype == bool else (value.shape, value.dtype.kind.replace("i", "f"))

    def compare(our_infos, their_infos):
        assert arrangement(our_infos) == arrangement(their_infos)

    def step():
        actions = theirs.action_space.sample()
        compare(ours.step(actions)[-1], theirs.step(actions)[-1])

    compare(ours.reset(seed=0)[1], theirs.reset(seed=0)[1])
    step()
    mask = {"reset_mask": numpy.array([True, False])}
    compare(ours.reset(options=dict(mask))[1], theirs.reset(options=dict(mask))[1])
    step()
    step()  # ends the second row,
    if mode is not gymnasium.vector.AutoresetMode.DISABLED:
        for _ in range(4):  # then the first one
            step()


def test_actions_in_single_precision_are_others():
    """The measure can fail: the same run with actions rounded to f32 on one side."""
    theirs = gymnasium.make("HalfCheetah-v5")
    ours = plaudit.env.make_vec("HalfCheetah-v5", 1)
    ours.reset(seed=0)
    _, qpos, qvel = theirs_from(theirs, 0)
    ours.set_state(0, qpos, qvel)
    random = numpy.random.default_rng(0)
    for _ in range(200):
        action = random.uniform(-1, 1, 6)
        expected, *_ = theirs.step(action)
        observations, *_ = ours.step(action[None].astype(numpy.float32))
    assert largest(observations[0], expected) > 1e-6


def test_state_without_a_past():
    """A state that is set again gives the same numbers, whatever came before: the solver starts cold."""
    env = plaudit.env.make_vec("Ant-v5", 1)
    env.reset(seed=0)
    qpos, qvel = env.get_state(0)
    random = numpy.random.default_rng(0)
    actions = random.uniform(-1, 1, (15, 1, 8))

    def run():
        env.set_state(0, qpos, qvel)
        return [env.step(a)[0] for a in actions]

    first = run()
    for _ in range(3):
        for a in random.uniform(-1, 1, (7, 1, 8)):
            env.step(a)
        assert numpy.array_equal(run(), first)


def test_pendulum_is_equal():
    theirs = gymnasium.make("Pendulum-v1")
    ours = plaudit.env.make_vec("Pendulum-v1", 1)
    assert ours.single_observation_space == theirs.observation_space
    ours.reset(seed=0)
    random = numpy.random.default_rng(0)
    for seed in SEEDS:
        expected, _ = theirs.reset(seed=seed)
        angle, speed = theirs.unwrapped.state
        assert numpy.array_equal(ours.set_state(0, [angle], [speed]), expected)
        truncated = False
        while not truncated:
            action = random.uniform(-2, 2, 1)
            expected, reward, _, truncated, _ = theirs.step(action)
            observations, rewards, terminations, truncations, _ = ours.step(action[None])
            assert observations.dtype == expected.dtype and largest(observations[0], expected) < 1e-6
            assert abs(rewards[0] - reward) < TOLERANCE * max(1, abs(reward))
            assert (terminations[0], truncations[0]) == (False, truncated)


def test_own_models_follow_the_files(tmp_path, monkeypatch):
    """HalfCheetah, Hopper and Walker2d as they are where no model files are installed."""
    for id in ("HalfCheetah-v5", "Hopper-v5", "Walker2d-v5", "Walker2d-v4"):
        monkeypatch.delenv("PLAUDIT_MODELS", raising=False)
        files = plaudit.env.make_vec(id, 1, max_episode_steps=0)
        monkeypatch.setenv("PLAUDIT_MODELS", "")
        own = plaudit.env.make_vec(id, 1, max_episode_steps=0)
        files.reset(seed=0), own.reset(seed=0)
        random = numpy.random.default_rng(0)
        for _ in range(200):
            action = random.uniform(-1, 1, files.action_space.shape)
            a, b = files.step(action), own.step(action)
            assert largest(a[0], b[0]) < 1e-9 and largest(a[1], b[1]) < 1e-9
            assert a[2] == b[2]


def test_models_that_are_missing_or_broken_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAUDIT_MODELS", "")
    with pytest.raises(ValueError, match="Ant-v5.*ant.xml.*gymnasium"):
        plaudit.env.make("Ant-v5")
    monkeypatch.setenv("PLAUDIT_MODELS", str(tmp_path))
    with pytest.raises(ValueError, match="ant.xml"):
        plaudit.env.make("Ant-v5")
    (tmp_path / "ant.xml").write_text("<mujoco><worldbody><body><joint/></body></worldbody></mujoco>")
    with pytest.raises(ValueError, match="ant.xml.*is not a MuJoCo model"):
        plaudit.env.make("Ant-v5")
