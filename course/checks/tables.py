"""Columns (Series), tables (DataFrame) and indexes of pandas, with the first differences in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from course.checks.comparison import differences, suspects
from course.checks.description import described
from course.checks.expectation import Expectation, Tolerance, at
from course.checks.kinds import kind_of, plain
from course.checks.wording import say

_TYPES_BY_CODE = {
    "i": "whole",
    "u": "whole",
    "f": "decimal",
    "b": "truth",
    "M": "date",
    "m": "duration",
    "c": "complex",
}


@dataclass(frozen=True, slots=True)
class Tabular(Expectation):
    """A column, table or index equal to `expected`, apart from what the rest says does not matter."""

    expected: Any
    columns_in_order: bool = True
    rows_in_order: bool = True
    labels: bool = True
    types: bool = True
    tolerance: Tolerance = field(default_factory=Tolerance)

    def differences(self, value: Any, place: str) -> Iterator[str]:
        if kind_of(value) != kind_of(self.expected):
            yield from differences(value, self.expected, place)
        elif not _has_known_labels(value):
            yield at(place, say("the labels are of an unknown type"))
        elif not _has_known_types(value):
            yield at(place, say("the values are of an unknown type"))
        elif kind_of(value) == "labels":
            yield from differences(value.tolist(), self.expected.tolist(), place, self.tolerance)
        elif kind_of(value) == "column":
            yield from self._column_differences(value, place)
        else:
            yield from self._table_differences(value, place)

    def _column_differences(self, value: Any, place: str) -> Iterator[str]:
        if len(value) != len(self.expected):
            sentence = say(
                "expected {expected} values, got {value}", expected=len(self.expected), value=len(value)
            )
            yield at(place, sentence)
            return
        yield from self._type_differences(value, self.expected, place)
        yield from self._row_differences([value], [self.expected], [place], value.index, self.expected.index)

    def _table_differences(self, value: Any, place: str) -> Iterator[str]:
        wanted, found = self.expected.columns.tolist(), value.columns.tolist()
        in_order = next(differences(found, wanted), None) is None
        positions = [_position(found, label) for label in wanted]
        missing = [label for label, position in zip(wanted, positions, strict=True) if position is None]
        extra = [label for label in found if _position(wanted, label) is None]
        if missing:
            yield at(place, say("missing columns: {columns}", columns=_listed(missing)))
        if extra:
            yield at(place, say("columns that should not be there: {columns}", columns=_listed(extra)))
        if (
            not missing
            and not extra
            and not in_order
            and (self.columns_in_order or len(wanted) != len(found))
        ):
            yield at(
                place,
                say(
                    "expected the columns {expected}, got {value}",
                    expected=_listed(wanted),
                    value=_listed(found),
                ),
            )
        if len(value) != len(self.expected):
            yield at(
                place,
                say("expected {expected} rows, got {value}", expected=len(self.expected), value=len(value)),
            )
        if missing or len(value) != len(self.expected):
            return
        columns = [value.iloc[:, position] for position in positions]
        expected = [self.expected.iloc[:, index] for index in range(len(wanted))]
        names = [say("column {name}", name=described(label, 40)) for label in wanted]
        for column, its, name in zip(columns, expected, names, strict=True):
            yield from self._type_differences(column, its, f"{place}{name}")
        yield from self._row_differences(columns, expected, names, value.index, self.expected.index)

    def _type_differences(self, value: Any, expected: Any, place: str) -> Iterator[str]:
        wanted, found = column_type(expected), column_type(value)
        if self.types and wanted != found:
            names = _type_names()
            yield at(
                place,
                say(
                    "expected {expected}, got {value}",
                    expected=names[wanted],
                    value=names[found],
                ),
            )

    def _row_differences(
        self, columns: Sequence[Any], expected: Sequence[Any], names: Sequence[str], labels: Any, wanted: Any
    ) -> Iterator[str]:
        """Yield differences of labels and cells; both sides have the same number of rows."""
        rows = their_rows = self._suspect_rows(columns, expected)
        if not self.rows_in_order:
            rows = _order(columns, labels if self.labels else None)
            their_rows = _order(expected, wanted if self.labels else None)
            labels, wanted = labels[rows], wanted[their_rows]
        if self.labels:
            other = list(_label_differences(labels, wanted))
            yield from other
            if other:
                return
        names_of_rows = wanted.tolist() if not self.rows_in_order else wanted[their_rows].tolist()
        found_cells = [_cells(column.iloc[rows]) for column in columns]
        wanted_cells = [_cells(column.iloc[their_rows]) for column in expected]
        for row, label in enumerate(names_of_rows):
            for cells, its, name in zip(found_cells, wanted_cells, names, strict=True):
                if _is_missing(cells[row]) and _is_missing(its[row]):
                    continue
                if next(differences(cells[row], its[row], "", self.tolerance), None):
                    yield _cell_difference(cells[row], its[row], label, name)

    def _suspect_rows(self, columns: Sequence[Any], expected: Sequence[Any]) -> list[int]:
        """Return the rows to look at cell by cell: all of them, unless all columns hold NumPy's numbers."""
        found: set[int] = set()
        for column, its in zip(columns, expected, strict=True):
            if not (_has_numbers(column) and _has_numbers(its)):
                return list(range(len(column)))
            found.update(suspects(column.to_numpy(), its.to_numpy(), self.tolerance))
        return sorted(found)


def table(
    expected: Any,
    *,
    columns_in_order: bool = True,
    rows_in_order: bool = True,
    labels: bool = True,
    types: bool = True,
) -> Expectation:
    """Expect a pandas Series, DataFrame or Index, with a say in what matters.

    Args:
        expected: What the value has to equal.
        columns_in_order: Whether the columns' order counts.
        rows_in_order: Whether the rows' order counts.
        labels: Whether the row labels (the index) count.
        types: Whether a column of whole numbers may not come as decimal ones, texts not as dates, and so on;
            `int32` and `int64` are the same, and so are the ways in which pandas keeps text.
    """
    if kind_of(expected) not in ("column", "table", "labels"):
        raise TypeError("table expects a Series, a DataFrame or an Index")
    return Tabular(expected, columns_in_order, rows_in_order, labels, types)


def column_type(column: Any) -> str:
    """Return what a column holds, as "whole", "decimal", "date" or "text"."""
    kind = _dtype_kind(column.dtype) or "object"
    if kind == "object" and all(type(each) is str for each in column.tolist() if not _is_missing(each)):
        return "text"
    return kind


def _dtype_kind(dtype: Any) -> str | None:
    """Return what values of a dtype are; None for a dtype from elsewhere, which brings its own code."""
    pandas, numpy = sys.modules["pandas"], sys.modules["numpy"]
    if issubclass(type(dtype), numpy.dtype):
        return _TYPES_BY_CODE.get(dtype.kind, "object")
    known = {"String": "text", "Categorical": "category", "DatetimeTZ": "date with time zone"}
    known |= {"Boolean": "truth", "Float32": "decimal", "Float64": "decimal"}
    known |= {f"{sign}Int{bits}": "whole" for sign in ("", "U") for bits in (8, 16, 32, 64)}
    return next(
        (kind for name, kind in known.items() if type(dtype) is getattr(pandas, f"{name}Dtype")), None
    )


def _type_names() -> dict[str, str]:
    return {
        "whole": say("whole numbers"),
        "decimal": say("decimal numbers"),
        "truth": say("truth values"),
        "date": say("dates"),
        "duration": say("durations"),
        "text": say("texts"),
        "category": say("categories"),
        "complex": say("complex numbers"),
        "date with time zone": say("dates with a time zone"),
        "object": say("values of several types"),
    }


def _cells(column: Any) -> list[Any]:
    cells: list[Any] = column.tolist()
    return cells


def _has_known_labels(value: Any) -> bool:
    # An index of a class from elsewhere comes with its own methods, for all that pandas asks of it.
    indexes = {"table": ("index", "columns"), "column": ("index",)}.get(kind_of(value), ())
    return all(kind_of(getattr(value, name)) == "labels" for name in indexes)


def _has_known_types(value: Any) -> bool:
    kind = kind_of(value)
    dtypes = value.dtypes.tolist() if kind == "table" else [value.dtype] if kind == "column" else []
    return all(_dtype_kind(dtype) is not None for dtype in dtypes)


def _label_differences(labels: Any, wanted: Any) -> Iterator[str]:
    if _has_numbers(labels) and _has_numbers(wanted):
        return differences(labels.to_numpy(), wanted.to_numpy(), say("row labels"))
    return differences(labels.tolist(), wanted.tolist(), say("row labels"))


def _cell_difference(value: Any, expected: Any, label: Any, name: str) -> str:
    label, expected, value = described(label, 40), described(expected), described(value)
    if not name:
        return say(
            "row {label}: expected {expected}, got {value}", label=label, expected=expected, value=value
        )
    return say(
        "row {label}, {name}: expected {expected}, got {value}",
        label=label,
        name=name,
        expected=expected,
        value=value,
    )


def _has_numbers(column: Any) -> bool:
    return issubclass(type(column.dtype), sys.modules["numpy"].dtype) and column.dtype.kind in "iuf"


def _is_missing(value: Any) -> bool:
    kind = kind_of(value)
    if kind in ("none", "missing"):
        return True
    if kind != "decimal":
        return False
    number = plain(value)
    return bool(number != number)


def _order(columns: Sequence[Any], labels: Any) -> list[int]:
    """Return the rows in an order that depends on what is in them alone; `labels` may be None."""
    cells = [_cells(column) for column in columns]
    rows = list(zip(*cells, *([labels.tolist()] if labels is not None else []), strict=True))
    keys = [tuple(map(_sort_key, row)) for row in rows]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _sort_key(value: Any) -> tuple[int, float, str]:
    if _is_missing(value):
        return (0, 0.0, "")
    if kind_of(value) in ("whole", "decimal"):
        # Numbers that are equal within the tolerance should mostly stand at the same place.
        return (1, float(f"{plain(value):.8g}"), "")
    return (2, 0.0, described(value, 1000))


def _position(labels: Sequence[Any], label: Any) -> int | None:
    """Return where a label stands first; it is not looked up, since it may be an object that equals all."""
    if kind_of(label) == "other":
        return None
    return next(
        (index for index, each in enumerate(labels) if not next(differences(each, label), None)), None
    )


def _listed(labels: Sequence[Any]) -> str:
    return described(list(labels))
