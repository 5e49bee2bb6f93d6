"""Makes a notebook's outputs of a kernel's messages, as nbclient does; the kernel may be hostile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.notebooknode import from_dict

from graders.execution.status import TRUNCATED

MIME_TYPE = re.compile(r"[a-zA-Z0-9]+/[a-zA-Z0-9.+-]+")
STREAMS = ("stdout", "stderr")


class BadOutput(ValueError):
    """What came is no output of a kernel that is in its right mind."""


class NotebookOutputs:
    """The outputs of all cells of one notebook; a display can change one in an earlier cell.

    Every output belongs to a list that a caller gives to `begin`. Streams that follow one another are merged.
    """

    def __init__(self) -> None:
        self._outputs: list[NotebookNode] = []
        self._displays: dict[str, list[tuple[list[NotebookNode], NotebookNode]]] = {}
        self._clears_next = False

    def begin(self, outputs: list[NotebookNode]) -> None:
        """Put what comes into `outputs` from here on."""
        self._outputs = outputs
        self._clears_next = False

    def cut(self) -> None:
        """Say that there was more."""
        self._outputs.append(_stream("stdout", TRUNCATED))

    def add(self, kind: str, content: Any) -> None:
        """Take one message.

        Raises:
            BadOutput: It is not what the message specification says.
        """
        if not isinstance(content, Mapping):
            raise BadOutput("A message has no content.")
        match kind:
            case "stream":
                self._write(_one_of(STREAMS, content.get("name")), _text(content.get("text")))
            case "clear_output":
                self._clear(later=content.get("wait") is True)
            case "error":
                self._append(_error(content))
            case "display_data" | "execute_result" | "update_display_data":
                self._display(kind, content)
            case _:
                raise BadOutput(f"There is no output {kind!r}.")

    def _write(self, name: str, text: str) -> None:
        newest = self._outputs[-1] if self._outputs and not self._clears_next else None
        if newest is not None and newest.output_type == "stream" and newest.name == name:
            newest.text += text
        else:
            self._append(_stream(name, text))

    def _append(self, output: NotebookNode) -> None:
        if self._clears_next:
            self._clear(later=False)
        self._outputs.append(output)

    def _clear(self, *, later: bool) -> None:
        self._clears_next = later
        if not later:
            self._outputs.clear()
            for shown in self._displays.values():
                shown[:] = [place for place in shown if place[0] is not self._outputs]

    def _display(self, kind: str, content: Mapping[str, Any]) -> None:
        data = {_mime_type(key): _datum(key, value) for key, value in _dict(content.get("data")).items()}
        metadata = _dict(content.get("metadata"))
        display_id = _dict(content.get("transient") or {}).get("display_id")
        shown = self._displays.setdefault(display_id, []) if isinstance(display_id, str) else []
        for _, output in shown:
            output.data, output.metadata = from_dict(data), from_dict(metadata)
        if kind == "update_display_data":
            return
        output = NotebookNode(output_type=kind, data=from_dict(data), metadata=from_dict(metadata))
        if kind == "execute_result":
            output.execution_count = execution_count(content.get("execution_count"))
        self._append(output)
        shown.append((self._outputs, output))


def execution_count(value: object) -> int | None:
    """Return a cell's number as a kernel tells it.

    Raises:
        BadOutput: It is no number of a cell.
    """
    if value is None or (isinstance(value, int) and 0 <= value < 1 << 31):
        return value
    raise BadOutput("A cell's number is none.")


def _stream(name: str, text: str) -> NotebookNode:
    return NotebookNode(output_type="stream", name=name, text=text)


def _error(content: Mapping[str, Any]) -> NotebookNode:
    traceback = content.get("traceback")
    if not isinstance(traceback, list):
        raise BadOutput("An error has no traceback.")
    return NotebookNode(
        output_type="error",
        ename=_text(content.get("ename")),
        evalue=_text(content.get("evalue")),
        traceback=[_text(line) for line in traceback],
    )


def _datum(mime_type: str, value: object) -> object:
    if mime_type == "application/json" or mime_type.endswith("+json"):
        return _clean(value)
    if isinstance(value, list):
        return [_text(line) for line in value]
    return _text(value)


def _mime_type(value: str) -> str:
    if not MIME_TYPE.fullmatch(value):
        raise BadOutput(f"{value[:80]!r} is no kind of data.")
    return value


def _one_of(names: tuple[str, ...], value: object) -> str:
    if isinstance(value, str) and value in names:
        return value
    raise BadOutput(f"There is no stream {str(value)[:80]!r}.")


def _dict(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadOutput("A message lacks a part.")
    return {_text(key): _clean(item) for key, item in value.items()}


def _clean(value: Any) -> Any:
    """Return JSON with texts that a file can hold."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _text(value: object) -> str:
    """Return a text without lone surrogates: no file in UTF-8 can hold them."""
    if not isinstance(value, str):
        raise BadOutput("A text is none.")
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
