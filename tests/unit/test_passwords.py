"""Passwords are kept as argon2id hashes and compared as people type them."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher

from hub_config.passwords import CONCURRENT_HASHES, MOST_WAITING, Passwords, TooManyHashes

pytestmark = pytest.mark.quick


async def test_a_password_matches_its_hash_and_no_other() -> None:
    passwords = Passwords()
    password_hash = await passwords.hash("correct horse battery")
    assert password_hash.startswith("$argon2id$")
    assert await passwords.matches(password_hash, "correct horse battery")
    assert not await passwords.matches(password_hash, "correct horse batterz")
    assert not await passwords.matches(password_hash, "")


async def test_without_a_hash_nothing_matches_though_it_is_tried() -> None:
    assert not await Passwords().matches(None, "correct horse battery")


async def test_a_damaged_hash_matches_nothing() -> None:
    assert not await Passwords().matches("damaged", "correct horse battery")


async def test_an_accent_typed_as_two_characters_is_the_same() -> None:
    passwords = Passwords()
    assert await passwords.matches(await passwords.hash("cafe\u0301 au lait"), "caf\u00e9 au lait")


async def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    passwords = Passwords()
    assert passwords.is_outdated(PasswordHasher(time_cost=1).hash("correct horse battery"))
    assert not passwords.is_outdated(await passwords.hash("correct horse battery"))


async def test_a_flood_is_refused_at_once_and_whoever_waited_is_served() -> None:
    passwords = Passwords()
    room = CONCURRENT_HASHES + MOST_WAITING
    checks = [asyncio.ensure_future(passwords.matches(None, "guess")) for _ in range(room + 10)]
    answers = await asyncio.gather(*checks, return_exceptions=True)
    assert answers == [False] * room + [answer for answer in answers if isinstance(answer, TooManyHashes)]
    assert len(answers) == room + 10
    assert not await passwords.matches(None, "afterwards there is room again")


async def test_whoever_gives_up_waiting_leaves_the_room_to_others() -> None:
    passwords = Passwords()
    checks = [
        asyncio.ensure_future(passwords.matches(None, "guess"))
        for _ in range(CONCURRENT_HASHES + MOST_WAITING)
    ]
    await asyncio.sleep(0)
    for check in checks[CONCURRENT_HASHES:]:
        check.cancel()
    await asyncio.gather(*checks, return_exceptions=True)
    assert not await passwords.matches(None, "guess")
