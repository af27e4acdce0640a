"""The `plaudit` command of an installed package: becomes the program that lies beside the library.

A package of its own, so that the command starts without importing torch.
"""

import importlib.util
import os
import pathlib
import sys

_SITE = pathlib.Path(__file__).resolve().parent.parent


def program_path():
    """The plaudit program: the installed one, else that of the source tree, else None."""
    for candidate in (_SITE / "plaudit" / "bin" / "plaudit", _SITE.parent / "build" / "plaudit"):
        if candidate.exists():
            return candidate
    return None


def library_folders():
    """Where the wheels of torch and pyarrow keep their libraries, without importing them."""
    folders = []
    for package, folder in (("torch", "lib"), ("pyarrow", "")):
        spec = importlib.util.find_spec(package)
        if spec and spec.submodule_search_locations:
            folders.append(str(pathlib.Path(spec.submodule_search_locations[0]) / folder))
    return folders


def main():
    program = program_path()
    if program is None:
        sys.exit("plaudit: the program is not in this installation; build it with `make build` or `pip install .`")
    # The program finds both wheels beside its own package; an installation that is spread over folders needs help.
    paths = [*library_folders(), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(paths)
    os.execv(program, ["plaudit", *sys.argv[1:]])
