"""Passwords are kept as argon2id hashes and compared as people type them."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from hub_config.passwords import Passwords

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
