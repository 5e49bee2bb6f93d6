"""A test's process in the place of a member's server: home, configuration, the course service."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from course.manifest import read_course
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.handing_in import Deployment
from tests.minimal_hub import PREFIX, MinimalHub


def become(
    name: str, folder: Path, hub: MinimalHub, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Enter the home of `name` below `folder`, at first empty: this process looks like their server now."""
    home = folder / name
    home.mkdir(exist_ok=True)
    config = folder / f"{name}-config"
    config.mkdir(exist_ok=True)
    (config / "nbgrader_config.py").write_text(
        "from extensions.exchange import configure\nc = get_config()\nconfigure(c)\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("JUPYTERHUB_USER", name)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(config))
    monkeypatch.setenv("SPOC_SERVICE_URL", f"http+unix://{quote(str(hub.socket), safe='')}{PREFIX}")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", hub.token(name))
    monkeypatch.setenv("SPOC_RELEASE_DIR", str(deployment.state.released_dir))
    monkeypatch.setenv("SPOC_COURSE", read_course(SAMPLE_MODULES_DIR).id)
    monkeypatch.setenv("SPOC_TIME_ZONE", "Europe/Paris")
    monkeypatch.chdir(home)
    return home
