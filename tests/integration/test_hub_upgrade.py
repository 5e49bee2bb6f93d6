"""A JupyterHub that is newer than its database takes it along."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from jupyterhub import dbutil, orm

from course.state import StateFolder
from hub_config.hub_process import running_hub
from hub_config.runtime import free_port
from hub_config.settings import read_settings

pytestmark = pytest.mark.hub


def test_the_hubs_own_database_is_brought_up_to_date(demo_state: StateFolder, tmp_path: Path) -> None:
    state = StateFolder(Path(shutil.copytree(demo_state.root, tmp_path / "state")))
    state.hub_dir.mkdir(mode=0o700, exist_ok=True)
    database = state.hub_dir / "jupyterhub.sqlite"
    url = f"sqlite:///{database}"
    orm.new_session_factory(url).kw["bind"].dispose()
    newest = version(database)
    with dbutil._temp_alembic_ini(url) as configuration:
        subprocess.run(["alembic", "-c", configuration, "downgrade", "-1"], capture_output=True, check=True)
    assert version(database) != newest
    settings = read_settings(state).model_copy(update={"port": free_port()})
    with running_hub(state, settings):
        assert version(database) == newest
    assert list(state.hub_dir.glob("jupyterhub.sqlite.*")), "the hub keeps a copy"


def version(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
