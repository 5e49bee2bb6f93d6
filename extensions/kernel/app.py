"""ipykernel with the course in it, guarded against a learner's files of the same names as ours."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import ExecutionInfo
from traitlets import Type

from course.errors import CourseError
from extensions.client import CourseClient
from extensions.kernel.offer import Spoc


class CourseShell(ZMQInteractiveShell):
    """Offers `spoc`, also after `%reset`, and shows a `CourseError` as its text."""

    def __init__(self, **kwargs: Any) -> None:
        self.spoc = Spoc(CourseClient.from_environment(), os.environ.get("SPOC_LANGUAGE", "en"))
        super().__init__(**kwargs)
        self.set_custom_exc((CourseError,), show_text)
        self.run_cells: dict[str, str] = {}
        """The source of each notebook cell as it was run last, by cell id; the newest is the last one."""
        self.events.register("pre_run_cell", self._remember)

    def _remember(self, info: ExecutionInfo) -> None:
        if info.cell_id:
            self.run_cells.pop(info.cell_id, None)
            self.run_cells[info.cell_id] = str(info.raw_cell)

    def init_user_ns(self) -> None:
        super().init_user_ns()
        self.user_ns["spoc"] = self.spoc
        self.user_ns_hidden["spoc"] = self.spoc


class CourseKernel(IPythonKernel):
    """The kernel of every notebook of the course."""

    shell_class = Type(CourseShell)


class CourseKernelApp(IPKernelApp):
    """Starts the course kernel; a learner's own modules can be imported, but stand behind everything else."""

    def init_path(self) -> None:
        # Appended, never first: a learner's json.py or course.py must not take the place of the real one.
        sys.path.append(os.getcwd())


def show_text(
    shell: Any,
    kind: type[CourseError],
    error: CourseError,
    _traceback: TracebackType,
    tb_offset: int | None = None,
) -> list[str]:
    """Show a `CourseError` as its text, in a shell that has `spoc`; IPython calls this."""
    lines = shell.spoc.wording(error)
    shell._showtraceback(kind, error, lines)  # noqa: SLF001 -- IPython's own way to publish an error
    return lines
