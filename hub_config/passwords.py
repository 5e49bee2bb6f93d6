"""Passwords as argon2id hashes, computed away from the hub's event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from course.accounts import LONGEST_PASSWORD, same_password

# One hash takes 64 MiB: a burst of sign-ins must not take the machine's memory.
CONCURRENT_HASHES = 2

MOST_WAITING = 64
"""Hashes that may wait for a turn, a whole cohort's with room to spare: the last one waits a few seconds."""


class TooManyHashes(Exception):
    """So many wait for their turn already that this one would come too late for a person before a page."""


class Passwords:
    """Hashes and verifies; both take some 100 ms of the machine by design, so they take turns.

    Each raises `TooManyHashes` when `MOST_WAITING` others wait.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._slots = asyncio.Semaphore(CONCURRENT_HASHES)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return a salted hash of `password`."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, same_password(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Tell whether `password` is the one; takes as long when there is no hash to compare with."""
        async with self._turn():
            return await asyncio.to_thread(self._matches, password_hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether the password should be hashed again, with today's parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise TooManyHashes
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    def _matches(self, password_hash: str | None, password: str) -> bool:
        try:
            self._hasher.verify(
                password_hash or self._nobody, same_password(password[: LONGEST_PASSWORD + 1])
            )
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None
