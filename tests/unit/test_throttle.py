"""Guessing gets slower, and costs bounded memory."""

from __future__ import annotations

import pytest

from course.roster import LARGEST_COHORT
from hub_config.throttle import SignInThrottle, Throttle, client_address

pytestmark = pytest.mark.quick


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(free=3, longest_seconds=60, forget_seconds=3600, max_keys=100, clock=clock)


def attempt(throttle: Throttle, key: str, times: int = 1) -> None:
    for _ in range(times):
        throttle.count(key)


def test_the_first_attempts_are_free(throttle: Throttle) -> None:
    attempt(throttle, "ada", 2)
    assert throttle.wait_seconds("ada") == 0


def test_each_wait_is_twice_the_one_before_up_to_a_limit(throttle: Throttle) -> None:
    attempt(throttle, "ada", 3)
    waits = []
    for _ in range(8):
        waits.append(throttle.wait_seconds("ada"))
        attempt(throttle, "ada")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    attempt(throttle, "ada", 2000)
    assert throttle.wait_seconds("ada") == 60


def test_a_wait_ends(throttle: Throttle, clock: Clock) -> None:
    attempt(throttle, "ada", 4)
    clock.now = 1.5
    assert throttle.wait_seconds("ada") == 0.5
    clock.now = 2
    assert throttle.wait_seconds("ada") == 0


def test_a_success_forgets_a_name_but_takes_back_one_attempt_of_an_address(throttle: Throttle) -> None:
    attempt(throttle, "address", 5)
    throttle.undo("address")
    assert throttle.wait_seconds("address") == 2
    throttle.forget("address")
    throttle.undo("address")
    assert throttle.wait_seconds("address") == 0


def test_one_name_does_not_slow_another(throttle: Throttle) -> None:
    attempt(throttle, "al", 50)
    assert throttle.wait_seconds("alice") == 0


def test_old_attempts_are_forgotten(throttle: Throttle, clock: Clock) -> None:
    attempt(throttle, "ada", 50)
    clock.now = 3600
    assert throttle.wait_seconds("ada") == 0
    attempt(throttle, "ada")
    assert throttle.wait_seconds("ada") == 0


def test_many_names_take_bounded_memory_and_the_newest_are_kept(throttle: Throttle) -> None:
    for number in range(1000):
        attempt(throttle, f"name {number}", 5)
    assert len(throttle._attempts) == 100
    assert throttle.wait_seconds("name 999") > 0
    assert throttle.wait_seconds("name 1") == 0


def test_wrong_passwords_from_one_address_delay_the_owner_nowhere_else(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    for _ in range(6):
        throttle.count("ada", "203.0.113.1")
    assert throttle.wait_seconds("ada", "203.0.113.1") > 0
    assert throttle.wait_seconds("ada", "198.51.100.7") == 0
    assert throttle.wait_seconds("ben", "203.0.113.1") == 0


def test_one_guesser_who_never_stops_delays_the_owner_by_seconds_at_most(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    longest = 0.0
    while clock.now < 6 * 3600:
        clock.now += throttle.wait_seconds("ada", "203.0.113.1")
        throttle.count("ada", "203.0.113.1")
        longest = max(longest, throttle.wait_seconds("ada", "198.51.100.7"))
    assert 0 < longest <= 5


def test_guessing_at_a_name_from_ever_new_addresses_is_slowed(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    for number in range(110):
        throttle.count("ada", f"2001:db8::{number}")
    assert throttle.wait_seconds("ada", "198.51.100.7") == 5
    assert throttle.wait_seconds("ben", "198.51.100.7") == 0


def test_a_class_behind_one_address_signs_in_without_waiting(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    for number in range(200):
        assert throttle.wait_seconds(f"learner-{number}", "203.0.113.1") == 0
        throttle.count(f"learner-{number}", "203.0.113.1")
        throttle.succeeded(f"learner-{number}", "203.0.113.1")


def test_an_attempt_that_was_turned_away_unheard_counts_nowhere(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    for _ in range(200):
        assert throttle.wait_seconds("ada", "203.0.113.1") == 0
        throttle.count("ada", "203.0.113.1")
        throttle.not_tried("ada", "203.0.113.1")


def test_a_whole_cohort_at_once_behind_one_address_signs_in_without_waiting(clock: Clock) -> None:
    throttle = SignInThrottle(clock)
    for number in range(LARGEST_COHORT):
        assert throttle.wait_seconds(f"learner-{number}", "203.0.113.1") == 0
        throttle.count(f"learner-{number}", "203.0.113.1")


@pytest.mark.parametrize(
    ("forwarded", "trusted", "address"),
    [
        ("", (), "peer"),
        ("198.51.100.7", (), "198.51.100.7"),
        ("forged, 198.51.100.7", (), "198.51.100.7"),
        ("forged, 198.51.100.7, 127.0.0.1", ("127.0.0.1",), "198.51.100.7"),
        ("127.0.0.1", ("127.0.0.1",), "peer"),
    ],
)
def test_the_address_that_counts_is_what_our_own_proxy_saw(
    forwarded: str, trusted: tuple[str, ...], address: str
) -> None:
    assert client_address(forwarded, "peer", trusted) == address
