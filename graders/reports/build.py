"""Runs a report's notebook and makes one self-contained HTML file of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jupytext
import papermill
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from course.errors import CourseError
from graders.reports.cohort import Cohort, CohortRequest, read_cohort
from graders.reports.rendering import STYLE_SHEET, TEMPLATES

REPORTS = Path(__file__).parent
RUN_SECONDS = 120


def write_cohort_report(request: CohortRequest, output: Path) -> Cohort:
    """Write the cohort report to `output`; a reader sees the old file or the new one, nothing between.

    Returns:
        What the report shows.

    Raises:
        CourseError: The state folder holds no course, or the notebook failed.
        FileProblems: A file of the course cannot be used.
    """
    # Read here too: a mistake in a course file is told as such, not as a traceback out of a kernel.
    cohort = read_cohort(request)
    html = _html(_run(REPORTS / "cohort.md", request), cohort.title, request.language)
    output.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _replacing(output) as file:
        file.write_text(html, encoding="utf-8")
    return cohort


def _run(source: Path, request: CohortRequest) -> NotebookNode:
    with tempfile.TemporaryDirectory(prefix="spoc-report-") as folder:
        notebook = Path(folder) / "report.ipynb"
        jupytext.write(jupytext.read(source), notebook)
        # Sockets in a folder of our own: over TCP, any process of this machine could listen in.
        config = Config({"KernelManager": {"transport": "ipc", "ip": str(Path(folder) / "kernel")}})
        # nbclient interrupts the kernel before it ends it, which the kernel would report as an error.
        config.NotebookClient.extra_arguments = ["--log-level=CRITICAL"]
        try:
            return papermill.execute_notebook(
                str(notebook),
                None,
                {"request": request.model_dump(mode="json")},
                kernel_name=NATIVE_KERNEL_NAME,
                progress_bar=False,
                execution_timeout=RUN_SECONDS,
                cwd=folder,
                config=config,
            )
        except (PapermillExecutionError, DeadKernelError) as error:
            raise CourseError(
                f"The report's notebook failed: {error}", "Run it by hand in JupyterLab to see where."
            ) from error


def _html(notebook: NotebookNode, title: str, language: str) -> str:
    report = {
        "title": title,
        "language": language,
        "style": STYLE_SHEET.read_text(encoding="utf-8"),
    }
    exporter = HTMLExporter(template_name="page", extra_template_basedirs=[str(TEMPLATES)])
    html, _ = exporter.from_notebook_node(notebook, {"report": report})
    return html


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file beside `path` that takes its place when the block is left without an error."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
