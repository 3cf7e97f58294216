"""Makes one file that holds the program and all that it needs but Python, and tries it on a ticket.

The file is made for this system and this version of Python. On its first run it unpacks itself into ``~/.shiv``, or
where ``SHIV_ROOT`` says, since compiled parts can't be loaded from inside an archive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
COMMAND: Final = "wfp-analyzer"
ANY_PYTHON: Final = "/usr/bin/env python3"


def make(target: Path, packages: Path | None) -> None:
    """Write the file; ``packages`` is a folder with everything installed, else it is fetched by pip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-m", "shiv", "--console-script", COMMAND, "--python", ANY_PYTHON, "--reproducible"]
    line += ["--output-file", str(target)]
    line += ["--site-packages", str(packages)] if packages else ["--compressed", str(ROOT), "--quiet"]
    subprocess.run(line, check=True, cwd=ROOT)  # noqa: S603


def attempt(file: Path, ticket: Path) -> str:
    """Run the file as somebody would who has nothing else; return what it says of its version."""
    with tempfile.TemporaryDirectory() as folder:
        kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"SHIV_ROOT": str(Path(folder, "unpacked")), "HOME": folder}

        def run(*arguments: str) -> str:
            line = [sys.executable, "-I", "-S", str(file.resolve()), *arguments]
            done = subprocess.run(line, check=True, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE)  # noqa: S603
            return done.stdout

        version = run("--version").strip()
        run("report", str(ticket.resolve()), "--quiet")
        page = Path(folder, "report.html").read_text(encoding="utf-8")
        if not page.rstrip().endswith("</html>"):
            sys.exit(f"{file.name}: the report is no complete page")
        return version


def main(arguments: Sequence[str] | None = None) -> int:
    """Make it, try it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path, help="the file to write, as dist/wfp-analyzer.pyz")
    parser.add_argument("ticket", type=Path, help="a folder to try it on")
    parser.add_argument("--from", dest="packages", type=Path, help="take what is installed in this folder")
    given = parser.parse_args(arguments)
    make(given.target, given.packages)
    version = attempt(given.target, given.ticket)
    print(f"{given.target}: {version}, {given.target.stat().st_size / 1e6:.0f} MB, the ticket analyzed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
