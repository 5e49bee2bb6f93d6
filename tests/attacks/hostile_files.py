"""Submissions that are no notebook, or that have something else beside it than files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from tests.attacks.attack import FULL, Attack

Tamper = Callable[[Path], object]


def text(content: str) -> Tamper:
    """Put a text in the place of the notebook."""

    def tamper(folder: Path) -> None:
        (folder / "work.ipynb").write_text(content, encoding="utf-8", errors="surrogatepass")

    return tamper


def document(change: Callable[[dict[str, Any]], object]) -> Tamper:
    """Change the notebook as JSON."""

    def tamper(folder: Path) -> None:
        notebook = json.loads((folder / "work.ipynb").read_text())
        change(notebook)
        (folder / "work.ipynb").write_text(json.dumps(notebook))

    return tamper


def as_nbformat_3(folder: Path) -> None:
    notebook = nbformat.read(folder / "work.ipynb", as_version=4)
    nbformat.write(nbformat.convert(notebook, 3), folder / "work.ipynb", version=3)


def as_150_megabytes(folder: Path) -> None:
    notebook = json.loads((folder / "work.ipynb").read_text())
    notebook["metadata"]["stuffing"] = "x" * (150 << 20)
    (folder / "work.ipynb").write_text(json.dumps(notebook))


def in_place_of_notebook(make: Callable[[Path], object]) -> Tamper:
    def tamper(folder: Path) -> None:
        (folder / "work.ipynb").unlink()
        make(folder / "work.ipynb")

    return tamper


def beside_notebook(name: str, make: Callable[[Path], object]) -> Tamper:
    return lambda folder: make(folder / name)


def link_to(target: str) -> Tamper:
    return lambda path: path.symlink_to(path.parent / target)


def hard_link_to(target: str) -> Tamper:
    """Link to a file of somebody else: root, who runs this, gives the submission to another user."""

    def make(path: Path) -> None:
        path.hardlink_to(path.parent / target)
        os.chown(path.parent, 65534, 65534)

    return make


def device(path: Path) -> None:
    # An ordinary user cannot make one; a learner cannot either.
    if os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    else:
        os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            # The path itself may be too long for an address.
            server.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(64 << 20))


def replaced_folder(make: Callable[[Path], object]) -> Tamper:
    def tamper(folder: Path) -> None:
        shutil.rmtree(folder)
        make(folder)

    return tamper


def many_files(folder: Path) -> None:
    for number in range(6_000):
        (folder / f"{number}.txt").touch()


def deep_folders(folder: Path) -> None:
    for _ in range(60):
        folder = folder / "deeper"
        folder.mkdir()
    (folder / "file.txt").touch()


ODD_NAMES = (
    "line\nbreak.txt",
    "left\u202etxt.exe",
    "x" * 250 + ".csv",
    "..\\..\\up.txt",
    " .txt",
    "-rf",
    "con\x07.txt",
)


def odd_names(folder: Path) -> None:
    for name in ODD_NAMES:
        (folder / name).write_text("odd")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.txt")).write_text("odd")


def unreadable(name: str, tamper: Tamper) -> Attack:
    return Attack(name=name, tamper=tamper, scores=dict.fromkeys(FULL), refused=True)


# An ordinary user has no file of somebody else to link to, nor has a learner where the system forbids it.
HARD_LINKS = (
    unreadable("hard-link", in_place_of_notebook(hard_link_to("../../alice/ps1/work.ipynb"))),
    Attack(
        name="beside-hard-link",
        tamper=beside_notebook("data.csv", hard_link_to("../../../nbgrader_config.py")),
    ),
)
HOSTILE_FILES = (
    *(HARD_LINKS if os.geteuid() == 0 else ()),
    # what is no notebook at all
    unreadable("invalid", text('{"cells": [')),
    unreadable("empty-file", text("")),
    unreadable("list", text("[]")),
    unreadable("deep", text("[" * 200_000 + "]" * 200_000)),
    unreadable("deep-cells", text('{"cells": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}")),
    unreadable("not-text", in_place_of_notebook(lambda path: path.write_bytes(os.urandom(4096)))),
    unreadable("150-megabytes", as_150_megabytes),
    unreadable("fifo", in_place_of_notebook(os.mkfifo)),
    unreadable("device", in_place_of_notebook(device)),
    unreadable("socket", in_place_of_notebook(unix_socket)),
    unreadable("folder", in_place_of_notebook(Path.mkdir)),
    unreadable("link", in_place_of_notebook(link_to("../../alice/ps1/work.ipynb"))),
    unreadable("link-nowhere", in_place_of_notebook(link_to("nowhere"))),
    unreadable("link-endless", in_place_of_notebook(lambda path: path.symlink_to(path))),
    unreadable("nothing", in_place_of_notebook(lambda _path: None)),
    unreadable("folder-linked", replaced_folder(link_to("../alice/ps1"))),
    unreadable("folder-source", replaced_folder(link_to("../../source/ps1"))),
    unreadable("folder-nowhere", replaced_folder(link_to("nowhere"))),
    unreadable("folder-file", replaced_folder(Path.touch)),
    unreadable("folder-fifo", replaced_folder(os.mkfifo)),
    # what can be read all the same
    Attack(name="schema", tamper=document(lambda notebook: notebook.update(nbformat_minor=99))),
    Attack(name="format-99", tamper=document(lambda notebook: notebook.update(nbformat=99))),
    Attack(name="format-3", tamper=as_nbformat_3),
    Attack(name="no-format", tamper=document(lambda notebook: notebook.pop("nbformat"))),
    Attack(name="no-metadata", tamper=document(lambda notebook: notebook.pop("metadata"))),
    Attack(
        name="ids", tamper=document(lambda notebook: [cell.update(id="same") for cell in notebook["cells"]])
    ),
    Attack(name="odd-cells", tamper=document(lambda notebook: notebook["cells"].extend([1, None, [], {}]))),
    Attack(
        name="odd-source", tamper=document(lambda notebook: notebook["cells"].append({"source": {"a": 1}}))
    ),
    Attack(name="surrogates", tamper=document(lambda notebook: notebook["metadata"].update(title="\ud800"))),
    # what stands beside a good notebook
    Attack(name="beside-fifo", tamper=beside_notebook("data.csv", os.mkfifo)),
    Attack(name="beside-device", tamper=beside_notebook("data.csv", device)),
    Attack(name="beside-link", tamper=beside_notebook("data.csv", link_to("../../../gradebook.db"))),
    Attack(name="beside-folder-link", tamper=beside_notebook("data", link_to("../../.."))),
    Attack(name="beside-bomb", tamper=beside_notebook("data.zip", bomb)),
    Attack(name="beside-many", tamper=many_files),
    Attack(name="beside-deep", tamper=deep_folders),
    Attack(name="beside-odd-names", tamper=odd_names),
    Attack(
        name="timestamp", tamper=beside_notebook("timestamp.txt", lambda path: path.write_text("notadate"))
    ),
    Attack(
        name="timestamp-bytes",
        tamper=beside_notebook("timestamp.txt", lambda path: path.write_bytes(b"\xff" * 9)),
    ),
    Attack(
        name="timestamp-far",
        tamper=beside_notebook("timestamp.txt", lambda path: path.write_text("9" * 5000)),
    ),
    Attack(name="timestamp-fifo", tamper=beside_notebook("timestamp.txt", os.mkfifo)),
    Attack(
        name="timestamp-link", tamper=beside_notebook("timestamp.txt", link_to("../../alice/ps1/work.ipynb"))
    ),
)
