"""What stands for no value is refused, whatever a learner's process sends."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.referee.values import BadValue, NotData, Packer, Unpacker
from tests.unit.referee.sides import sides

pytestmark = pytest.mark.quick

HOSTILE_FORMS = [
    [],
    [1],
    [None],
    ["nothing"],
    ["int", "zz"],
    ["int", 3],
    ["float", "1"],
    ["float", 0.5],
    {"a": 1},
    ["tuple", ["tuple", []]],
    ["bytes", [0, 99]],
    ["bytes", [-1, 1]],
    ["bytes", [True, 1]],
    ["bytes", "x"],
    ["complex", "1", "2"],
    ["complex", 1.0],
    ["range", 1, 2, 0],
    ["range", "a", 1, 1],
    ["fraction", 1, 0],
    ["decimal", "x"],
    ["date", "2026-13-01"],
    ["date", 3],
    ["datetime", "x", 0, None],
    ["datetime", "2026-01-01", 7, None],
    ["datetime", "2026-01-01", 0, ["zone", "../etc/passwd"]],
    ["tz", ["offset", 99, 0, 0]],
    ["type", "exec"],
    ["type", "Exception"],
    ["frozenset", ["@", 1]],
    ["path", 3],
    ["uuid", "x"],
    ["np.scalar", "|O8", [0, 8]],
    ["np.scalar", "<f8", [0, 4]],
    ["np.dtype", "O"],
    ["np.dtype", "f8,O"],
    ["np.nothing"],
    ["pd.Index", ["range", 1, 2, 0]],
    ["pd.Index", ["range", None, "a", 2, 1]],
    ["pd.Index", ["multi", [], [], []]],
    ["pd.array", "masked", "Int64", None, None],
    ["pd.array", "categories", None, None, True],
    ["pd.array", "text", "x", True, [1]],
    ["pd.Timestamp", 1, "x", None, 0],
    ["pd.Timestamp", "1", "ns", None, 0],
    ["pd.missing", "None"],
    ["pd.nothing"],
    ["pd.", 1],
    ["object", 0, ["type", "int"], None],
    ["global", "os", "system"],
    ["module", "os"],
    ["mine", 0],
    ["@", 0],
    ["@", "x"],
]


@pytest.mark.parametrize("packed", HOSTILE_FORMS, ids=json.dumps)
def test_what_stands_for_no_value_is_refused(packed: Any) -> None:
    with pytest.raises(BadValue):
        Unpacker(b"0123456789").unpack(packed)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(
            st.sampled_from(
                sorted(
                    {
                        form[0]
                        for form in HOSTILE_FORMS
                        if form and isinstance(form, list) and isinstance(form[0], str)
                    }
                )
            ),
            inner,
        ).map(list)
    ),
    max_leaves=10,
)


@given(json_values, st.binary(max_size=16))
def test_any_json_is_a_value_of_exact_types_or_refused(packed: Any, blob: bytes) -> None:
    try:
        value = Unpacker(blob).unpack(packed)
    except BadValue:
        return
    Packer().pack(value)


@given(
    st.dictionaries(
        st.sampled_from(["1", "3", "2", "-1", "x"]), st.lists(json_values, max_size=4), max_size=3
    ),
    json_values,
)
def test_any_message_is_read_or_refused(nodes: Any, value: Any) -> None:
    receiver = sides()[0]
    try:
        receiver.read({"nodes": nodes, "value": value}, b"")
    except (BadValue, NotData, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return


def test_other_bytes_than_0_and_1_are_no_other_booleans() -> None:
    packer = Packer()
    place = packer.bytes(b"\x02\x00\xff")
    got = Unpacker(bytes(packer.blob)).unpack(["np.scalar", "|b1", [0, 1]])
    assert (place, got, got == True) == ([0, 3], np.True_, np.True_)  # noqa: E712
