"""Checks what a user gets: the project installed alone into an empty environment, without any development dependency.

Every module is imported there, the command shows its help, and the ticket given as argument is analyzed. It runs
outside the project's folder, so that nothing is found there by accident.
"""

# ruff: noqa: INP001, S603, T201 - a program of its own, run by make with fixed commands

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSIDE = """
import importlib, json, pkgutil
from importlib import metadata, resources
import analyzer, reports
modules = [info.name for package in (analyzer, reports)
           for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
           if not info.name.endswith("__main__")]
for name in modules:
    importlib.import_module(name)
schemas = [item.name for item in resources.files("reports").joinpath("schemas").iterdir()]
print(json.dumps({
    "modules": modules,
    "schemas": [name for name in schemas if name.endswith(".schema.json")],
    "installed": [item.metadata["Name"] for item in metadata.distributions()],
}))
"""


def name_of(requirement: str) -> str:
    """Return the name in a requirement, in the one spelling in which names are compared."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]).lower()


def main(ticket: Path) -> None:
    """Install, import, run; end with a message when something is not as it should be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    development = {name_of(item) for item in project["dependency-groups"]["dev"]}
    with tempfile.TemporaryDirectory(prefix="plain-install-") as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        binaries = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")

        def run(*command: str) -> str:
            line = [binaries / command[0], *command[1:]]
            done = subprocess.run(line, check=False, cwd=folder, text=True, stdout=subprocess.PIPE)
            if done.returncode != 0:
                sys.exit(f"plain install: {' '.join(command[:3])} ended with exit code {done.returncode}")
            return done.stdout

        run("python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", str(ROOT))
        found = json.loads(run("python", "-I", "-c", INSIDE))
        leaked = sorted(development & {name_of(item) for item in found["installed"]})
        if leaked:
            sys.exit(f"plain install: it brings development dependencies: {', '.join(leaked)}")
        if len(found["schemas"]) < 3:
            sys.exit("plain install: the JSON Schemas are missing in it")
        run("wfp-analyzer", "--help")
        run("wfp-analyzer", "report", str(ticket.resolve()), "-o", "report.html", "--json", "report.json")
        page = (folder / "report.html").read_text(encoding="utf-8")
        if not page.rstrip().endswith("</html>"):
            sys.exit("plain install: the report is no complete page")
        print(f"plain install: {len(found['modules'])} modules imported, the ticket analyzed, nothing leaked")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
