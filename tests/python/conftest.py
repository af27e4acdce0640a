"""Shared fixtures: the program under test and the files that others wrote."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
if "PLAUDIT_BUILD" in os.environ:  # the package loads the library under test
    os.environ.setdefault("PLAUDIT_LIBRARY", os.path.join(os.environ["PLAUDIT_BUILD"], "libplaudit.so"))


@pytest.fixture(scope="session")
def build_folder():
    return pathlib.Path(os.environ.get("PLAUDIT_BUILD", ROOT / "build"))


@pytest.fixture(scope="session")
def plaudit_cli(build_folder):
    """Runs the program: plaudit_cli("call", "area.name", stdin="{}") -> CompletedProcess with text output."""
    program = build_folder / "plaudit"
    assert program.exists(), f"{program} is not built: run `make build`"

    def run(*arguments, stdin="", check=None, cwd=ROOT, env=None, timeout=600):
        result = subprocess.run(
            [str(program), *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=timeout,
        )
        if check is not None:
            assert result.returncode == check, f"exit {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    return run


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data beside the project; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture
def call(plaudit_cli):
    """call("area.name", x=1) -> the results of a function as a dictionary."""

    def run(function, **arguments):
        return json.loads(plaudit_cli("call", function, stdin=json.dumps(arguments), check=0).stdout)

    return run
