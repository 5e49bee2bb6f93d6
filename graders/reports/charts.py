"""Charts of the cohort report: SVG without text of any person, so that a font or a name can break nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from textwrap import shorten
from typing import Any

import matplotlib as mpl
from babel.dates import format_date
from matplotlib.figure import Figure

from course.standing import Step

# Okabe and Ito's colours: told apart with every kind of colour vision.
BLUE, ORANGE, GREY, SKY, RED = "#0072b2", "#e69f00", "#9aa3ad", "#56b4e9", "#d55e00"
INK, GRID = "#25303b", "#d8dde3"
STEP_COLOURS: Mapping[Step, str] = {
    "graded": BLUE,
    "handed in": SKY,
    "failed": RED,
    "started": ORANGE,
    "not started": "#e4e8ec",
}
MOST_TICKS = 14
LONGEST_LABEL = 40
WIDTH_INCHES = 11.6

STYLE: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "jupyter-spoc",
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def activity(active: Mapping[date, int], learners: int, due: Iterable[date], language: str) -> bytes:
    """Draw the number of learners active on each day as bars; `due` days carry a mark below the axis."""
    days = sorted(active)
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(height=2.0)
        axes.bar(range(len(days)), [active[day] for day in days], color=BLUE, width=0.72)
        marked = [index for index, day in enumerate(days) if day in set(due)]
        for index in marked:
            axes.axvline(index + 0.5, color=RED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
        step = -(-len(days) // MOST_TICKS)
        ticks = range((len(days) - 1) % step, len(days), step)
        labels = [format_date(days[index], "d MMM", locale=language) for index in ticks]
        axes.set_xticks(list(ticks), labels)
        axes.set_xlim(-0.6, len(days) - 0.2)
        axes.set_ylim(0, max(1, learners))
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=4)
        axes.grid(axis="y", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        return _svg(figure)


def steps(modules: Sequence[str], counts: Sequence[Mapping[Step, int]], labels: Mapping[Step, str]) -> bytes:
    """Draw for each module how many learners came how far, as one stacked bar.

    Args:
        modules: Titles, in the order of the course.
        counts: For each module the learners by step.
        labels: The steps in the reader's language.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(height=0.75 + 0.42 * len(modules))
        left = [0] * len(modules)
        for step, colour in STEP_COLOURS.items():
            widths = [count.get(step, 0) for count in counts]
            if not any(widths):
                continue
            bars = axes.barh(
                range(len(modules)), widths, left=left, color=colour, height=0.68, label=labels[step]
            )
            dark = step in {"graded", "failed"}
            texts = [str(width) if width else "" for width in widths]
            axes.bar_label(bars, texts, label_type="center", color="white" if dark else INK, fontsize=9)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(modules)), [_label(title) for title in modules])
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        axes.set_xlim(0, max(1, *left))
        if any(left):
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1), ncols=5, frameon=False, fontsize=9, borderpad=0
            )
        return _svg(figure)


def shares(
    rows: Sequence[str],
    values: Sequence[Sequence[float]],
    counts: Sequence[str],
    percent: Callable[[float], str],
) -> bytes:
    """Draw for each row one dot for each learner's share and a bar at the median.

    Args:
        rows: Labels, from top to bottom.
        values: For each row the shares, between 0 and 1.
        counts: For each row what stands at its right end, how many learners it has.
        percent: How the reader's language writes a share.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(height=0.55 + 0.4 * len(rows))
        for row, own in enumerate(values):
            offsets = _spread(own)
            axes.scatter(
                own,
                [row + offset for offset in offsets],
                s=26,
                color=BLUE,
                alpha=0.55,
                linewidths=0,
                zorder=3,
            )
            if own:
                axes.plot([median(own)] * 2, [row - 0.36, row + 0.36], color=RED, linewidth=2.4, zorder=4)
            axes.annotate(
                counts[row],
                (1.0, row),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-0.03, 1.03)
        ticks = [0, 0.25, 0.5, 0.75, 1]
        axes.set_xticks(ticks, [percent(tick) for tick in ticks])
        axes.grid(axis="x", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[:].set_visible(False)
        return _svg(figure)


def active_by_day(
    times: Iterable[tuple[str, datetime]], first: date, last: date, zone: Any
) -> dict[date, int]:
    """Return how many learners were active on each day from `first` to `last`, in that time zone."""
    seen = {(learner, when.astimezone(zone).date()) for learner, when in times}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day: sum(active == day for _, active in seen) for day in days}


def _spread(values: Sequence[float]) -> list[float]:
    """Return offsets so that equal shares lie beside one another instead of upon one another."""
    counts: dict[int, int] = {}
    offsets = []
    for value in values:
        slot = round(value * 40)
        number = counts.get(slot, 0)
        counts[slot] = number + 1
        offsets.append(((number + 1) // 2) * (0.11 if number % 2 else -0.11))
    return [max(-0.34, min(0.34, offset)) for offset in offsets]


def _canvas(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.subplots()


def _label(title: str) -> str:
    return shorten(title, LONGEST_LABEL, placeholder=" …")


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
