"""What a person can type or set is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub_config.cli import SUMMARIES, spoc
from hub_config.settings import Settings

pytestmark = pytest.mark.quick

PROJECT = Path(__file__).parents[2]
PAGES = sorted((PROJECT / "docs").glob("*.md"))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from commands(command, f"{path} {name}")


def test_every_command_is_documented_and_has_a_summary() -> None:
    for path, command in commands(spoc, "spoc"):
        assert path in TEXT, f"{path} stands in no page of docs/"
        assert command.get_short_help_str(), f"{path} has no summary"


def test_help_shows_every_command_in_one_line() -> None:
    shown = CliRunner().invoke(spoc, ["--help"]).output.splitlines()
    paths = [path.removeprefix("spoc ") for path, _ in commands(spoc, "spoc")]
    assert sorted(SUMMARIES) == sorted(paths)
    for path, summary in SUMMARIES.items():
        assert any(line.split() == f"{path} {summary}".split() for line in shown), path


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (PROJECT / "docs" / "operator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", [PROJECT / "README.md", PROJECT / "ARCHITECTURE.md", *PAGES], ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("room", ["course", "graders", "extensions", "hub_config"])
def test_the_architecture_names_every_file_of_a_room(room: str) -> None:
    architecture = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for path in sorted((PROJECT / room).glob("*.py")):
        assert path.stem == "__init__" or re.search(rf"\b{path.stem}\b", architecture), path.name
