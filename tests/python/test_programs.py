"""Reward programs against CPython and NumPy: random expressions, statements and errors."""

import json
import math
import random
import re
import sys

import pytest

np = pytest.importorskip("numpy")

import plaudit

ATOMS = ["0", "1", "2", "3", "-1", "0.5", "2.5", "-1.5", "1e3", "True", "a", "b", "x", "y", "x[0]", "y[-1]", "x.sum()", "len(x)"]
SCALARS = ["abs({})", "round({})", "int({})", "float({})", "max({}, {})", "min({}, {})", "({} if {} else {})", "({} and {})",
           "({} or {})", "(not {})", "({} < {} <= {})", "({} == {})", "sum([{}, {}])", "np.tanh({})", "np.sign({})",
           "np.maximum({}, {})", "np.minimum({}, {})", "np.clip({}, -1.0, 1.0)", "np.abs({})", "np.floor({})", "np.where({}, {}, {})",
           "np.square({})", "np.sum({})", "np.mean({})", "np.linalg.norm({})", "np.max({})", "np.arctan2({}, {})"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**"]


def expression(draw, depth):
    if depth == 0:
        return draw.choice(ATOMS)
    if draw.random() < 0.5:
        return f"({expression(draw, depth - 1)} {draw.choice(OPERATORS)} {expression(draw, depth - 1)})"
    form = draw.choice(SCALARS)
    return form.format(*(expression(draw, depth - 1) for _ in range(form.count("{}"))))


def with_floats(text):
    """Numbers of the language are f64, so 2 % -1 is -0.0 as 2.0 % -1.0 is; indices stay whole."""
    text = text.replace("True", "1.0").replace("False", "0.0")
    return re.sub(r"(?<![\w.\[])(\d+)(?![\w.\]])", r"\1.0", text)


class Widened:
    """NumPy whose functions take a bool as the f64 that it is in the language; np.tanh(True) would be of half precision."""

    def __getattr__(self, name):
        function = getattr(np, name)
        if not callable(function) or isinstance(function, type):
            return function
        widen = lambda v: np.asarray(v, float)[()] if np.asarray(v).dtype == bool else v  # noqa: E731
        return lambda *arguments, **named: function(*map(widen, arguments), **named)


def python_value(text, action):
    """The value that Python gives, or None where it has none or the language departs from it."""
    names = {"np": Widened(), "math": math, "a": 1.25, "b": -3.0, "x": np.array(action), "y": np.array([2.0, 0.5, -1.0])}
    try:
        with np.errstate(all="raise"):
            value = eval(text, names)  # our own text
    except Exception:  # noqa: BLE001
        return None
    if isinstance(value, complex) or np.ndim(value) != 0:
        return None
    value = float(value)
    return value if math.isfinite(value) else None


def ours(text, action):
    source = f"def compute_dense_reward(self, action):\n    a, b, x = 1.25, -3, action\n    y = np.array([2.0, 0.5, -1.0])\n    return {text}\n"
    return plaudit.reward.program_eval(source, "{}", np_tensor(action))


def np_tensor(values):
    import torch

    return torch.tensor(values, dtype=torch.float64)


def test_random_expressions_equal_python():
    draw = random.Random(3)
    compared = 0
    for _ in range(3000):
        action = [round(draw.uniform(-2, 2), 2) for _ in range(3)]
        text = expression(draw, draw.randint(1, 3))
        expected = python_value(with_floats(text), action)
        if expected is None:
            continue
        result = ours(text, action)
        assert result.status == "ok", (text, action, expected, result.kind)
        assert result.reward == pytest.approx(expected, rel=1e-9, abs=1e-12), (text, action)
        compared += 1
    assert compared > 500


def test_scalar_arithmetic_is_exact():
    draw = random.Random(5)
    for _ in range(500):
        p, q = draw.choice([draw.randint(-50, 50), draw.uniform(-50, 50)]), draw.choice([draw.randint(1, 9), draw.uniform(-9, -1)])
        for op in ("//", "%", "/", "*", "-"):
            text = f"({p!r}) {op} ({q!r})"
            assert ours(text, [0.0]).reward == float(eval(text)), text
        digits = draw.randint(-2, 6)
        assert ours(f"round({p!r}, {digits})", [0.0]).reward == float(round(p, digits))


def test_slices_equal_python():
    draw = random.Random(9)
    values = [float(i) for i in range(7)]
    for _ in range(300):
        part = lambda: draw.choice(["", str(draw.randint(-9, 9))])
        step = draw.choice(["", "1", "2", "-1", "-3"])
        text = f"sum([i * v for i, v in enumerate({{}}[{part()}:{part()}:{step}])])"
        expected = eval(text.format("values"))
        for name in ("action", "list(action)", "tuple(action)"):
            assert ours(text.format(name), values).reward == expected, text


def test_errors_come_as_results():
    result = ours("action + [1, 2]", [1.0, 2.0, 3.0])
    assert (result.status, result.kind, result.line, result.reward) == ("error", "shape", 4, None)
    with pytest.raises(ValueError, match="bindings"):
        plaudit.reward.program_eval("", "[]", np_tensor([0.0]))


def try_program(plaudit_cli, folder, body, *arguments, check):
    (folder / "reward.py").write_text("def compute_dense_reward(self, action):\n    " + body.replace("\n", "\n    ") + "\n")
    (folder / "bindings.json").write_text('{"self.goal": [0.5, 1.0], "self.check_grasp()": true}')
    out = folder / "out.json"
    result = plaudit_cli("program", folder / "reward.py", "--bindings", folder / "bindings.json", "--action", "0.1,-0.2",
                         "--json", out, *arguments, check=check)
    return json.loads(out.read_text()), result.stdout


def test_a_program_is_tried_on_32_states(plaudit_cli, tmp_path):
    body = 'r = 1.0 if self.check_grasp() else 0.0\nreturn r + self.goal[0], {"grasp": r}'
    result, shown = try_program(plaudit_cli, tmp_path, body, check=0)
    assert (result["status"], result["states"], result["reward"]["given"]) == ("ok", 33, 1.5)
    assert (result["components"]["grasp"]["low"], result["components"]["grasp"]["high"]) == (0, 1)
    assert "33 states" in shown and "grasp" in shown
    assert try_program(plaudit_cli, tmp_path, body, check=0) == (result, shown)
    assert try_program(plaudit_cli, tmp_path, body, "--states", 0, check=0)[0]["reward"]["low"] == 1.5


def test_a_dry_run_finds_what_the_given_state_hides(plaudit_cli, tmp_path):
    body = "if self.goal[0] < 0:\n    return self.goal[7]\nreturn 1"
    assert try_program(plaudit_cli, tmp_path, body, "--states", 0, check=0)[0]["status"] == "ok"
    result, shown = try_program(plaudit_cli, tmp_path, body, check=1)
    assert (result["kind"], result["line"]) == ("value", 3) and result["state"] > 0
    assert shown.startswith("ERROR value at line 3\n")


def test_the_sandbox_can_be_chosen(plaudit_cli, tmp_path):
    body = "n = 0\nwhile n < 3: n += 1\nreturn n + self.goal[0]"
    assert try_program(plaudit_cli, tmp_path, body, check=1)[0]["kind"] == "forbidden"
    process = ["--sandbox", "process", "--python", sys.executable]
    result, _ = try_program(plaudit_cli, tmp_path, body, *process, check=0)
    assert (result["states"], result["reward"]["given"]) == (33, 3.5)
    assert try_program(plaudit_cli, tmp_path, "open('/etc/passwd')", *process, check=1)[0]["kind"] == "forbidden"
    assert "interpreter" in plaudit_cli("program", "x.py", "--sandbox", "docker", check=2).stderr
