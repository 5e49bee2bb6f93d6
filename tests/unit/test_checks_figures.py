"""A chart is checked by what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course.checks import figure, matches
from tests.unit.test_checks import said

pytestmark = pytest.mark.quick


@pytest.fixture
def axes() -> Axes:
    drawn = Figure()
    FigureCanvasAgg(drawn)
    return drawn.subplots()


def test_bars_are_read_with_their_names_and_the_axis(axes: Axes) -> None:
    axes.barh(["Cleo", "Ben"], [6, 9])
    axes.set_title("Ben sold most", loc="left")
    axes.set_xlabel("machines")
    axes.set_xlim(0, 10)
    right: dict[str, Any] = {
        "title": "Ben sold most",
        "xlabel": matches("machine"),
        "kind": "barh",
        "xlim": (0, 10),
    }
    assert said(axes, figure(**right, x=[6, 9], y=["Cleo", "Ben"])) == []
    assert said(axes.figure, figure(**right, panels=1)) == []
    assert said(axes, figure(title="x", y=["Cleo", "Ada"], xlim=(1, 10), ylabel=matches(r"\S"))) == [
        "title: expected 'x', got 'Ben sold most'",
        "label of the vertical axis: '' does not contain what it should",
        "vertical data[1]: expected 'Ada', got 'Ben'",
        "limits of the horizontal axis[0]: expected 1, got 0.0",
    ]


def test_lines_points_and_slices_are_read_with_their_numbers(axes: Axes) -> None:
    axes.plot([1, 2], [3, 4], label="north")
    axes.plot([1, 2], [5, 6], label="south")
    axes.legend()
    assert said(axes, figure(kind="line", y=[[3, 4], [5, 6]], legend=["north", "south"])) == []
    axes.clear()
    axes.scatter([1, 2], [3, 4])
    assert said(axes, figure(kind="scatter", x=[1, 2], y=[3, 4])) == []
    axes.clear()
    axes.pie([1, 3], labels=["a", "b"])
    assert said(axes, figure(kind="pie", x=["a", "b"], y=[0.25, 0.75])) == []
    axes.clear()
    axes.bar([0, 1], [2, 3])
    assert said(axes, figure(kind="line")) == ["kind of chart: expected 'line', got 'bar'"]


def test_a_figure_has_panels() -> None:
    two = Figure()
    two.subplots(1, 2)[1].set_title("second")
    assert said(two, figure(panels=2, panel=1, title="second")) == []
    assert said(two, figure(panels=3, panel=2, title="third")) == ["Expected 3 panels, got 2"]
    assert said(two, figure(panel=5, title="sixth")) == ["Expected 6 panels, got 2"]
    with pytest.raises(ValueError, match="panel"):
        figure(panels=2, panel=2)


class Poser:
    """Says what every check wants to hear."""

    __class__ = Axes  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return lambda *args: "x"


@pytest.mark.parametrize("value", [None, 3, Poser(), Axes])
def test_what_is_no_chart_shows_nothing(value: object) -> None:
    assert said(value, figure(title="x"))[0].startswith("Expected a chart (Axes or Figure), got")


class Remote:
    """Stands for a chart in another process, as the referee's handles do."""

    __spoc_remote__ = True

    def __init__(self, axes: Axes) -> None:
        self._axes = axes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._axes, name)


def test_a_chart_in_another_process_is_read_through_its_stand_in(axes: Axes) -> None:
    axes.bar(["a", "b"], [2, 3])
    assert said(Remote(axes), figure(kind="bar", x=["a", "b"], y=[2, 3])) == []
