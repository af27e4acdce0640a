"""The native tasks against Gymnasium's own: from the same state and actions, the same observations, rewards and flags."""

import inspect

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


OPTIONS = {
    "HalfCheetah": [
        {"frame_skip": 3, "ctrl_cost_weight": 0.7, "forward_reward_weight": 2.0},
        {"exclude_current_positions_from_observation": False, "reset_noise_scale": 0.3},
    ],
    "Hopper": [
        {"healthy_z_range": (0.5, 1.5), "healthy_angle_range": (-0.1, 0.15), "healthy_reward": 2.0, "forward_reward_weight": 0.5},
        {"terminate_when_unhealthy": False, "healthy_state_range": (-5.0, 4.0)},
        {"healthy_z_range": (-numpy.inf, numpy.inf), "exclude_current_positions_from_observation": False},
    ],
    "Walker2d": [
        {"healthy_z_range": (0.9, 1.6), "healthy_angle_range": (-0.5, 0.4), "ctrl_cost_weight": 0.2},
        {"terminate_when_unhealthy": False, "exclude_current_positions_from_observation": False},
    ],
    "Ant": [
        {"terminate_when_unhealthy": False, "healthy_z_range": (0.4, 0.8), "ctrl_cost_weight": 0.1, "healthy_reward": 3.0},
        {"contact_force_range": (-0.2, 0.5), "contact_cost_weight": 0.1, "forward_reward_weight": 2, "main_body": 3},
        {"main_body": "front_left_leg", "include_cfrc_ext_in_observation": False, "frame_skip": 2},
    ],
    "Swimmer": [{"exclude_current_positions_from_observation": False, "forward_reward_weight": 3.0, "frame_skip": 2}],
    "Reacher": [{"reward_dist_weight": 2.0, "reward_control_weight": 0.5, "frame_skip": 3}],
    "Pusher": [{"reward_near_weight": 1.5, "reward_dist_weight": 0.1, "reward_control_weight": 1.0}],
    "InvertedPendulum": [{"reset_noise_scale": 0.05, "frame_skip": 1}],
    "InvertedDoublePendulum": [{"healthy_reward": 3.0, "frame_skip": 2, "reset_noise_scale": 0.01}],
    "Humanoid": [
        {"terminate_when_unhealthy": False, "contact_cost_weight": 1e-3, "contact_cost_range": (0.1, 2.0)},
        {"include_cinert_in_observation": False, "include_cfrc_ext_in_observation": False, "healthy_z_range": (0.8, 1.3)},
        {"include_cvel_in_observation": False, "include_qfrc_actuator_in_observation": False, "ctrl_cost_weight": 1.0},
    ],
    "HumanoidStandup": [
        {"impact_cost_weight": 1e-3, "impact_cost_range": (-numpy.inf, 0.5), "ctrl_cost_weight": 0.3},
        {"exclude_current_positions_from_observation": False, "include_cvel_in_observation": False},
    ],
}


def offered(id, options):
    """What of the options of version 5 a task takes, by Gymnasium's own signature."""
    creator = gymnasium.envs.registration.load_env_creator(gymnasium.spec(id).entry_point)
    names = set(inspect.signature(creator.__init__).parameters)
    if id == "Ant-v4":  # these go with use_contact_forces, which plaudit does not have
        names -= {"contact_force_range", "contact_cost_weight"}
    return {name: value for name, value in options.items() if name in names}


VARIANTS = [(id, {}) for id in IDS] + [
    (id, options)
    for id in IDS
    for options in (offered(id, every) for every in OPTIONS[id.split("-")[0]])
    if options
]


@pytest.mark.parametrize("id, options", VARIANTS)
def test_whole_episodes_are_equal(id, options, worst):
    theirs = gymnasium.make(id, **options)
    ours = plaudit.env.make_vec(id, 2, **options)  # the second row shows that rows do not mix
    assert ours.single_observation_space == theirs.observation_space
    assert ours.single_action_space == theirs.action_space
    low, high = theirs.action_space.low.astype(float), theirs.action_space.high.astype(float)
    steps = episodes = 0
    observation_gap = reward_gap = 0.0
    ours.reset(seed=0)
    for seed in SEEDS[:2] if options else SEEDS:
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
    if options:
        id += " " + ", ".join(options)
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
