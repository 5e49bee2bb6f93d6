"""An IPython kernel without sockets: built once, before any learner's code, and complete in each fork."""

from __future__ import annotations

import asyncio
import linecache
import logging
import os
import selectors
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session, extract_header
from traitlets import Instance
from traitlets.config import Config

from graders.execution.repeated_work import spare_repeated_work
from graders.execution.streams import CellStream, Outlet
from graders.execution.tracebacks import hide_own_frames, quicken_errors

INLINE_BACKEND = "module://matplotlib_inline.backend_inline"

# The first error of a process costs 80 ms, the first table and figure more: these load what they need. What
# is not imported anyway stays out.
WARM_CELLS = (
    "1 + 1",
    "print('')",
    "%who",
    "1/0",
    "def _f(x):\n    return x + undefined_name\n_f(1)",
    "assert 1 == 2, 'why'",
    "x = = 1",
    "import asyncio; await asyncio.sleep(0)",
)
WARM_TABLE = (
    "import pandas as _p; _d = _p.DataFrame({'k': list('aab'), 'v': [1, 2, 3]}); _d",
    "_d.groupby('k')['v'].sum()",
    "_d.describe()",
    "_d.merge(_d, on='k').sort_values('v_x')",
    "_d.pivot_table(index='k', values='v'); _d.groupby(['k', 'v'])['v'].sum().unstack()",
    "_p.testing.assert_frame_equal(_d, _d)",
    "_d.to_dict(); _d.to_string(); _d.to_csv()",
    "_d['b']",
)
WARM_ARRAY = ("import numpy as _n; _n.testing.assert_allclose(1, 1); _n.random.default_rng(1)",)
WARM_FIGURE = ("import matplotlib.pyplot as _q; _q.plot([1, 2]); _q.show()", "_q.close('all')")


class CapturedSession(Session):
    """Hands messages to an outlet instead of packing, signing and sending them."""

    outlet = Instance(Outlet)

    def send(  # type: ignore[override]  # nobody uses what the original returns
        self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **_how: Any
    ) -> None:
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["header"]["msg_type"], msg_or_type["content"]
            header = msg_or_type["parent_header"]
        else:
            kind, header = msg_or_type, extract_header(parent or {})
        if not _is_json(content):
            # What repr methods return can be anything; packing makes JSON of it or fails, as in any kernel.
            content = self.unpack(self.pack(content))
        self.outlet.message(kind, content, header.get("msg_id"))


class CellKernel:
    """The kernel and its streams; `prepare` warms it, `start` makes it the one of this process."""

    def __init__(self) -> None:
        self.outlet = Outlet()
        self.stdout = CellStream("stdout", 1, self.outlet)
        self.stderr = CellStream("stderr", 2, self.outlet)
        self.kernel = _kernel(self.outlet)
        self.shell = self.kernel.shell
        # IPython loads it late, which takes longer than a fork.
        self._script_magics = self.shell.magics_manager.registry["ScriptMagics"]
        self.loop: asyncio.AbstractEventLoop

    def warm(self, extensions: Iterable[str]) -> None:
        """Load IPython extensions, and what first errors, tables and figures load, then forget it all."""
        outputs = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.stdout, self.stderr
        self._enter_loop()
        try:
            for cell in _warm_cells():
                self.loop.run_until_complete(self.execute(cell, "warm"))
        finally:
            sys.stdout, sys.stderr = outputs
            self.loop.close()
            asyncio.set_event_loop(None)
        self.shell.reset(new_session=True)
        # A kernel that has shown nothing yet has these; a reset takes them away.
        self.shell.user_ns.update(dict.fromkeys(("_", "__", "___"), ""))
        self.shell._last_traceback = None  # noqa: SLF001 -- ipykernel's own, read after each cell
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            vars(sys).pop(name, None)
        linecache.clearcache()
        for extension in extensions:
            self.shell.extension_manager.load_extension(extension)

    def start(self) -> None:
        """Take the place of this process's standard streams, and of its event loop."""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self.stdout.start()
        self.stderr.start()
        sys.stdout, sys.stderr = self.stdout, self.stderr
        self._enter_loop()
        _put_folder_on_path()
        # The one that was made before the fork lies in a folder that this process has not.
        Path(self.shell.profile_dir.location).mkdir(parents=True, exist_ok=True)

    def _enter_loop(self) -> None:
        # This selector keeps nothing in the system that a fork would share.
        self.loop = asyncio.SelectorEventLoop(selectors.PollSelector())
        asyncio.set_event_loop(self.loop)
        # An interrupt calls from a signal handler, in which the loop itself would not be woken.
        self.kernel.io_loop = SimpleNamespace(
            add_callback=self.loop.call_soon_threadsafe, call_later=self.loop.call_later
        )
        self.kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.current_thread())

    def go_on_after_fork(self) -> None:
        """Replace what a fork of a running kernel shares with its parent, or has lost with its threads."""
        self.stdout.start()
        self.stderr.start()
        self._script_magics.event_loop = None

    async def execute(self, source: str, cell: str) -> dict[str, Any]:
        """Run a cell; return the content of the reply that a kernel would send."""
        request = {
            "header": {"msg_id": cell, "msg_type": "execute_request"},
            "parent_header": {},
            "metadata": {},
            "content": {"code": source},
        }
        self.kernel.set_parent([b""], request)
        for stream in (self.stdout, self.stderr):
            stream.set_parent(request)
        reply: dict[str, Any] = await self.kernel.do_execute(
            source, silent=False, store_history=True, allow_stdin=False
        )
        sys.stdout.flush()
        sys.stderr.flush()
        return reply


def _kernel(outlet: Outlet) -> Any:
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    # Nobody asks for the history of another session: no cell waits for a database.
    config.HistoryManager.db_cache_size = 1_000_000
    session = CapturedSession(config=config, key=b"", outlet=outlet)
    os.environ["MPLBACKEND"] = INLINE_BACKEND
    kernel = IPythonKernel.instance(config=config, session=session, log=logging.getLogger(__name__))
    if (matplotlib := sys.modules.get("matplotlib")) is not None:
        # The backend connects to the shell when the first figure loads it, if this says so by then.
        matplotlib.rcParams["backend"] = INLINE_BACKEND
    # Ends a kernel in the middle of a notebook; those who leave it there do not mean the cells that follow.
    # Magics look for the kernel by its application.
    IPKernelApp.instance().kernel = kernel
    shell: Any = kernel.shell
    shell.ask_exit = lambda: None
    quicken_errors(shell)
    spare_repeated_work()
    hide_own_frames(shell)
    return kernel


def _put_folder_on_path() -> None:
    """Let a notebook import what lies beside it, as IPython does: after the standard library."""
    if "" not in sys.path:
        libraries = (at for at, path in enumerate(sys.path) if "site-packages" in Path(path).parts)
        sys.path.insert(next(libraries, len(sys.path)), "")


def _warm_cells() -> Iterable[str]:
    yield from WARM_CELLS
    if "numpy" in sys.modules:
        yield from WARM_ARRAY
    if "pandas" in sys.modules:
        yield from WARM_TABLE
    if "matplotlib.pyplot" in sys.modules:
        yield from WARM_FIGURE


def _is_json(value: object) -> bool:
    """Return whether a message's content is plain; without NaN, which JSON has not."""
    if isinstance(value, str | bool | int | None):
        return True
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return isinstance(value, list) and all(map(_is_json, value))
