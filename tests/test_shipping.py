"""What is shipped: supported versions of Python, the container, the continuous integration that tries the rest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from tools import pythons

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_every_supported_python_is_looked_at() -> None:
    here = [python for python, platform in pythons.WANTED if platform == pythons.HERE]
    assert here == pythons.supported() == ["3.11", "3.12", "3.13", "3.14"]
    assert any("macosx" in platform for _, platform in pythons.WANTED)


def test_an_index_that_does_not_answer_is_said_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(*_: object, **__: object) -> dict[str, str]:
        raise LookupError("ERROR: Could not find a version")

    monkeypatch.setattr(pythons, "resolve", silent)
    assert pythons.main() == 0
    assert "can't be reached" in capsys.readouterr().out


def test_a_python_without_packages_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found(python: str, _platform: str, requirements: list[str], **_: object) -> dict[str, str]:
        if python == "3.14" and any(item.startswith("pandas") for item in requirements):
            raise LookupError("ERROR: no pandas")
        return {"click": "8.2"}

    monkeypatch.setattr(pythons, "resolve", found)
    assert pythons.main() == 1
    out = capsys.readouterr().out
    assert "Python 3.14: ERROR: no pandas" in out
    assert "Python 3.13 on macosx_14_0_arm64: 1 packages" in out


def test_an_answer_that_does_not_come_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow(_python: str, platform: str, requirements: list[str], **_: object) -> dict[str, str]:
        if platform:
            raise pythons.UnreachableError
        return {"click": "8.2"}

    monkeypatch.setattr(pythons, "resolve", slow)
    assert pythons.main() == 0
    assert "no answer within" in capsys.readouterr().out


def steps() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", "", (ROOT / "Containerfile").read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_container_runs_the_command_without_rights() -> None:
    images = [rest.split()[0] for word, rest in steps() if word == "FROM"]
    assert all(
        re.fullmatch(r"python:3\.\d+-slim", image) for image in images
    )  # the official one, from wherever it comes
    last = steps()[len(steps()) - [word for word, _ in reversed(steps())].index("FROM") - 1 :]
    user = next(rest for word, rest in last if word == "USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert ("ENTRYPOINT", '["/opt/wfp-analyzer/bin/wfp-analyzer"]') in last
    assert not [word for word, _ in last if word in ("ADD", "VOLUME", "EXPOSE", "RUN")]


def test_the_container_gets_all_that_the_wheel_is_made_of() -> None:
    copied = {name for word, rest in steps() if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["shared-data"], "pyproject.toml", project["project"]["readme"], "LICENSE"}
    assert needed <= copied
    allowed = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in allowed


def test_what_is_shipped_is_tried() -> None:
    install = (ROOT / ".ci" / "plain_install.py").read_text(encoding="utf-8")
    assert "tools.singlefile" in install
    assert "make pythons" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "lint types walls plain demo tests" in (ROOT / "Makefile").read_text(encoding="utf-8")
