"""Sees whether every supported Python can get the dependencies as built packages; nothing is installed.

It asks the package index. Where that can't be reached, this is said, and is no failure.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PATIENCE: Final = 120  # seconds for one answer
HERE: Final = ""  # the system that this runs on
# Python, platform tag (https://packaging.python.org/specifications/platform-compatibility-tags).
WANTED: Final[tuple[tuple[str, str], ...]] = (
    ("3.11", HERE),
    ("3.12", HERE),
    ("3.13", HERE),
    ("3.14", HERE),
    ("3.13", "macosx_14_0_arm64"),
    ("3.13", "win_amd64"),
)
# Depends on hexdump, which is pure Python and published as source alone: pip looks at it without what it depends on.
ALONE: Final = frozenset({"python-evtx"})


class UnreachableError(Exception):
    """Nobody answers."""


def dependencies() -> list[str]:
    """Return what the project needs, as its metadata say."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["project"]["dependencies"])


def supported() -> list[str]:
    """Return the versions of Python that the project's metadata name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = (re.fullmatch(r".*:: (3\.\d+)", item) for item in project["project"]["classifiers"])
    return [match[1] for match in found if match]


def resolve(python: str, platform: str, requirements: list[str], *, alone: bool = False) -> dict[str, str]:
    """Return name and version of all that would be installed.

    Raises
    ------
    LookupError
        There is no set of built packages.
    UnreachableError
        The index does not answer in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        line += ["--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15"]
        line += ["--only-binary=:all:", "--python-version", python, "--target", folder, "--report", f"{folder}/report"]
        line += [*(["--platform", platform] if platform else []), *(["--no-deps"] if alone else []), *requirements]
        try:
            done = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise UnreachableError from error
        if done.returncode:
            said = [text for text in done.stderr.splitlines() if text.startswith("ERROR")]
            raise LookupError(said[-1] if said else f"pip ended with {done.returncode}")
        report = json.loads(Path(folder, "report").read_text(encoding="utf-8"))
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in report["install"]}


def answer(python: str, platform: str) -> tuple[bool | None, str]:
    """Return whether it works (None: nobody answers), and a line that says so."""
    needed = dependencies()
    where = f"Python {python}{f' on {platform}' if platform else ''}"
    single = [item for item in needed if re.split(r"[^\w.-]", item)[0] in ALONE]
    try:
        found = resolve(python, platform, [item for item in needed if item not in single])
        found |= resolve(python, platform, single, alone=True)
    except UnreachableError:
        return None, f"{where}: no answer within {PATIENCE} seconds"
    except LookupError as error:
        return False, f"{where}: {error}"
    return True, f"{where}: {len(found)} packages, " + ", ".join(f"{k} {v}" for k, v in sorted(found.items()))


def reachable() -> bool:
    """Tell whether the index knows a package that has been there for long, for the Python that runs."""
    try:
        resolve(f"{sys.version_info.major}.{sys.version_info.minor}", HERE, ["click"], alone=True)
    except (LookupError, UnreachableError):
        return False
    return True


def main() -> int:
    """Ask for all; 1 where one has no answer."""
    if not reachable():
        print("the package index can't be reached: the supported versions of Python are not checked")
        return 0
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda wanted: answer(*wanted), WANTED))
    for _, text in answers:
        print(text)
    return 1 if any(works is False for works, _ in answers) else 0


if __name__ == "__main__":
    sys.exit(main())
