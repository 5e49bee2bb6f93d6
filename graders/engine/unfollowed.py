"""Settings of a course that the engine does not follow, so that its trainer hears of each."""

from __future__ import annotations

from collections.abc import Iterator

from nbgrader.preprocessors import Execute
from traitlets.config import Config

_SECTIONS = ("Execute", "ExecutePreprocessor", "NotebookClient")
_OTHERWISE = {"timeout", "enabled"}
"""Followed, and told of with the steps."""
_OF_EVERY_RUN = {"allow_errors": True, "interrupt_on_timeout": True, "raise_on_iopub_timeout": True}
"""What the engine does in any case."""
_TOLD = "{}.{} of nbgrader_config.py is not followed: the engine runs notebooks in its own way."


def unfollowed(config: Config) -> Iterator[str]:
    """Yield what is to be said about settings of `Execute` that would change how nbgrader runs a notebook."""
    for section in _SECTIONS:
        for name, value in config.get(section, {}).items():
            is_setting = name in Execute.class_trait_names(config=True) and name not in _OTHERWISE
            if is_setting and _OF_EVERY_RUN.get(name) != value:
                yield _TOLD.format(section, name)
