"""What the program says of itself, for the scripts that write pages."""

import json
import pathlib
import subprocess
import tempfile


def ask(build, *command):
    """The JSON that `plaudit COMMAND` of a build folder writes."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        program = pathlib.Path(build) / "plaudit"
        subprocess.run([program, *command, "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.loads(pathlib.Path(file.name).read_text())
