"""nbgrader's preprocessors of a course: which the engine replaces, and which it calls where they stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets import import_item
from traitlets.config import Config

Step = type[Preprocessor]

_REPAIR = (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)
_ENGINE = (*_REPAIR, Execute, SaveAutoGrades, AssignLatePenalties)
_KEPT = (OverwriteCells, Execute, SaveAutoGrades)
_OF_EVERYBODY = (IgnorePattern, LimitOutput)
"""What these take out is for nobody's eyes, so they work on what the learner sees too."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a course that are called around the engine's own, in the course's order."""

    before_repair: tuple[Step, ...] = ()
    after_repair: tuple[Step, ...] = ()
    before_run: tuple[Step, ...] = ()
    after_run: tuple[Step, ...] = ()
    """On the notebook that was run, before its scores are read."""
    after_scores: tuple[Step, ...] = ()
    late: type[AssignLatePenalties] | None = AssignLatePenalties
    """Has the late policy of the course; None if the course has none."""
    replaced: tuple[str, ...] = ()
    """Steps of the course's own that the engine does in their place, by name."""
    switched_off: tuple[str, ...] = ()
    """Steps of nbgrader's that the configuration switches off, and the engine does nevertheless, by name."""
    own_rules: bool = False
    """Whether `graders.preprocessors.configure` was asked for: quiz points count, a settled mark stays
    settled, and the trainer's notebook holds nothing that acts."""

    @property
    def on_seen(self) -> tuple[Step, ...]:
        """Those that work on what the learner sees as well."""
        return tuple(
            step for step in (*self.after_run, *self.after_scores) if issubclass(step, _OF_EVERYBODY)
        )


def read_steps(config: Config) -> Steps:
    """Return the steps that the configuration of a course asks for."""
    converter = Autograde(config=config)
    sanitize = classes(converter.sanitize_preprocessors)
    grade = classes(converter.autograde_preprocessors)
    overwrite = _place(sanitize, OverwriteCells)

    def is_on(step: Step) -> bool:
        return bool(step(config=config).enabled)

    run, save = _place(grade, Execute), _place(grade, SaveAutoGrades)
    return Steps(
        before_repair=_others(sanitize[:overwrite]),
        after_repair=_others(sanitize[overwrite:]),
        before_run=_others(grade[:run]),
        after_run=_others(grade[run:save]),
        after_scores=_others(grade[max(run, save) :]),
        late=next((step for step in grade if issubclass(step, AssignLatePenalties) and is_on(step)), None),
        replaced=tuple(step.__name__ for step in (*sanitize, *grade) if _is_replaced(step) and _is_own(step)),
        switched_off=tuple(
            step.__name__ for step in _KEPT if step in (*sanitize, *grade) and not is_on(step)
        ),
        own_rules=any(getattr(step, "is_done_by_engine", False) for step in grade),
    )


class StepFailed(Exception):
    """A step of the course's own raised something: that is the course's fault, not the learner's."""


def call(
    steps: Sequence[Step], config: Config, notebook: NotebookNode, resources: dict[str, Any]
) -> NotebookNode:
    """Return the notebook after these steps, each made anew as nbgrader makes it for each notebook.

    Raises:
        StepFailed: One raised something.
    """
    for step in steps:
        try:
            notebook, _ = step(config=config)(notebook, resources)
        except Exception as error:
            raise StepFailed(f"{step.__name__} failed: {type(error).__name__}: {error}") from error
    return notebook


def classes(named: Sequence[Any]) -> list[Step]:
    """Return the classes of steps, some of which may be named."""
    return [import_item(step) if isinstance(step, str) else step for step in named]


def _place(steps: Sequence[Step], kind: Step) -> int:
    """Return where a step stands; at the end if the course leaves it out, since the engine does not."""
    return next((place for place, step in enumerate(steps) if issubclass(step, kind)), len(steps))


def _is_replaced(step: Step) -> bool:
    return issubclass(step, _ENGINE) or getattr(step, "is_done_by_engine", False)


def _is_own(step: Step) -> bool:
    return step.__module__.partition(".")[0] not in ("nbgrader", "graders")


def _others(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(step for step in steps if not _is_replaced(step))
