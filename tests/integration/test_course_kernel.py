"""The course kernel, as JupyterLab starts it: one name more than plain Python, and nobody can shadow ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.minimal_hub import MinimalHub, running_hub
from tests.quizzes import deploy_quiz

HOSTILE = "raise SystemExit('taken over')\n"

# The patterns do not match themselves, nor does the cell that holds them.
SEARCH_MEMORY = """
import re
found = dict.fromkeys(("prompt", "key"), False)
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps:
        start, end = (int(address, 16) for address in line.split()[0].split("-"))
        if " rw" in line and "[vvar" not in line:
            memory.seek(start)
            data = memory.read(end - start)
            found["prompt"] |= bool(re.search(rb"Which[ ]axis do", data))
            found["key"] |= bool(re.search(rb"KEY[-](axis|missing|mean|group)", data))
print("prompt", found["prompt"], "key", found["key"])
"""


@dataclass(frozen=True, slots=True)
class Notebook:
    """Runs cells in one kernel."""

    client: BlockingKernelClient

    def run(self, cell: str) -> list[dict[str, Any]]:
        """Return the outputs of `cell`, as messages."""
        outputs: list[dict[str, Any]] = []
        self.client.execute_interactive(cell, timeout=60, output_hook=outputs.append)
        return [output for output in outputs if output["msg_type"] != "status"]

    def text(self, cell: str) -> str:
        """Return all text that `cell` puts out."""
        texts = []
        for output in self.run(cell):
            content = output["content"]
            texts.append(content.get("text") or content.get("data", {}).get("text/plain", ""))
            texts += content.get("traceback", [])
        return "\n".join(text for text in texts if text)


@contextmanager
def running_kernel(folder: Path, name: str = "spoc", **environment: str) -> Iterator[Notebook]:
    """Start a kernel in `folder`, without a course service unless the environment names one."""
    manager = KernelManager(kernel_name=name)
    private: Mapping[str, str] = {"IPYTHONDIR": str(folder / ".ipython"), "PATH": "/usr/bin:/bin"}
    manager.start_kernel(cwd=str(folder), env={**private, **environment})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Notebook(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def is_widget(outputs: list[dict[str, Any]]) -> bool:
    views = (output["content"].get("data", {}) for output in outputs)
    return any("application/vnd.jupyter.widget-view+json" in view for view in views)


@pytest.fixture(scope="module")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    for name in ("course", "graders", "json", "ipykernel_launcher", "traitlets", "sitecustomize"):
        (folder / f"{name}.py").write_text(HOSTILE)
    for name in ("extensions", "hub_config", "IPython"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(HOSTILE)
        (folder / name / "kernel.py").write_text(HOSTILE)
    (folder / "own_helpers.py").write_text("ANSWER = 42\n")
    return folder


@pytest.fixture(scope="module")
def notebook(hostile_folder: Path) -> Iterator[Notebook]:
    with running_kernel(hostile_folder) as notebook:
        yield notebook


def test_a_learners_file_never_takes_the_place_of_a_package(notebook: Notebook, hostile_folder: Path) -> None:
    names = ("course", "extensions", "graders", "hub_config", "json", "traitlets", "IPython")
    found = notebook.text(f"import importlib\nprint([importlib.import_module(n).__file__ for n in {names}])")
    assert "__init__.py" in found
    assert str(hostile_folder) not in found
    assert "taken over" not in found


def test_the_learners_folder_stands_last_on_the_path_and_its_modules_can_be_imported(
    notebook: Notebook, hostile_folder: Path
) -> None:
    assert "True True" in notebook.text(
        f"import sys\nprint(sys.path[-1] == {str(hostile_folder)!r}, '' not in sys.path)"
    )
    assert "42" in notebook.text("import own_helpers\nown_helpers.ANSWER")


def test_the_kernel_offers_exactly_one_name(notebook: Notebook, tmp_path: Path) -> None:
    names = "print(sorted(name for name in dir() if not name.startswith('_')))"
    with running_kernel(tmp_path) as course, running_kernel(tmp_path, "python3") as plain:
        offered = set(eval(course.text(names))) - set(eval(plain.text(names)))  # noqa: S307
    assert offered == {"spoc"}


def test_the_name_is_there_again_after_a_reset(notebook: Notebook) -> None:
    notebook.run("%reset -f")
    assert "spoc.quiz" in notebook.text("spoc")


def test_the_name_tells_what_it_can_do(notebook: Notebook) -> None:
    said = notebook.text("spoc")
    for call in ("spoc.quiz(", "spoc.submit()", "spoc.feedback()"):
        assert call in said


def test_without_a_course_service_a_quiz_is_a_line_of_text(notebook: Notebook) -> None:
    said = notebook.text('spoc.quiz("tables")')
    assert "JupyterLab" in said
    assert "Error" not in said
    assert "False" in notebook.text("import sys\nprint('anywidget' in sys.modules)")


def test_without_a_course_service_handing_in_says_what_to_do(notebook: Notebook) -> None:
    said = notebook.text("spoc.submit()")
    assert said.splitlines() == [
        "This notebook is not connected to a course.",
        "Open it on your own server, from the page that your trainer gave you.",
    ]


def test_the_kernel_speaks_french(tmp_path: Path) -> None:
    with running_kernel(tmp_path, SPOC_LANGUAGE="fr") as notebook:
        assert "Le cours, dans ce notebook" in notebook.text("spoc")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MinimalHub]:
    state = deploy_quiz(tmp_path_factory.mktemp("deployment"), ["ada"])
    with running_hub(tmp_path_factory.mktemp("hub"), state.root) as hub:
        yield hub


@pytest.mark.hub
def test_a_typo_is_answered_with_the_quizzes_there_are_and_no_traceback(
    hub: MinimalHub, tmp_path: Path
) -> None:
    with running_kernel(tmp_path, **hub.environment_of("ada")) as notebook:
        assert notebook.text('spoc.quiz("tabels")').splitlines() == [
            "There is no quiz “tabels”.",
            "The quizzes are: tables.",
        ]


@pytest.mark.hub
def test_a_quiz_leaves_no_key_in_the_kernels_memory(hub: MinimalHub, tmp_path: Path) -> None:
    """The kernel's whole memory is searched; that a prompt is found shows that the search works."""
    with running_kernel(tmp_path, **hub.environment_of("ada")) as notebook:
        shown = notebook.run('spoc.quiz("tables")')
        assert is_widget(shown)
        assert "KEY" not in str(shown)
        assert notebook.text(SEARCH_MEMORY) == "prompt True key False\n"


@pytest.mark.hub
def test_a_quiz_cell_does_not_fail_while_the_service_is_down(hub: MinimalHub, tmp_path: Path) -> None:
    environment = hub.environment_of("ada") | {
        "SPOC_SERVICE_URL": "http+unix://%2Fnowhere.sock/services/course/"
    }
    with running_kernel(tmp_path, **environment) as notebook:
        assert is_widget(notebook.run('spoc.quiz("tables")'))
