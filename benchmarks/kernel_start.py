"""How long a Python kernel takes until it answers: forked from a warm parent in its sandbox, or started."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ANSWER_SECONDS = 60
_PROVISIONERS: dict[str, dict[str, Any]] = {
    "forked": {"provisioner_name": "spoc-fork", "config": {"imports": ["pandas"], "sandboxed": True}},
    "started": {"provisioner_name": "local-provisioner"},
}


def ready_seconds(how: Literal["forked", "started"], count: int) -> list[float]:
    """Return the seconds from asking for a kernel to its first reply, of so many after a first one."""
    with tempfile.TemporaryDirectory(prefix="spoc-kernel-") as folder:
        _write_kernelspec(Path(folder) / "measured", how)
        return [_ready_seconds(folder) for _ in range(count + 1)][1:]


def _write_kernelspec(folder: Path, how: str) -> None:
    folder.mkdir()
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Measured",
        "language": "python",
        "metadata": {"kernel_provisioner": _PROVISIONERS[how]},
    }
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _ready_seconds(folder: str) -> float:
    specs = KernelSpecManager(kernel_dirs=[folder])
    manager = KernelManager(kernel_name="measured", kernel_spec_manager=specs)
    start = time.perf_counter()
    manager.start_kernel()
    client = manager.client()
    try:
        _wait_for_reply(client)
        return time.perf_counter() - start
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def _wait_for_reply(client: BlockingKernelClient) -> None:
    client.start_channels(iopub=False, stdin=False, hb=False)
    client.kernel_info(reply=True, timeout=ANSWER_SECONDS)
