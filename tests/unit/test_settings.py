"""`settings.yaml`: what an operator wrote, kept whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.errors import FileProblems
from course.state import StateFolder
from hub_config.settings import Settings, read_settings, settings_path, write_settings

pytestmark = pytest.mark.quick


def test_what_is_written_is_read(tmp_path: Path) -> None:
    settings = Settings(port=9000, cohort_title="Été 2026", language="fr")
    write_settings(StateFolder(tmp_path), settings)
    assert read_settings(StateFolder(tmp_path)) == settings
    assert [path.name for path in tmp_path.iterdir()] == ["settings.yaml"]


def test_who_reads_during_a_change_sees_the_old_settings_whole(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    write_settings(state, Settings(port=9000))
    with settings_path(state).open(encoding="utf-8") as reader:
        write_settings(state, Settings(port=9001))
        assert reader.read() == "port: 9000\n"


def test_every_wrong_line_is_named(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    settings_path(state).write_text("port: 0\ntime_zone: Mars/Base\nprot: 1\n", encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        read_settings(state)
    for key in ("port", "time_zone", "prot"):
        assert f"{key}: " in str(found.value)
