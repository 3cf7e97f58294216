"""Checks what a user gets: wheel and sdist, each installed alone into an empty environment, and the single file.

No development dependency comes along, every module is imported, the command shows its help, and the ticket given as
argument is analyzed. All runs outside the project's folder, so that nothing is found there by accident.
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


class Environment:
    """An empty virtual environment in a folder."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.folder = folder
        self.binaries = folder / ("Scripts" if sys.platform == "win32" else "bin")

    def run(self, *command: str) -> str:
        """Run a command of the environment, outside the project; end with a message when it fails."""
        line = [self.binaries / command[0], *command[1:]]
        done = subprocess.run(line, check=False, cwd=self.folder, text=True, stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"plain install: {' '.join(command[:4])} ended with exit code {done.returncode}")
        return done.stdout

    def pip(self, *arguments: str) -> None:
        """Run pip in the environment."""
        self.run("python", "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet")

    def packages(self) -> Path:
        """Return the folder of what is installed."""
        return Path(self.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())


def build(folder: Path) -> tuple[Path, Path]:
    """Return the wheel and the sdist, made as for a release."""
    line = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder / "dist")]
    if subprocess.run(line, check=False, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
        sys.exit("plain install: wheel and sdist can't be built")
    return next((folder / "dist").glob("*.whl")), next((folder / "dist").glob("*.tar.gz"))


def check(user: Environment, what: str, ticket: Path, development: set[str]) -> list[str]:
    """Look at what is installed; return the modules."""
    found = json.loads(user.run("python", "-I", "-c", INSIDE))
    leaked = sorted(development & {name_of(item) for item in found["installed"]})
    if leaked:
        sys.exit(f"{what}: it brings development dependencies: {', '.join(leaked)}")
    if len(found["schemas"]) < 3:
        sys.exit(f"{what}: the JSON Schemas are missing in it")
    if not (user.folder / "share" / "man" / "man1" / "wfp-analyzer.1").is_file():
        sys.exit(f"{what}: the man page is missing in it")
    user.run("wfp-analyzer", "--help")
    user.run("wfp-analyzer", "report", str(ticket), "-o", "report.html", "--json", "report.json", "--force")
    page = (user.folder / "report.html").read_text(encoding="utf-8")
    if not page.rstrip().endswith("</html>"):
        sys.exit(f"{what}: the report is no complete page")
    return list(found["modules"])


def main(ticket: Path) -> None:
    """Build, install, import, run; end with a message when something is not as it should be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    development = {name_of(item) for item in project["dependency-groups"]["dev"]}
    with tempfile.TemporaryDirectory(prefix="plain-install-") as name:
        wheel, sdist = build(Path(name))
        user = Environment(Path(name) / "user")
        user.pip("install", str(wheel))
        modules = check(user, wheel.name, ticket, development)
        user.pip("uninstall", "--yes", "wfp-analyzer")
        user.pip("install", "--no-deps", str(sdist))
        if check(user, sdist.name, ticket, development) != modules:
            sys.exit(f"{sdist.name}: it installs other modules than the wheel")
        print(f"plain install: {len(modules)} modules from wheel and sdist, the ticket analyzed, nothing leaked")
        packages = user.packages()
        user.pip("uninstall", "--yes", "pip")  # it has done its work, and need not go into the single file
        line = [sys.executable, "-m", "tools.singlefile", f"{name}/wfp-analyzer.pyz", str(ticket), "--from", packages]
        sys.exit(subprocess.run(line, check=False, cwd=ROOT).returncode)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
