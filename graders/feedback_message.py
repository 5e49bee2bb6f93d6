"""Why a test gave less than its points, in words for the learner.

All of it comes from a run without hidden tests, or says no more than how a run ended: no hidden test, and no
traceback through one, can be in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbformat import NotebookNode

from course.checks.checking import FAILED, INDENT
from graders.execution.results import TestResult
from graders.execution.status import KERNEL_DIED, NO_RESULT, NOT_RUN, OUT_OF_TIME

MAX_MESSAGE_LENGTH = 600
_METADATA = "spoc_result"
_MAX_TEXT_LENGTH = 20_000
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FAILING_LINE = re.compile(r"^-+> *\d+ (.+)$", re.MULTILINE)

Translate = Callable[[str], str]


def note_results(seen: NotebookNode, results: Mapping[str, TestResult]) -> None:
    """Write into a learner's notebook, in place, how each of its tests ended that did not pass.

    It stays with the notebook, from which feedback is written again when marks are released.
    """
    for cell in seen.cells:
        cell.metadata.pop(_METADATA, None)
        result = results.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if result is not None and result.status != "ok":
            cell.metadata[_METADATA] = {"status": result.status, "message": result.message}


def why_tests_failed(cell: NotebookNode, translate: Translate) -> str:
    """Return what to tell of a test that did not give all its points: the first that is known of these.

    The error that it stopped with; what its checks printed; a warning, which counts as a failure; how the
    full test ended; that more was checked than can be seen.
    """
    outputs = cell.get("outputs", ())
    errors = [output for output in outputs if output.output_type == "error"]
    if errors:
        # A cell that was stopped has the interrupt as an error too.
        stopped = (error for error in errors if error.ename in (OUT_OF_TIME, KERNEL_DIED))
        return _error_message(next(stopped, errors[0]), translate)
    checks = "\n".join(_failed_checks(outputs))
    if checks:
        return _plain(checks)
    if any(output.output_type == "stream" and output.name == "stderr" for output in outputs):
        return translate("Your code printed a warning or an error message; here that counts as a failure.")
    return _ending(cell, translate) or translate(
        "The checks you can see pass, further checks do not. Think of cases the examples do not show."
    )


def _failed_checks(outputs: Any) -> Iterator[str]:
    """Yield the lines that failed checks printed."""
    for output in outputs:
        if output.output_type != "stream" or output.name != "stdout":
            continue
        in_check = False
        for line in str(output.text)[:_MAX_TEXT_LENGTH].split("\n"):
            in_check = line.startswith(f"{FAILED} ") or (in_check and line.startswith(INDENT))
            if in_check:
                yield line


def _ending(cell: NotebookNode, translate: Translate) -> str:
    noted = cell.metadata.get(_METADATA)
    if not isinstance(noted, dict):
        return ""
    known = {"time": OUT_OF_TIME, "memory": KERNEL_DIED, "signal": KERNEL_DIED}
    name = known.get(str(noted.get("status")))
    return _stops(translate)[name] if name else _plain(translate(str(noted.get("message", ""))))


def _stops(translate: Translate) -> dict[str, str]:
    return {
        OUT_OF_TIME: translate("Your code ran too long and was stopped."),
        KERNEL_DIED: translate("The kernel stopped working while this ran: too much memory, or an exit."),
        NOT_RUN: translate(
            "Not run: a cell before it stopped the notebook. Your notebook with feedback shows which."
        ),
        NO_RESULT: translate("The result of the cell is not a number of points."),
    }


def _error_message(error: Mapping[str, Any], translate: Translate) -> str:
    name, text = _plain(error["ename"]), _plain(error["evalue"])
    known = {**_stops(translate), "NotImplementedError": translate("You have not written this yet.")}
    if name in known:
        return known[name]
    if name == "AssertionError" and text:
        return text
    traceback = "\n".join(map(str, error.get("traceback", ())))[:_MAX_TEXT_LENGTH]
    line = _FAILING_LINE.search(_ANSI.sub("", traceback))
    what = f"{name}: {text}" if text else name
    return _plain(f"{what}\n{line.group(1).strip()}" if line and name == "AssertionError" else what)


def _plain(text: object) -> str:
    """Return text of a kernel without colours and control characters, and not without end."""
    plain = _ANSI.sub("", str(text)[:_MAX_TEXT_LENGTH])
    kept = "".join(character for character in plain if character.isprintable() or character == "\n").strip()
    return kept if len(kept) <= MAX_MESSAGE_LENGTH else f"{kept[: MAX_MESSAGE_LENGTH - 1]}…"
