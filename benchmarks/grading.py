"""Grading a cohort: a pandas notebook with twelve graded cells, sandboxed, tests judged by the referee.

Peers: `nbgrader autograde` on the same submissions in the same run; for a kernel's start, the stock one. The
word "times" tells how much faster, or less, than stock. The limit is plain `exec` of the same cells with all
imported, on both cores. Phases are parts of one submission's way; two submissions are on theirs at a time.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from benchmarks.cohort import ASSIGNMENT, long_notebook, part_of, students_of, usual_notebook, write_cohort
from benchmarks.figures import Figure, Figures, run
from benchmarks.kernel_start import ready_seconds
from benchmarks.killing import right_scores_after_kills
from benchmarks.plain_exec import exec_seconds
from benchmarks.resident import resident_engine
from benchmarks.usage import Usage, used
from graders.engine.batch import Report
from graders.engine.course import Choices
from tests.equality.stock import StockProcess

STOCK_SECONDS = 1200
SPOC = str(Path(sysconfig.get_path("scripts"), "spoc"))


@dataclass(frozen=True)
class Sizes:
    """How much is done, so that a quick run takes under a minute."""

    cohort: int = 30
    large_cohort: int = 120
    long_cells: int = 100
    repeats: int = 3
    single: int = 40
    kernels: int = 20
    killed: int = 20
    of: int = 200


QUICK = Sizes(cohort=2, large_cohort=4, long_cells=40, repeats=1, single=2, kernels=1, killed=1, of=10)


def measure(quick: bool) -> Figures:
    sizes = QUICK if quick else Sizes()
    with tempfile.TemporaryDirectory(prefix="spoc-bench-") as folder:
        figures = {}
        for name, figure in _Bench(Path(folder), sizes).figures():
            # Each as it is known: the whole takes minutes.
            print(f"{name}: {figure.value:.4g} {figure.unit}", file=sys.stderr, flush=True)
            figures[name] = figure
        return figures


class _Bench:
    """One run; everything is graded in copies of the same course directories."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self.large = folder / "large"
        write_cohort(self.large, sizes.large_cohort, usual_notebook())
        self.students = students_of(self.large)
        self.usual = self._part("usual", self.students[: sizes.cohort])
        self.copies = 0

    def figures(self) -> Iterator[tuple[str, Figure]]:
        size, large = self.sizes.cohort, self.sizes.large_cohort
        warm, report = self._warm(Choices())
        stock = self._stock(self.usual)
        two = self._stock_in_two(self.usual)
        limit = exec_seconds(sorted(self.usual.glob("submitted/*/*/*.ipynb")))
        yield f"warm_{size}", Figure(warm.seconds, "s", None, stock.seconds)
        yield f"warm_{size}_faster", Figure(stock.seconds / warm.seconds, "times", ">= 25")
        yield f"warm_{size}_faster_than_two_stock_processes", Figure(two / warm.seconds, "times")
        yield f"warm_{size}_less_processor", Figure(stock.cpu_seconds / warm.cpu_seconds, "times", ">= 8")
        yield f"warm_{size}_over_plain_exec", Figure(warm.seconds / limit, "times", "<= 10")
        yield from self._cold(self.usual, size, stock, ">= 10")
        yield from self._cold(self.large, large, self._stock(self.large), ">= 16")
        yield "cost_of_referee_and_sandbox", Figure(self._cost(warm), "% of the warm batch", "<= 25")
        yield from self._scaling(warm)
        yield "one_submission_p95", Figure(self._single_p95(), "s", "<= 1")
        forked = ready_seconds("forked", self.sizes.kernels)
        started = ready_seconds("started", self.sizes.kernels)
        yield "kernel_ready_p50", Figure(median(forked) * 1000, "ms", "<= 80", median(started) * 1000)
        write_cohort(self.folder / "killed", self.sizes.of, usual_notebook())
        right = right_scores_after_kills(self.folder / "killed", self.sizes.killed)
        yield (
            f"right_of_{self.sizes.of}_with_{self.sizes.killed}_processes_killed",
            Figure(right, "submissions", f">= {self.sizes.of}"),
        )
        for phase, seconds in _phases(report).items():
            yield f"phase_{phase}", Figure(seconds * 1000 / size, "ms")

    def _warm(self, choices: Choices) -> tuple[Usage, Report]:
        """Return the quickest of some batches by an engine that is there already."""
        return self._resident(self.usual, choices)

    def _resident(self, course: Path, choices: Choices, *, watch: bool = False) -> tuple[Usage, Report]:
        runs = []
        students = students_of(course)
        with resident_engine(self._copy(course), ASSIGNMENT, choices) as engine:
            for _ in range(self.sizes.repeats):
                with used(watch_memory=watch) as usage:
                    report = engine.grade(students)
                runs.append((usage, report))
        return min(runs, key=lambda each: each[0].seconds)

    def _stock(self, course: Path) -> Usage:
        with used() as usage:
            process = StockProcess(self._copy(course), [ASSIGNMENT], self.folder)
            _check_stock(process)
        return usage

    def _stock_in_two(self, course: Path) -> float:
        """Return the seconds of stock with half of the submissions each in two processes."""
        students = students_of(course)
        self.copies += 1
        halves = [self._part(f"half-{self.copies}-{half}", students[half::2]) for half in range(2)]
        with used() as usage:
            processes = [StockProcess(half, [ASSIGNMENT], self.folder) for half in halves]
            for process in processes:
                _check_stock(process)
        return usage.seconds

    def _cold(self, course: Path, size: int, stock: Usage, target: str) -> Iterator[tuple[str, Figure]]:
        seconds = min(self._command_seconds(course) for _ in range(self.sizes.repeats))
        yield f"cold_{size}", Figure(seconds, "s", None, stock.seconds)
        yield f"cold_{size}_faster", Figure(stock.seconds / seconds, "times", target)

    def _command_seconds(self, course: Path) -> float:
        command = [SPOC, "grade", "run", ASSIGNMENT, "--course-dir", str(self._copy(course)), "--json"]
        with used() as usage:
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=STOCK_SECONDS)
        return usage.seconds

    def _cost(self, warm: Usage) -> float:
        """Return what referee and sandbox take of the warm batch, in percent."""
        bare, _ = self._warm(Choices(trust="kernel", unsafe_no_sandbox=True))
        return max(0.1, 100 * (1 - bare.seconds / warm.seconds))

    def _scaling(self, warm: Usage) -> Iterator[tuple[str, Figure]]:
        size, large = self.sizes.cohort, self.sizes.large_cohort
        usual_cells, long_cells = len(usual_notebook().cells), self.sizes.long_cells
        many, _ = self._resident(self.large, Choices())
        yield (
            f"seconds_of_{large}_over_{large // size}_times_{size}",
            Figure(many.seconds / warm.seconds * size / large, "times", "<= 1.05"),
        )
        write_cohort(self.folder / "long", size, long_notebook(long_cells))
        long, _ = self._resident(self.folder / "long", Choices())
        yield (
            f"seconds_a_cell_of_{long_cells}_over_{usual_cells}_cells",
            Figure(long.seconds / warm.seconds * usual_cells / long_cells, "times", "<= 1.05"),
        )
        watched, _ = self._resident(self.large, Choices(), watch=True)
        yield "peak_memory", Figure(watched.peak_mib, "MiB", "<= 600")

    def _single_p95(self) -> float:
        """Return the seconds from a submission in its folder to marks and feedback of it, one at a time."""
        with resident_engine(self._copy(self.usual), ASSIGNMENT, Choices()) as engine:
            seconds = []
            for number in range(self.sizes.single):
                with used() as usage:
                    engine.grade([self.students[number % self.sizes.cohort]])
                seconds.append(usage.seconds)
        return quantiles(seconds, n=20, method="inclusive")[-1]

    def _copy(self, course: Path) -> Path:
        self.copies += 1
        return part_of(course, self.folder / f"copy-{self.copies}", students_of(course))

    def _part(self, name: str, students: list[str]) -> Path:
        return part_of(self.large, self.folder / name, students)


def _check_stock(process: StockProcess) -> None:
    run = process.result(STOCK_SECONDS)
    if any(run.exit_codes.values()):
        raise RuntimeError(run.log[-2000:])


def _phases(report: Report) -> Mapping[str, float]:
    return {phase: seconds for phase, seconds in report.phases.items() if seconds > 0}


if __name__ == "__main__":
    run(measure)
