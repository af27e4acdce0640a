"""Data sets of control: what h5py and minari wrote is read with equal numbers, and what plaudit wrote is opened by them."""

import json
import subprocess

import gymnasium
import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import minari
    from minari.data_collector.episode_buffer import EpisodeBuffer

S, A = 11, 3
LENGTHS = [5, 3, 7, 4]
ENDS = ["timeout", "terminal", "timeout", "terminal"]


@pytest.fixture
def control(build_folder, tmp_path):
    """control(read=path, ...) -> (columns, metadata, transitions) as the engine has them; code 2 -> the message."""

    def run(code=0, **job):
        outputs = {"columns": tmp_path / "columns.safetensors", "metadata": tmp_path / "metadata.json",
                   "transitions": tmp_path / "transitions.safetensors"}
        job = json.loads(json.dumps({**outputs, **job}, default=str))
        (tmp_path / "job.json").write_text(json.dumps(job))
        done = subprocess.run([build_folder / "tests/tool_control", tmp_path / "job.json"], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        if code:
            return done.stderr
        return load_file(outputs["columns"]), json.loads(outputs["metadata"].read_text()), load_file(outputs["transitions"])

    return run


def episodes(seed=0):
    rng = np.random.default_rng(seed)
    out = []
    for steps, end in zip(LENGTHS, ENDS):
        last = np.arange(steps) == steps - 1
        out.append({
            "observations": rng.normal(size=(steps + 1, S)),
            "actions": rng.uniform(-1, 1, (steps, A)).astype(np.float32),
            "rewards": rng.normal(size=steps),
            "terminations": last & (end == "terminal"),
            "truncations": last & (end == "timeout"),
            "infos": {"x": rng.normal(size=(steps + 1)), "qpos": rng.normal(size=(steps + 1, 6))},
        })
    return out


def rows(key, part=slice(None)):
    return np.concatenate([e[key][part] for e in episodes()])


OBSERVATIONS = rows("observations", slice(None, -1)).astype(np.float32)
NEXT = rows("observations", slice(1, None)).astype(np.float32)


def write_d4rl(path, **changes):
    """A file as D4RL's v2 are: gzip chunks, f32, infos and metadata."""
    columns = {
        "observations": OBSERVATIONS,
        "actions": rows("actions"),
        "rewards": rows("rewards").astype(np.float32),
        "terminals": rows("terminations"),
        "timeouts": rows("truncations"),
        "infos/qpos": np.concatenate([e["infos"]["qpos"][:-1] for e in episodes()]),
        "infos/action_log_probs": np.arange(sum(LENGTHS), dtype=np.float32),
        **changes,
    }
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if values is not None:
                file.create_dataset(name, data=values, compression="gzip", chunks=(min(4, len(values)), *values.shape[1:]))
        file["metadata/algorithm"] = "SAC"
        file["metadata/iteration"] = 7
        file["metadata/random_return"] = np.float64(-20.5)
        file["metadata/policy/fc0/weight"] = np.ones((3, 3))
    return path


def qlearning_dataset(path, terminate_on_end=False, max_episode_steps=1000):
    """As d4rl.qlearning_dataset, with the time limit counted since the last end."""
    d = {k: np.asarray(v) for k, v in h5py.File(path).items() if isinstance(v, h5py.Dataset)}
    out, steps = [], 0
    for i in range(len(d["rewards"]) - 1):
        steps += 1
        terminal = bool(d["terminals"][i])
        final = bool(d["timeouts"][i]) if "timeouts" in d else steps == max_episode_steps
        if terminal or final:
            steps = 0
        if final and not terminate_on_end:
            continue
        out.append((d["observations"][i], d["actions"][i], d["rewards"][i], d["observations"][i + 1], terminal))
    return [np.array(column, dtype=np.float32) for column in zip(*out)]


def test_a_d4rl_file_is_read_as_h5py_reads_it(control, tmp_path):
    path = write_d4rl(tmp_path / "walker-v2.hdf5")
    columns, metadata, transitions = control(read=path)
    file = h5py.File(path)
    for name in ["observations", "actions", "rewards", "terminals", "timeouts", "infos/qpos", "infos/action_log_probs"]:
        assert columns[name].dtype == file[name].dtype and np.array_equal(columns[name], file[name][()]), name
    assert columns["episode_starts"].tolist() == [0, 5, 8, 15]
    assert "next_observations" not in columns
    assert metadata == {"algorithm": "SAC", "iteration": 7, "random_return": -20.5}
    for name, expected in zip(["observations", "actions", "rewards", "next_observations", "terminals"], qlearning_dataset(path)):
        assert np.array_equal(transitions[name], expected), name


def test_columns_of_width_one_and_doubles_are_what_they_mean(control, tmp_path):
    wide = {"rewards": rows("rewards")[:, None], "terminals": rows("terminations").astype(np.uint8)[:, None],
            "observations": OBSERVATIONS.astype(np.float64)}
    columns, _, _ = control(read=write_d4rl(tmp_path / "wide.hdf5", **wide))
    assert np.array_equal(columns["rewards"], rows("rewards").astype(np.float32))
    assert np.array_equal(columns["terminals"], rows("terminations"))
    assert np.array_equal(columns["observations"], OBSERVATIONS)


def test_a_file_without_time_outs_needs_the_time_limit(control, tmp_path):
    path = write_d4rl(tmp_path / "v0.hdf5", timeouts=None)
    assert "v0.hdf5: has no column 'timeouts'" in control(read=path, code=2)
    columns, _, transitions = control(read=path, max_episode_steps=5)
    # Rows since the last end: terminal at 7 and 18, so time-outs at 4 and 12, 17.
    assert np.flatnonzero(columns["timeouts"]).tolist() == [4, 12, 17]
    for name, expected in zip(["observations", "actions", "rewards", "next_observations"], qlearning_dataset(path, max_episode_steps=5)):
        assert np.array_equal(transitions[name], expected), name


def test_stored_next_observations_are_used_when_asked_for(control, tmp_path):
    path = write_d4rl(tmp_path / "v2.hdf5", next_observations=NEXT)
    _, _, transitions = control(read=path)
    assert len(transitions["rewards"]) == sum(LENGTHS) - 1 - 2  # neither the last row nor the two time-outs
    _, _, transitions = control(read=path, next_observations=True)
    assert np.array_equal(transitions["next_observations"], NEXT)


def test_our_d4rl_file_is_read_by_h5py_and_again(control, tmp_path):
    source = write_d4rl(tmp_path / "a.hdf5")
    columns, metadata, _ = control(read=source, d4rl=tmp_path / "ours.hdf5")
    theirs, ours = h5py.File(source), h5py.File(tmp_path / "ours.hdf5")
    for name in columns:
        if name != "episode_starts":
            assert ours[name].dtype == theirs[name].dtype and np.array_equal(ours[name][()], theirs[name][()]), name
    assert ours["observations"].compression == "gzip"
    assert ours["metadata/algorithm"].asstr()[()] == "SAC" and ours["metadata/iteration"][()] == 7
    again, same, _ = control(read=tmp_path / "ours.hdf5")
    assert same == metadata and all(np.array_equal(again[name], columns[name]) for name in columns)


def make_minari(monkeypatch, root, form, dataset_id="plaudit/sub/hopper-v0", env="Hopper-v5", data=None, **spaces):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    buffers = [EpisodeBuffer(id=i, seed=i, **{**e, "rewards": e["rewards"].tolist()}) for i, e in enumerate(data or episodes())]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minari.create_dataset_from_buffers(
            dataset_id, buffer=buffers, env=env and gymnasium.make(env), data_format=form, algorithm_name="noise",
            ref_min_score=-1.5, ref_max_score=20.0, **spaces)
    return root / dataset_id


@pytest.mark.parametrize("form", ["hdf5", "arrow", "parquet"])
def test_a_minari_set_is_read_as_minari_reads_it(form, control, tmp_path, monkeypatch):
    data = episodes()
    if form != "hdf5":  # minari 0.5.4 writes a vector of single numbers there and cannot read it
        for e in data:
            del e["infos"]["x"]
    folder = make_minari(monkeypatch, tmp_path / "sets", form, data=data)
    columns, metadata, transitions = control(read=folder)
    theirs = list(minari.load_dataset("plaudit/sub/hopper-v0").iterate_episodes())
    assert np.array_equal(columns["observations"], np.concatenate([e.observations[:-1] for e in theirs]).astype(np.float32))
    assert np.array_equal(columns["next_observations"], np.concatenate([e.observations[1:] for e in theirs]).astype(np.float32))
    assert np.array_equal(columns["actions"], np.concatenate([e.actions for e in theirs]))
    assert np.array_equal(columns["rewards"], np.concatenate([e.rewards for e in theirs]).astype(np.float32))
    assert np.array_equal(columns["terminals"], np.concatenate([e.terminations for e in theirs]))
    assert np.array_equal(columns["timeouts"], np.concatenate([e.truncations for e in theirs]))
    assert np.array_equal(columns["infos/qpos"], np.concatenate([e.infos["qpos"][:-1] for e in theirs]))
    assert set(columns) >= {f"infos/{name}" for name in data[0]["infos"]}
    if form == "hdf5":
        assert np.array_equal(columns["infos/x"], np.concatenate([e.infos["x"][:-1] for e in theirs]))
    assert columns["episode_starts"].tolist() == [0, 5, 8, 15]
    assert metadata["environment"] == "Hopper-v5"
    assert (metadata["random_return"], metadata["expert_return"]) == (-1.5, 20.0)
    # Every row is a transition, and a time-out is no terminal.
    assert np.array_equal(transitions["next_observations"], NEXT)
    assert np.flatnonzero(transitions["terminals"]).tolist() == [7, 18]


@pytest.mark.parametrize("form", ["hdf5", "arrow", "parquet"])
def test_our_minari_set_is_loaded_by_minari(form, control, tmp_path, monkeypatch):
    data = episodes()
    for e in data:  # minari 0.5.4 cannot read its own tables of single numbers
        if form != "hdf5":
            del e["infos"]["x"]
    source = make_minari(monkeypatch, tmp_path / "theirs", "hdf5", data=data)
    root = tmp_path / "ours"
    control(read=source, minari={"folder": root / "a/hopper-b/c-v0", "dataset_id": "a/hopper-b/c-v0", "format": form,
                                 "environment": "Hopper-v5", "max_steps": 1000})
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    assert list(minari.list_local_datasets()) == ["a/hopper-b/c-v0"]
    dataset = minari.load_dataset("a/hopper-b/c-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (len(LENGTHS), sum(LENGTHS))
    for ours, theirs in zip(dataset.iterate_episodes(), episodes()):
        for name in ["observations", "actions", "rewards", "terminations", "truncations"]:
            kept = theirs[name].astype(np.float32) if theirs[name].dtype == np.float64 else theirs[name]
            assert np.array_equal(getattr(ours, name), kept.astype(getattr(ours, name).dtype)), name
        assert np.array_equal(ours.infos["qpos"][:-1], theirs["infos"]["qpos"][:-1])
        assert np.isnan(ours.infos["qpos"][len(ours.rewards)]).all()  # no step begins there
    environment = dataset.recover_environment()
    assert environment.observation_space == dataset.observation_space
    assert dataset.storage.metadata["dataset_size"] == pytest.approx(dataset.storage.get_size(), abs=0.1)
    # Episodes of the environment itself, in f64, may be appended.
    episode = EpisodeBuffer(id=None, seed=None, **{**data[0], "rewards": data[0]["rewards"].tolist()})
    dataset.storage.update_episodes([episode])
    assert [len(e.rewards) for e in minari.load_dataset("a/hopper-b/c-v0").iterate_episodes()] == [*LENGTHS, LENGTHS[0]]
    assert environment.spec.id == "Hopper-v5" and environment.spec.max_episode_steps == 1000
    assert environment.observation_space.shape == dataset.observation_space.shape == (S,)
    assert dataset.storage.metadata["ref_max_score"] == 20.0


def test_named_parts_of_observations_stand_side_by_side(control, tmp_path, monkeypatch):
    box = lambda n: gymnasium.spaces.Box(-np.inf, np.inf, (n,), np.float64)  # noqa: E731
    data = episodes()
    for e in data:
        o = e["observations"]
        e["observations"] = {"goal": o[:, :2], "achieved": o[:, 2:5], "position": o[:, 5:]}
    for form in ["hdf5", "arrow"]:
        folder = make_minari(monkeypatch, tmp_path / form, form, env=None, data=data,
                             observation_space=gymnasium.spaces.Dict({"goal": box(2), "achieved": box(3), "position": box(6)}),
                             action_space=gymnasium.spaces.Box(-1, 1, (A,), np.float32))
        columns, _, _ = control(read=folder)
        # As gymnasium.spaces.flatten: by name.
        expected = np.concatenate([OBSERVATIONS[:, 2:5], OBSERVATIONS[:, :2], OBSERVATIONS[:, 5:]], axis=1)
        assert np.array_equal(columns["observations"], expected), form


@pytest.mark.parametrize("form", ["hdf5", "arrow", "parquet"])
def test_pictures_are_refused_whatever_holds_them(form, control, tmp_path, monkeypatch):
    data = episodes()
    for e in data:
        e["observations"] = np.zeros((len(e["observations"]), 8, 8, 3), np.float32)
    folder = make_minari(monkeypatch, tmp_path, form, env=None, data=data,
                         observation_space=gymnasium.spaces.Box(0, 1, (8, 8, 3), np.float32),
                         action_space=gymnasium.spaces.Box(-1, 1, (A,), np.float32))
    message = control(read=folder, code=2)
    assert "observation_space" in message and "got shape [8,8,3] of Box" in message


@pytest.mark.parametrize("form", ["hdf5", "arrow"])
def test_infos_keep_their_names_and_shapes(form, control, tmp_path, monkeypatch):
    data = episodes()
    for e in data:
        rows = len(e["observations"])
        e["infos"] = {"c": {"x": np.arange(2.0 * rows).reshape(rows, 2), "y": np.arange(4.0 * rows).reshape(rows, 2, 2)},
                      "one": np.arange(1.0 * rows).reshape(rows, 1)}
    columns, _, _ = control(read=make_minari(monkeypatch, tmp_path, form, data=data))
    rows = sum(LENGTHS)
    assert {name: columns[f"infos/{name}"].shape for name in ["c/x", "c/y", "one"]} == {
        "c/x": (rows, 2), "c/y": (rows, 2, 2), "one": (rows, 1)}
    assert np.array_equal(columns["infos/c/y"][: LENGTHS[0]], data[0]["infos"]["c"]["y"][:-1])


# What is wrong, and what is said of it: the file, the row and the value.
BAD = {
    "nan": ({"observations": (7, 3, np.nan)}, "observations[7,3] is nan"),
    "infinite": ({"rewards": (2, -np.inf)}, "rewards[2] is -inf"),
    "beyond f32": ({"actions": (1, 0, 1e300)}, "actions[1,0] is inf"),
    "flag": ({"terminals": (4, 2)}, "terminals[4] must be 0 or 1, got 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_named_with_its_row(name, control, tmp_path):
    changes, message = BAD[name]
    sound = {"observations": OBSERVATIONS, "actions": rows("actions"), "rewards": rows("rewards"), "terminals": rows("terminations")}
    spoilt = {}
    for column, (*index, value) in changes.items():
        spoilt[column] = sound[column].astype(np.float64)
        spoilt[column][tuple(index)] = value
    error = control(read=write_d4rl(tmp_path / "bad.hdf5", **spoilt), code=2)
    assert f"{tmp_path}/bad.hdf5: {message}" in error


def test_columns_that_do_not_fit_are_named(control, tmp_path):
    error = control(read=write_d4rl(tmp_path / "a.hdf5", actions=None), code=2)
    assert "a.hdf5: the column 'actions' is missing" in error
    error = control(read=write_d4rl(tmp_path / "b.hdf5", actions=rows("actions")[:-2]), code=2)
    assert "b.hdf5: actions must have shape [19,width] like rewards, got [17, 3]" in error
    error = control(read=write_d4rl(tmp_path / "c.hdf5", **{"infos/qpos": np.zeros((3, 2))}), code=2)
    assert "c.hdf5: infos/qpos must have 19 rows, got [3, 2]" in error
    no = np.zeros(sum(LENGTHS), bool)
    error = control(read=write_d4rl(tmp_path / "d.hdf5", terminals=no, timeouts=no), code=2)
    assert "d.hdf5: no episode ends: terminals and timeouts are 0 in all 19 rows" in error
    columns, _, _ = control(read=tmp_path / "d.hdf5", max_episode_steps=10)
    assert columns["episode_starts"].tolist() == [0, 10]


def test_a_damaged_file_is_an_error_of_its_own(control, tmp_path):
    path = write_d4rl(tmp_path / "whole.hdf5")
    size = path.stat().st_size
    for name, count in {"half": size // 2, "start": 100, "empty": 0}.items():
        cut = tmp_path / f"{name}.hdf5"
        cut.write_bytes(path.read_bytes()[:count])
        error = control(read=cut, code=2)
        assert f"{name}.hdf5: cannot be read as HDF5: " in error
        assert name != "half" or "truncated file" in error
    (tmp_path / "text.hdf5").write_text("no HDF5 at all")
    assert "text.hdf5: cannot be read as HDF5: " in control(read=tmp_path / "text.hdf5", code=2)
    assert "missing.hdf5: there is no such file" in control(read=tmp_path / "missing.hdf5", code=2)
    chunk = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        at = file["observations"].id.get_chunk_info(1)
    chunk[at.byte_offset : at.byte_offset + at.size] = bytes(at.size)
    (tmp_path / "chunk.hdf5").write_bytes(chunk)
    assert "chunk.hdf5: observations cannot be read as HDF5: inflate() failed" in control(read=tmp_path / "chunk.hdf5", code=2)


def test_what_is_wrong_with_a_minari_set_is_said(control, tmp_path, monkeypatch):
    folder = make_minari(monkeypatch, tmp_path / "sets", "hdf5")
    main = folder / "data/main_data.hdf5"
    whole = main.read_bytes()

    def error_after(change):
        main.write_bytes(whole)
        with h5py.File(main, "a") as file:
            change(file)
        return control(read=folder, code=2)

    def shorten(file):
        file["episode_2/observations"].resize((7, S))

    def remove(name):
        return lambda file: file.__delitem__(name)

    def nan(file):
        file["episode_1/rewards"][1] = np.nan

    assert "main_data.hdf5: episode_2: observations must have 8 rows, one more than actions, got 7" in error_after(shorten)
    assert "main_data.hdf5: the column 'episode_1/truncations' is missing" in error_after(remove("episode_1/truncations"))
    assert "main_data.hdf5: holds 3 episodes, metadata.json says 4" in error_after(remove("episode_3"))
    assert "main_data.hdf5: rewards[6] is nan" in error_after(nan)  # row 1 of the episode that starts at 5
    (folder / "data/metadata.json").write_text("{}")
    main.write_bytes(whole[:-10])
    assert "main_data.hdf5: cannot be read as HDF5: truncated file" in control(read=folder, code=2)
    assert "is a folder without data/metadata.json" in control(read=tmp_path, code=2)


def test_data_without_the_last_observations_is_no_minari_set(control, tmp_path):
    path = write_d4rl(tmp_path / "d4rl.hdf5")
    error = control(read=path, minari={"folder": tmp_path / "m", "dataset_id": "ab/c-v0"}, code=2)
    assert "the data have no next_observations" in error
    path = write_d4rl(tmp_path / "v2.hdf5", next_observations=NEXT)
    control(read=path, next_observations=True, minari={"folder": tmp_path / "m", "dataset_id": "ab/c-v0"})
    error = control(read=path, next_observations=True, minari={"folder": tmp_path / "m", "dataset_id": "ab/c-v0"}, code=2)
    assert "m/data: exists already" in error
    error = control(read=path, next_observations=True, minari={"folder": tmp_path / "n", "dataset_id": "a b"}, code=2)
    assert "dataset_id: must be" in error
