"""A kernelspec that names the provisioner `spoc-fork` has its kernels forked."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from graders.forkserver.provisioner import ForkedKernel, ModuleCommand, NotForkable

PYTHON = (sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}")

Start = Callable[..., AbstractAsyncContextManager["Kernel"]]


class Kernel:
    """A kernel and its client."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager = manager
        self.client = client

    async def run(self, code: str) -> tuple[str, str]:
        """The status of a cell, and what it printed or the name of its error."""
        told: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            told.append(content.get("text") or content.get("ename") or "")

        reply = await self.client.execute_interactive(code, output_hook=hear, timeout=30)
        return reply["content"]["status"], "".join(told).strip()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def started(argv: tuple[str, ...] = PYTHON, **config: Any) -> AsyncIterator[Kernel]:
        folder = tmp_path / "kernels" / "warm"
        folder.mkdir(parents=True, exist_ok=True)
        spec: dict[str, Any] = {"argv": list(argv), "display_name": "Warm", "language": "python"}
        provisioner = {"provisioner_name": "spoc-fork", "config": config}
        spec["metadata"] = {"kernel_provisioner": provisioner}
        (folder / "kernel.json").write_text(json.dumps(spec))
        specs = KernelSpecManager(kernel_dirs=[str(folder.parent)])
        manager = AsyncKernelManager(kernel_name="warm", kernel_spec_manager=specs)
        await manager.start_kernel(cwd=str(tmp_path), env={**os.environ, "GREETING": "hello"})
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            yield Kernel(manager, client)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)
            manager.context.term()

    return started


def is_forked(kernel: Kernel) -> bool:
    return isinstance(kernel.manager.provisioner.process, ForkedKernel)


@pytest.mark.parametrize("sandboxed", [False, True])
async def test_a_kernel_has_its_imports_before_the_first_cell(start: Start, sandboxed: bool) -> None:
    async with start(imports=["numpy"], sandboxed=sandboxed) as kernel:
        assert is_forked(kernel)
        assert await kernel.run("import sys; print('numpy' in sys.modules)") == ("ok", "True")
        assert await kernel.run("1 / 0") == ("error", "ZeroDivisionError")


async def test_a_kernel_starts_where_and_with_what_it_would_have(start: Start, tmp_path: Path) -> None:
    async with start() as kernel:
        code = "import os; print(os.getcwd(), os.environ['GREETING'])"
        assert await kernel.run(code) == ("ok", f"{tmp_path} hello")


async def test_a_sandboxed_kernel_sees_nothing_of_the_machine(start: Start, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    async with start(sandboxed=True) as kernel:
        code = f"import os; print(os.getcwd(), os.path.exists({str(tmp_path)!r}), 'GREETING' in os.environ)"
        assert await kernel.run(code) == ("ok", "/home/learner False False")
        code = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
        assert (await kernel.run(code))[0] == "error"
        folders = list(kernel.manager.provisioner.folder.iterdir())
        assert len(folders) > 1
    assert not folders[0].exists()


@pytest.mark.parametrize("sandboxed", [False, True])
async def test_an_interrupt_ends_the_cell_and_not_the_kernel(start: Start, sandboxed: bool) -> None:
    async with start(sandboxed=sandboxed) as kernel:
        await kernel.run("kept = 1")
        # Else the kernel may refuse what comes right after an error.
        code = "import time; print('sleeping'); time.sleep(600)"
        asked = kernel.client.execute(code, stop_on_error=False)
        while True:
            message = await kernel.client.get_iopub_msg(timeout=30)
            if message["header"]["msg_type"] == "stream":
                break
        await kernel.manager.interrupt_kernel()
        reply = await kernel.client.get_shell_msg(timeout=30)
        while reply["parent_header"]["msg_id"] != asked:
            reply = await kernel.client.get_shell_msg(timeout=30)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert await kernel.run("print(kept)") == ("ok", "1")


@pytest.mark.parametrize("sandboxed", [False, True])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_ends_the_kernel(start: Start, sandboxed: bool, number: signal.Signals) -> None:
    async with start(sandboxed=sandboxed) as kernel:
        await kernel.manager.signal_kernel(number)
        assert await kernel.manager.provisioner.wait() == -number
        assert not await kernel.manager.is_alive()


async def test_a_restarted_kernel_is_another_one(start: Start) -> None:
    async with start(sandboxed=True) as kernel:
        await kernel.run("kept = 1")
        await kernel.manager.restart_kernel(now=True)
        await kernel.client.wait_for_ready(timeout=60)
        assert await kernel.run("print('kept' in globals())") == ("ok", "False")


async def test_what_cannot_be_forked_is_started_and_the_log_says_why(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    shell = ("/bin/sh", "-c", 'exec "$0" "$@"', *PYTHON)
    with caplog.at_level(logging.WARNING):
        async with start(shell) as kernel:
            assert not is_forked(kernel)
            assert await kernel.run("print(1 + 1)") == ("ok", "2")
    assert "started without a fork: its command is not `python -m MODULE`" in caplog.text


async def test_a_sandboxed_kernel_is_never_started_another_way(start: Start) -> None:
    shell = ("/bin/sh", "-c", 'exec "$0" "$@"', *PYTHON)
    with pytest.raises(NotForkable):
        async with start(shell, sandboxed=True):
            pass


@pytest.mark.quick
@pytest.mark.parametrize(
    "command",
    [
        ("R", "-e", "IRkernel::main()"),
        (sys.executable, "-c", "pass"),
        (sys.executable, "-I", "-m", "ipykernel_launcher"),
        ("/no/such/python", "-m", "ipykernel_launcher"),
        (sys.executable,),
    ],
)
def test_only_a_plain_python_module_is_forked(command: tuple[str, ...]) -> None:
    with pytest.raises(NotForkable):
        ModuleCommand.parse(command)
