"""Finds libplaudit.so and loads it into torch."""

import functools
import os
import pathlib

_PACKAGE = pathlib.Path(__file__).resolve().parent


def library_path():
    """The libplaudit.so in use: $PLAUDIT_LIBRARY, else the installed one, else that of the source tree."""
    named = os.environ.get("PLAUDIT_LIBRARY")
    if named:
        if not os.path.exists(named):
            raise ImportError(f"PLAUDIT_LIBRARY names {named}, which does not exist")
        return pathlib.Path(named)
    candidates = [_PACKAGE / "lib" / "libplaudit.so", _PACKAGE.parent.parent / "build" / "libplaudit.so"]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise ImportError(f"libplaudit.so is neither {' nor '.join(map(str, candidates))}. Build it with `make build`, "
                      "install with `pip install .`, or set PLAUDIT_LIBRARY to its path")


@functools.cache
def load():
    """Loads the library into torch once; returns torch.ops.plaudit."""
    import torch

    path = library_path()
    try:
        _load_into_torch(path)
    except OSError as error:
        raise ImportError(f"{path} cannot be loaded into torch {torch.__version__}: {error}. It must be built for the "
                          "torch that is installed; `make build` or `pip install .` builds it again") from error
    return torch.ops.plaudit


def _load_into_torch(path):
    import torch

    try:
        torch.ops.load_library(str(path))
    except OSError:
        # Arrow's and MuJoCo's libraries lie beside the package, unless the installation is spread over folders: then
        # their own packages know.
        import mujoco  # noqa: F401
        import pyarrow  # noqa: F401

        torch.ops.load_library(str(path))
