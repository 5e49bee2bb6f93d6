"""How deep and how large a JSON text is, found without parsing it: a parser spends its memory first."""

from __future__ import annotations

MAX_DEPTH = 100
MAX_CONTAINERS = 200_000
MAX_VALUES = 1_000_000
MAX_STRINGS = 1_000_000

_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


def excess(text: bytes) -> str:
    """Return what a JSON text in UTF-8 is too much of, "deep" or "large"; empty within the bounds."""
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in text else text
    if plain.count(b'"') > 2 * MAX_STRINGS:
        return "large"
    outside = b"".join(plain.split(b'"')[::2])
    if outside.count(b",") > MAX_VALUES or outside.count(b"[") + outside.count(b"{") > MAX_CONTAINERS:
        return "large"
    return "deep" if _depth(outside.translate(None, _NOT_BRACKETS)) > MAX_DEPTH else ""


def _depth(brackets: bytes) -> int:
    depth = deepest = 0
    for bracket in brackets:
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest
