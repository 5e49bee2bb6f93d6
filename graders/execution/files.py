"""Unpacks the files that a notebook runs with."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath


def unpack(files: bytes, folder: Path) -> list[str]:
    """Write the files of a tar into a folder; return their names. There is nothing else in it.

    Not `extractall`: before Python 3.11.4 it takes no filter, and goes wherever a name leads.

    Raises:
        tarfile.TarError: It is no tar, or holds what is no file or leads elsewhere; nothing is written.
    """
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        members = archive.getmembers()
        for member in members:
            name = PurePosixPath(member.name)
            if not member.isreg() or name.is_absolute() or ".." in name.parts:
                raise tarfile.ExtractError(f"{member.name!r} is no file of a submission.")
        for member in members:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            path.write_bytes(b"" if content is None else content.read())
    return [member.name for member in members]
