"""JupyterHub's configuration file; `spoc serve` names the state folder in the environment."""

import os
from pathlib import Path

from course.state import StateFolder
from hub_config.settings import read_settings
from hub_config.wiring import configure

state = StateFolder(Path(os.environ["SPOC_STATE_DIR"]))
configure(get_config(), read_settings(state), state)  # type: ignore[name-defined]  # noqa: F821
