"""The documentation says what the program says, leaves nothing out, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from analyzer.cli import cli
from analyzer.model.words import Kind
from reports.handbook import FINDINGS, KINDS, for_analysis, pieces
from reports.html import render_html
from tests.made import analysis
from tools import docs
from tools.commandbook import commands

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_the_pages_made_from_the_program_are_current() -> None:
    assert docs.stale() == [], "run 'make docs'"


def test_every_command_and_option_is_documented() -> None:
    page, man = (docs.pages()[name] for name in ("docs/commands.md", "docs/wfp-analyzer.1"))
    book = commands()
    assert {command.name.partition(" ")[2] for command in book} == {"", *cli.commands}
    for command in book:
        assert command.short, f"{command.name} says nothing of itself"
        assert [block.title for block in command.blocks] == ["Examples", "Exit codes"]
        assert any(line.startswith(f"{command.name} ") for line in command.blocks[0].lines)
        assert f"## {command.name}\n" in page
        for group in command.options:
            for name, text in group.rows:
                assert text, f"{command.name} {name} has no help"
                assert f"| `{name}` |" in page
                assert ".B " + name.replace("-", "\\-") + "\n" in man
    known = {option for command in (cli, *cli.commands.values()) for item in command.params for option in item.opts}
    shown = {word for command in book for group in command.options for name, _ in group.rows for word in name.split()}
    named = {option for option in known if option.startswith("-")}
    assert named <= {word.rstrip(",") for word in shown}, "an option is hidden"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_man_page_is_well_formed() -> None:
    line = ["groff", "-man", "-Tutf8", "-ww", str(ROOT / "docs" / "wfp-analyzer.1")]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "--remote-port" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)


def test_every_kind_has_an_entry() -> None:
    assert set(KINDS) == set(get_args(Kind))


def finding_ids() -> set[str]:
    """The ids of findings, as the code writes them."""
    found: set[str] = set()
    for path in (ROOT / "analyzer" / "diagnose").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Finding", "_finding"):
                given = [word.value for word in node.keywords if word.arg == "id"] + node.args
                texts = [item.value for item in given if isinstance(item, ast.Constant)]
                found.update(text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", str(text)))
    return found


def test_every_finding_has_an_entry() -> None:
    found = finding_ids()
    assert {"service-sid", "rule-not-in-force", "auditing-off", "state-does-not-fit"} <= found
    marked = {"log-cleared", "audit-changed", "log-full"}  # from a table
    assert found | marked <= set(FINDINGS) | set(KINDS)


def test_entries_are_whole() -> None:
    for entry in (*KINDS.values(), *FINDINGS.values()):
        for text in (entry.title, entry.means, entry.told, *entry.check, *entry.beware):
            assert text.strip()
            assert text.count("`") % 2 == 0
            assert "".join(part for _, part in pieces(text)) == text.replace("`", "")
        assert entry.check
        assert entry.beware
        assert entry.source


def test_the_page_shows_the_entries_of_what_it_holds_and_links_to_them() -> None:
    result = analysis()
    entries = for_analysis(result)
    page = render_html(result)
    ids = [finding.id for finding in result.findings]
    assert [entry.key for entry in entries] == [*dict.fromkeys((*ids, "default-outbound"))]
    for entry in entries:
        assert page.count(f'id="about-{entry.key}"') == 1
    assert f'href="#about-{result.findings[0].id}"' in page
    assert 'id="about-stealth"' not in page


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, heads), f"{page.name}: {target}"


def test_every_page_is_in_the_table_of_contents() -> None:
    linked = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in PAGES} - {"README.md"} <= linked


def test_pictures_are_small_and_used() -> None:
    used = set()
    for page in (ROOT / "README.md", *PAGES):
        used |= {(page.parent / name).resolve() for name in LINK.findall(page.read_text(encoding="utf-8"))}
    pictures = set((ROOT / "docs").rglob("*.png"))
    assert pictures <= used
    assert all(picture.stat().st_size < 150_000 for picture in pictures)


def test_the_options_that_pages_name_exist() -> None:
    known = {option for command in (cli, *cli.commands.values()) for item in command.params for option in item.opts}
    others = {"--help", "--version", "--rm", "--network", "--read-only", "--tmpfs", "--mutants"}  # of other programs
    for page in (ROOT / "README.md", *PAGES):
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
        assert named - known - others == set(), page.name
