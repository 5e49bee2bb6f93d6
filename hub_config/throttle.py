"""Guessing at passwords gets slower with each wrong guess."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Attempts:
    failed: int
    last: float


class Throttle:
    """Counts failed attempts for each key and says how long the next one has to wait.

    The first `free` attempts cost nothing; after that each wait is twice the one before, from one second
    up to `longest_seconds`. An attempt counts as failed from its start, so that a hundred at once are a
    hundred. A key is forgotten `forget_seconds` after its last attempt, or when `max_keys` newer ones came:
    memory is bounded.
    """

    def __init__(
        self,
        *,
        free: int,
        longest_seconds: float = 60,
        forget_seconds: float = 3600,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._longest = longest_seconds
        self._forget = forget_seconds
        self._max_keys = max_keys
        self._clock = clock
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    def wait_seconds(self, key: str) -> float:
        """Return how long `key` has to wait before its next attempt; 0 when it may go on."""
        attempts = self._find(key)
        if attempts is None or attempts.failed < self._free:
            return 0.0
        # 2**60 seconds are more than any limit; a greater power would overflow.
        wait = min(2.0 ** min(attempts.failed - self._free, 60), self._longest)
        return max(0.0, attempts.last + wait - self._clock())

    def count(self, key: str) -> None:
        """Count an attempt, as failed until `undo` or `forget` says otherwise."""
        attempts = self._find(key) or _Attempts(0, 0.0)
        self._attempts[key] = _Attempts(attempts.failed + 1, self._clock())
        self._attempts.move_to_end(key)
        while len(self._attempts) > self._max_keys:
            self._attempts.popitem(last=False)

    def undo(self, key: str) -> None:
        """Take back one counted attempt: it succeeded, which says nothing of the others."""
        attempts = self._find(key)
        if attempts is not None:
            attempts.failed = max(0, attempts.failed - 1)

    def forget(self, key: str) -> None:
        """Forget every attempt of `key`."""
        self._attempts.pop(key, None)

    def _find(self, key: str) -> _Attempts | None:
        attempts = self._attempts.get(key)
        if attempts is not None and self._clock() - attempts.last >= self._forget:
            del self._attempts[key]
            return None
        return attempts


class SignInThrottle:
    """Counts attempts to sign in: of one name from one address, of an address, and of a name.

    By a name alone anybody could keep its owner out, so that bound is wide and its waits are short: a single
    guesser, whom the other counts make wait a minute by then, leaves gaps for the owner.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_both = Throttle(free=5, clock=clock)
        # A whole class may stand behind one address, and mistype.
        self._by_address = Throttle(free=60, clock=clock)
        self._by_name = Throttle(free=100, longest_seconds=5, clock=clock)

    def wait_seconds(self, name: str, address: str) -> float:
        """Return how long the next attempt has to wait; 0 when it may go on."""
        return max(throttle.wait_seconds(key) for throttle, key in self._counts(name, address))

    def count(self, name: str, address: str) -> None:
        """Count an attempt, as failed until `succeeded` says otherwise."""
        for throttle, key in self._counts(name, address):
            throttle.count(key)

    def succeeded(self, name: str, address: str) -> None:
        """Forget what the owner of `name` mistyped here; take back one attempt of all others that count."""
        both, *others = self._counts(name, address)
        both[0].forget(both[1])
        for throttle, key in others:
            throttle.undo(key)

    def not_tried(self, name: str, address: str) -> None:
        """Take back an attempt that was counted but whose password nobody looked at."""
        for throttle, key in self._counts(name, address):
            throttle.undo(key)

    def _counts(self, name: str, address: str) -> tuple[tuple[Throttle, str], ...]:
        return (
            (self._by_both, f"{name} {address}"),
            (self._by_address, address),
            (self._by_name, name),
        )


def client_address(forwarded: str, peer: str, trusted: Sequence[str]) -> str:
    """Return the address that the outermost proxy of ours saw; an attacker cannot choose it.

    JupyterHub's own choice prefers `X-Real-Ip`, which a client may write.

    Args:
        forwarded: The `X-Forwarded-For` header: each proxy appends what it saw.
        peer: Who connected to the hub, when no proxy did.
        trusted: Proxies of ours in front of JupyterHub's.
    """
    seen = [address.strip() for address in reversed(forwarded.split(","))]
    return next((address for address in seen if address and address not in trusted), peer)
