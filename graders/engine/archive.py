"""Files as bytes: a tar, which is how they get into a sandbox, or packed, to come from another process."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence

NEVER_RUN = frozenset({"timestamp.txt", "submission_secret.txt"})
"""Files of the exchange's: no business of learner code."""


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return files by relative path as an uncompressed tar; empty if there is none to run with."""
    wanted = {name: content for name, content in files.items() if name not in NEVER_RUN}
    if not wanted:
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in sorted(wanted.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def packed(files: Mapping[str, bytes], problems: Sequence[Sequence[str]] = ()) -> bytes:
    """Return files, and some texts on each other one, as bytes that are safe to read: see `unpacked`."""
    sizes = {name: len(content) for name, content in files.items()}
    header = json.dumps({"sizes": sizes, "problems": list(map(list, problems))}).encode("ascii")
    return b"".join((header, b"\n", *files.values()))


def unpacked(pack: bytes) -> tuple[dict[str, bytes], tuple[tuple[str, ...], ...]]:
    """Return the files and the problems of `packed`."""
    header, _, content = pack.partition(b"\n")
    told = json.loads(header)
    files, start = {}, 0
    for name, size in told["sizes"].items():
        files[name] = content[start : start + size]
        start += size
    return files, tuple(map(tuple, told["problems"]))
