"""What a notebook runs with is written below its folder, by every Python that this project supports."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from graders.execution.files import unpack

pytestmark = pytest.mark.quick


def tar(*members: tarfile.TarInfo, content: bytes = b"a,b") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_files_come_with_their_folders(tmp_path: Path) -> None:
    files = tar(tarfile.TarInfo("data/a.csv"), tarfile.TarInfo("b.csv"))
    assert unpack(files, tmp_path) == ["data/a.csv", "b.csv"]
    assert (tmp_path / "data" / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes() == b"a,b"


@pytest.mark.parametrize(
    "bad", [tarfile.TarInfo("../up"), tarfile.TarInfo("/etc/passwd"), link("out", "/etc"), link("b", "b.csv")]
)
def test_what_leads_elsewhere_lets_nothing_be_written(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(tarfile.TarError):
        unpack(tar(tarfile.TarInfo("b.csv"), bad), folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]
