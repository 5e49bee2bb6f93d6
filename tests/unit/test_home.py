"""What the course releases reaches a home; what its owner made of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.home import fill_home

pytestmark = pytest.mark.quick


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    (folder / "tables" / "data").mkdir(parents=True)
    (folder / "welcome.ipynb").write_text("welcome")
    (folder / "tables" / "lesson.ipynb").write_text("lesson")
    (folder / "tables" / "data" / "orders.csv").write_text("id\n1\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_an_empty_home_gets_all_that_is_released(release: Path, home: Path) -> None:
    copied = fill_home(release, home)
    assert [str(path) for path in copied] == [
        "tables/data/orders.csv",
        "tables/lesson.ipynb",
        "welcome.ipynb",
    ]
    assert (home / "tables" / "lesson.ipynb").read_text() == "lesson"
    assert [path for path in home.rglob("*") if path.name.startswith(".")] == []


def test_a_learners_file_is_never_overwritten(release: Path, home: Path) -> None:
    fill_home(release, home)
    (home / "tables" / "lesson.ipynb").write_text("my work")
    (release / "tables" / "lesson.ipynb").write_text("second edition")
    assert fill_home(release, home) == ()
    assert (home / "tables" / "lesson.ipynb").read_text() == "my work"


def test_a_new_or_deleted_file_comes_at_the_next_start(release: Path, home: Path) -> None:
    fill_home(release, home)
    (home / "welcome.ipynb").unlink()
    (release / "charts").mkdir()
    (release / "charts" / "lesson.ipynb").write_text("charts")
    assert {str(path) for path in fill_home(release, home)} == {"welcome.ipynb", "charts/lesson.ipynb"}


def test_a_release_in_the_making_is_not_copied(release: Path, home: Path) -> None:
    (release / ".tables-x1").mkdir()
    (release / ".tables-x1" / "lesson.ipynb").write_text("half")
    fill_home(release, home)
    assert not (home / ".tables-x1").exists()


def test_a_file_of_the_learner_where_a_folder_belongs_stays(release: Path, home: Path) -> None:
    (home / "tables").write_text("mine")
    assert [str(path) for path in fill_home(release, home)] == ["welcome.ipynb"]
    assert (home / "tables").read_text() == "mine"


def test_a_dangling_link_of_the_learner_stays(release: Path, home: Path) -> None:
    (home / "welcome.ipynb").symlink_to("nowhere")
    fill_home(release, home)
    assert (home / "welcome.ipynb").is_symlink()
