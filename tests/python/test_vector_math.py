"""MKL chooses its code for this processor before there are threads that could disagree."""

import os
import subprocess
import sys

import plaudit

# The variable makes MKL take code of another kind at its first call, if that is still to come.
SCRIPT = """
import os, sys, torch
torch.ops.load_library(sys.argv[1])
libc = __import__("ctypes").CDLL(None)
if len(sys.argv) > 2:
    libc.setenv(b"MKL_VML_DEBUG_CPU_TYPE", sys.argv[2].encode(), 1)
x = torch.arange(8192.0) * 0.37
print(x.cos().double().mul(torch.arange(8192.0).double()).sum().item().hex())
"""


def cosines(*kind: str) -> str:
    env = {name: value for name, value in os.environ.items() if name != "MKL_VML_DEBUG_CPU_TYPE"}
    run = [sys.executable, "-c", SCRIPT, str(plaudit.library_path()), *kind]
    return subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout


def test_the_choice_is_made_when_the_library_is_loaded() -> None:
    assert cosines("9") == cosines()
