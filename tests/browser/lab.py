"""A real JupyterLab on loopback, for tests that look at it in a browser."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nbformat
from playwright.sync_api import Page

from tests.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Lab:
    """A running JupyterLab; notebooks lie in `folder`."""

    url: str
    token: str
    folder: Path

    def write_notebook(self, name: str, *cells: str) -> None:
        """Put a notebook of code cells, for the course kernel, into the folder."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "spoc", "display_name": "Python (course)", "language": "python"}
            },
        )
        nbformat.write(notebook, self.folder / name)

    def open(self, page: Page, notebook: str) -> None:
        """Open a notebook, alone in a workspace of its own, and wait until its kernel has answered."""
        page.goto(f"{self.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}?token={self.token}")
        page.locator(".jp-Notebook").wait_for()
        page.evaluate(
            """async () => {
                const { sessionContext } = jupyterapp.shell.currentWidget;
                await sessionContext.ready;
                await sessionContext.session.kernel.info;
            }"""
        )

    def command(self, page: Page, command: str, **arguments: str) -> None:
        """Start one of JupyterLab's commands, as its palette would."""
        page.evaluate(
            "([command, given]) => jupyterapp.commands.execute(command, given)", [command, arguments]
        )


@contextmanager
def running_lab(folder: Path, environment: Mapping[str, str]) -> Iterator[Lab]:
    """Start JupyterLab in `folder`; stop it and its kernels at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    private = {
        f"JUPYTER_{name}_DIR": str(folder / ".jupyter" / name.lower()) for name in ("CONFIG", "RUNTIME")
    }
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={lab.token}",
        ),
        "--LabApp.news_url=",
    ]
    settings = folder / ".jupyter" / "config" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        json.dumps(
            {
                "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True},
                "exposeAppInBrowser": True,
            }
        )
    )
    with (folder / ".jupyter" / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **private, **environment}, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: _answers(lab, process, folder), 60)
            yield lab
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _answers(lab: Lab, process: subprocess.Popen[bytes], folder: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError((folder / ".jupyter" / "lab.log").read_text())
    try:
        return httpx.get(f"{lab.url}/api", timeout=2).is_success
    except httpx.TransportError:
        return False
