"""What a matplotlib chart shows: title, labels, limits, and the marks with their numbers.

A chart is read by matplotlib's own methods, and what they return is compared as data. In a kernel only
matplotlib's classes are read. Where a chart lives in another process, its stand-in says so by the class
attribute `MARK_OF_REMOTE`: whatever its methods say has crossed as data by then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from course.checks.description import described
from course.checks.expectation import Approximately, Expectation, Tolerance, at
from course.checks.kinds import is_in, kind_of
from course.checks.wording import say

MARK_OF_REMOTE = "__spoc_remote__"
MAX_MARKS = 200
_NEAR = Tolerance(rel=1e-6, abs=1e-9)
_DRAWINGS = ("line", "bar", "barh", "scatter", "pie")


@dataclass(frozen=True, slots=True)
class Marks:
    """One series of a chart: a line, the bars of one call, the points of one call, or the slices of a pie."""

    kind: str
    x: list[Any]
    y: list[Any]


@dataclass(frozen=True, slots=True)
class Figure(Expectation):
    """A chart, in what is given of it: `parts` by name."""

    parts: Mapping[str, Any]
    panels: int | None
    panel: int

    def differences(self, value: Any, place: str) -> Iterator[str]:
        panels = _panels(value)
        if not panels:
            yield at(place, say("expected a chart (Axes or Figure), got {value}", value=described(value)))
            return
        least = self.panel + 1 if self.panels is None else self.panels
        if len(panels) < least or (self.panels is not None and len(panels) != self.panels):
            yield at(place, say("expected {expected} panels, got {value}", expected=least, value=len(panels)))
        if self.panel >= len(panels):
            return
        shown = _shown(panels[self.panel], self.parts)
        for name, expected in self.parts.items():
            near = expected if isinstance(expected, Expectation) else Approximately(expected, _NEAR)
            yield from near.differences(shown[name], f"{place}{_part_names()[name]}")


def figure(
    *,
    title: Any = None,
    xlabel: Any = None,
    ylabel: Any = None,
    kind: str | None = None,
    x: Any = None,
    y: Any = None,
    xlim: Any = None,
    ylim: Any = None,
    legend: Any = None,
    panels: int | None = None,
    panel: int = 0,
) -> Expectation:
    r"""Expect a matplotlib Axes or Figure that shows what is given here; the rest does not matter.

    Args:
        title: Text of the title, wherever it stands; `matches(r"\S")` for any.
        xlabel: Text at the horizontal axis.
        ylabel: Text at the vertical axis.
        kind: `line`, `bar`, `barh`, `scatter` or `pie`; a histogram has bars.
        x: The marks' horizontal positions, or names of bars, as a list; with several lines or groups of
            bars a list for each.
        y: In the same way the vertical ones; of a pie the shares.
        xlim: Limits of the horizontal axis, as a tuple.
        ylim: Limits of the vertical axis.
        legend: Texts of the legend, as a list.
        panels: How many Axes the figure has.
        panel: Which of them the rest is about, from 0.

    Raises:
        ValueError: There is no such kind, or no such panel.
    """
    if kind is not None and kind not in _DRAWINGS:
        raise ValueError(f"kind has to be one of {', '.join(_DRAWINGS)}")
    if panel < 0 or (panels is not None and panel >= panels):
        raise ValueError("panel counts from 0, and has to be one of the panels")
    given = {
        "title": title,
        "xlabel": xlabel,
        "ylabel": ylabel,
        "kind": kind,
        "x": x,
        "y": y,
        "xlim": xlim,
        "ylim": ylim,
        "legend": legend,
    }
    return Figure({name: part for name, part in given.items() if part is not None}, panels, panel)


def _panels(value: Any) -> list[Any]:
    """Return the Axes of a figure, or the one that `value` is; none for whatever is no chart."""
    line: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    if any(MARK_OF_REMOTE in type.__dict__["__dict__"].__get__(each) for each in line):
        return _remote_panels(value)
    matplotlib = sys.modules.get("matplotlib.figure")
    axes = sys.modules.get("matplotlib.axes")
    if matplotlib is None or axes is None:
        return []
    if is_in(axes.Axes, line):
        return [value]
    return list(value.axes) if is_in(matplotlib.Figure, line) else []


def _remote_panels(value: Any) -> list[Any]:
    try:
        value.get_xlim()
    except AttributeError:
        pass
    else:
        return [value]
    try:
        return list(value.axes)[:MAX_MARKS]
    except (AttributeError, TypeError):
        return []


def _shown(axes: Any, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the Axes show of `parts`, as data."""
    found: dict[str, Any] = {}
    if "title" in parts:
        titles = [axes.get_title(place) for place in ("center", "left", "right")]
        found["title"] = next((text for text in titles if kind_of(text) == "text" and text), "")
    if "xlabel" in parts:
        found["xlabel"] = axes.get_xlabel()
    if "ylabel" in parts:
        found["ylabel"] = axes.get_ylabel()
    if "xlim" in parts:
        found["xlim"] = tuple(axes.get_xlim())
    if "ylim" in parts:
        found["ylim"] = tuple(axes.get_ylim())
    if "legend" in parts:
        legend = axes.get_legend()
        found["legend"] = [] if legend is None else [text.get_text() for text in legend.get_texts()]
    if parts.keys() & {"kind", "x", "y"}:
        found |= _drawn(axes)
    return found


def _drawn(axes: Any) -> dict[str, Any]:
    marks = list(_marks(axes))
    kinds = list(dict.fromkeys(each.kind for each in marks))
    x, y = [each.x for each in marks], [each.y for each in marks]
    return {
        "kind": kinds[0] if len(kinds) == 1 else ", ".join(kinds),
        "x": x[0] if len(x) == 1 else x,
        "y": y[0] if len(y) == 1 else y,
    }


def _marks(axes: Any) -> Iterator[Marks]:
    for line in list(axes.get_lines())[:MAX_MARKS]:
        yield Marks("line", _numbers(line.get_xdata()), _numbers(line.get_ydata()))
    for bars in list(axes.containers)[:MAX_MARKS]:
        yield from _bars(axes, bars)
    for points in list(axes.collections)[:MAX_MARKS]:
        offsets = points.get_offsets().tolist()
        if len(offsets) > 0:
            yield Marks("scatter", [point[0] for point in offsets], [point[1] for point in offsets])
    slices = [patch for patch in list(axes.patches)[:MAX_MARKS] if _has(patch, "theta1")]
    if slices:
        shares = [abs(each.theta2 - each.theta1) / 360 for each in slices]
        names = [text.get_text() for text in axes.texts]
        yield Marks("pie", [name for name in names if name and not name.endswith("%")], shares)


def _bars(axes: Any, bars: Any) -> Iterator[Marks]:
    if not (_has(bars, "patches") and _has(bars, "orientation")):
        return
    patches = list(bars.patches)
    lying = bars.orientation == "horizontal"
    names = (
        _names(axes.get_yticks(), axes.get_yticklabels())
        if lying
        else _names(axes.get_xticks(), axes.get_xticklabels())
    )
    if lying:
        places = [_middle(each.get_y(), each.get_height()) for each in patches]
        lengths = [each.get_width() for each in patches]
    else:
        places = [_middle(each.get_x(), each.get_width()) for each in patches]
        lengths = [each.get_height() for each in patches]
    named: list[Any] = [names.get(round(place, 6), place) for place in places]
    yield Marks("barh", lengths, named) if lying else Marks("bar", named, lengths)


def _names(places: Any, labels: Any) -> dict[float, str]:
    """Return the names at an axis by their place; a number at an axis is no name."""
    texts = [label.get_text() for label in labels]
    pairs = zip(_numbers(places), texts, strict=False)
    return {round(float(place), 6): text for place, text in pairs if text and not _is_number(text)}


def _is_number(text: str) -> bool:
    try:
        float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    except ValueError:
        return False
    return True


def _middle(start: float, length: float) -> float:
    return float(start) + float(length) / 2


def _numbers(values: Any) -> list[Any]:
    numbers = values.tolist() if kind_of(values) in ("array", "column", "labels") else list(values)
    return numbers if isinstance(numbers, list) else [numbers]


def _has(part: Any, name: str) -> bool:
    return getattr(part, name, None) is not None


def _part_names() -> dict[str, str]:
    return {
        "title": say("title"),
        "xlabel": say("label of the horizontal axis"),
        "ylabel": say("label of the vertical axis"),
        "kind": say("kind of chart"),
        "x": say("horizontal data"),
        "y": say("vertical data"),
        "xlim": say("limits of the horizontal axis"),
        "ylim": say("limits of the vertical axis"),
        "legend": say("legend"),
    }
