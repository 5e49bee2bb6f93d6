"""Messages of a kernel become outputs as nbclient makes them, or are refused."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode

from graders.execution.outputs import BadOutput, NotebookOutputs, execution_count

pytestmark = pytest.mark.quick


def _shown(*messages: tuple[str, Any]) -> list[NotebookNode]:
    outputs: list[NotebookNode] = []
    collected = NotebookOutputs()
    collected.begin(outputs)
    for kind, content in messages:
        collected.add(kind, content)
    return outputs


def _display(text: str, display_id: str | None = None) -> dict[str, Any]:
    return {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": display_id}}


def _stream(text: str, name: str = "stdout") -> tuple[str, dict[str, str]]:
    return "stream", {"name": name, "text": text}


def test_parts_of_one_stream_are_merged_and_streams_are_not() -> None:
    outputs = _shown(_stream("a"), _stream("b"), _stream("c", "stderr"), _stream("d"))
    assert [(output.name, output.text) for output in outputs] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_an_update_changes_all_displays_of_its_name_and_shows_nothing() -> None:
    outputs = _shown(
        ("display_data", _display("1", "a")),
        ("display_data", _display("2", "b")),
        ("display_data", _display("3", "a")),
        ("update_display_data", _display("4", "a")),
        ("update_display_data", _display("5", "unknown")),
    )
    assert [output.data["text/plain"] for output in outputs] == ["4", "2", "4"]


def test_a_display_without_a_name_is_never_updated() -> None:
    outputs = _shown(("display_data", _display("1")), ("update_display_data", _display("2")))
    assert [output.data["text/plain"] for output in outputs] == ["1"]


def test_a_display_changes_one_in_an_earlier_cell() -> None:
    first: list[NotebookNode] = []
    second: list[NotebookNode] = []
    collected = NotebookOutputs()
    collected.begin(first)
    collected.add("display_data", _display("1", "a"))
    collected.begin(second)
    collected.add("update_display_data", _display("2", "a"))
    assert first[0].data["text/plain"] == "2"
    assert second == []


def test_output_is_cleared_at_once_or_with_the_next() -> None:
    assert _shown(_stream("a"), ("clear_output", {"wait": False})) == []
    assert [output.text for output in _shown(_stream("a"), ("clear_output", {"wait": True}))] == ["a"]
    assert [
        output.text for output in _shown(_stream("a"), ("clear_output", {"wait": True}), _stream("b"))
    ] == ["b"]


def test_what_was_cleared_is_not_updated() -> None:
    shown = ("display_data", _display("1", "a"))
    outputs = _shown(shown, ("clear_output", {}), shown, ("update_display_data", _display("2", "a")))
    assert [output.data["text/plain"] for output in outputs] == ["2"]


def test_lone_surrogates_are_replaced_wherever_they_stand() -> None:
    (output,) = _shown(
        ("display_data", {"data": {"application/json": {"\udc80": ["\ud800"]}}, "metadata": {"a": "\ud800"}})
    )
    str(output).encode()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", None),
        ("stream", {"name": "stdin", "text": ""}),
        ("stream", {"name": "stdout", "text": 1}),
        ("error", {"ename": "a", "evalue": "b", "traceback": "c"}),
        ("error", {"ename": "a", "evalue": "b", "traceback": [1]}),
        ("display_data", {"metadata": {}}),
        ("display_data", {"data": {"text/plain": 1}, "metadata": {}}),
        ("display_data", {"data": {"<script>": "a"}, "metadata": {}}),
        ("display_data", {"data": {}, "metadata": []}),
        ("display_data", {"data": {}, "metadata": {}, "transient": "a"}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": "1"}),
        ("comm_open", {}),
    ],
)
def test_what_no_kernel_says_is_refused(kind: str, content: Any) -> None:
    with pytest.raises(BadOutput):
        _shown((kind, content))


@pytest.mark.parametrize("value", ["1", 1.5, -1, 1 << 40])
def test_a_cell_has_no_such_number(value: object) -> None:
    with pytest.raises(BadOutput):
        execution_count(value)
