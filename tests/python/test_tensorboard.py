"""Event files are read by TensorBoard's own reader, and are byte for byte what its protocol buffers give."""

import json
import subprocess

import pytest

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def test_event_accumulator_reads_the_log(build_folder, tmp_path):
    subprocess.run([build_folder / "tests/tool_metrics", tmp_path], check=True)
    events = event_accumulator.EventAccumulator(str(tmp_path), size_guidance={"scalars": 0})
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == ["00-train/loss", "00-train/reward", "01-evaluate/kl"]
    losses = events.Scalars("00-train/loss")
    assert [event.step for event in losses] == list(range(1, 301))
    assert losses[9].value == pytest.approx(0.1)
    assert events.Scalars("00-train/reward")[299].value == -300

    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 301
    assert lines[0]["time"] == pytest.approx(losses[0].wall_time, abs=1e-6)
