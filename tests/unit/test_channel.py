"""Messages between processes of which one may be hostile."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from graders.forkserver.channel import (
    MAX_DEPTH,
    BadMessage,
    Channel,
    ChannelClosed,
    MessageTooLarge,
    channel_pair,
)

pytestmark = pytest.mark.quick


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    left, right = channel_pair(max_bytes=100_000)
    with left, right:
        yield left, right


@pytest.fixture
def raw() -> Iterator[tuple[socket.socket, Channel]]:
    """A socket that sends what it likes to a channel."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, Channel(theirs, max_bytes=1000) as channel:
        yield ours, channel


def framed(header: bytes, *sizes: int) -> bytes:
    return struct.pack("!II", len(header), len(sizes)) + struct.pack(f"!{len(sizes)}Q", *sizes) + header


def test_a_message_arrives_as_it_was_sent(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send({"op": "run", "text": "é\ud800", "n": [1, 2.5, None]}, b"one", b"", memoryview(b"three"))
    left.send({})
    message = right.receive(timeout=5)
    assert message.header == {"op": "run", "text": "é\ud800", "n": [1, 2.5, None]}
    assert message.buffers == (b"one", b"", b"three")
    assert right.receive(timeout=5).header == {}


def test_a_message_larger_than_the_socket_holds_arrives_whole() -> None:
    left, right = channel_pair()
    buffers = [bytes([n % 256]) * 9000 for n in range(1500)]
    with left, right:
        sender = threading.Thread(target=left.send, args=({"op": "files"}, *buffers))
        sender.start()
        assert right.receive(timeout=20).buffers == tuple(buffers)
        sender.join()


def test_descriptors_arrive_where_they_are_taken() -> None:
    left, right = channel_pair(max_fds=1)
    reading, writing = os.pipe()
    with left, right:
        left.send({"op": "snapshot"}, fds=[writing])
        os.close(writing)
        (received,) = right.receive(timeout=5).fds
        assert not os.get_inheritable(received)
        os.write(received, b"x")
        assert os.read(reading, 1) == b"x"
        os.close(received)
        os.close(reading)


def test_descriptors_are_closed_where_none_is_taken(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    reading, writing = os.pipe()
    left.send({}, fds=[writing])
    os.close(writing)
    assert right.receive(timeout=5).fds == ()
    assert os.read(reading, 1) == b"", "somebody holds the writing end"
    os.close(reading)


def test_more_descriptors_than_are_taken_are_refused_and_closed() -> None:
    left, right = channel_pair(max_fds=1)
    reading, writing = os.pipe()
    with left, right:
        left.send({}, fds=[writing] * 5)
        os.close(writing)
        with pytest.raises(BadMessage, match="More than 1"):
            right.receive(timeout=5)
        assert os.read(reading, 1) == b""
        os.close(reading)


def test_descriptors_of_a_message_that_never_ends_are_closed() -> None:
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    with ours, Channel(theirs, max_fds=4) as channel:
        socket.send_fds(ours, [framed(b"{}")[:3]], [writing])
        os.close(writing)
        with pytest.raises(TimeoutError):
            channel.receive(timeout=0)
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_a_message_that_comes_in_pieces_is_received_after_time_outs(
    raw: tuple[socket.socket, Channel],
) -> None:
    sender, channel = raw
    for byte in framed(b'{"a":1}', 2) + b"x":
        sender.send(bytes([byte]))
        with pytest.raises(TimeoutError):
            channel.receive(timeout=0)
    sender.send(b"y")
    message = channel.receive(timeout=5)
    assert (message.header, message.buffers) == ({"a": 1}, (b"xy",))


def test_who_does_not_read_cannot_hold_a_sender() -> None:
    left, right = channel_pair()
    with left, right:
        with pytest.raises(TimeoutError):
            left.send({}, bytes(10_000_000), timeout=0.05)
        with pytest.raises(ChannelClosed):
            left.send({})


@pytest.mark.parametrize("whole", [False, True])
def test_the_end_of_the_other_side_is_told(raw: tuple[socket.socket, Channel], whole: bool) -> None:
    sender, channel = raw
    sender.send(framed(b"{}") if whole else framed(b"{}")[:-1])
    sender.close()
    if whole:
        assert channel.receive(timeout=5).header == {}
    with pytest.raises(ChannelClosed):
        channel.receive(timeout=5)
    with pytest.raises(ChannelClosed):
        channel.send({})


@pytest.mark.parametrize(
    "announced",
    [
        struct.pack("!II", 1001, 0),
        struct.pack("!II", 2**32 - 1, 0),
        struct.pack("!II", 2, 2**32 - 1),
        struct.pack("!IIQ", 2, 1, 999),
        struct.pack("!IIQ", 2, 1, 2**64 - 1),
        struct.pack("!II1000Q", 2, 1000, *[1] * 1000),
    ],
)
def test_a_message_is_refused_before_it_comes(raw: tuple[socket.socket, Channel], announced: bytes) -> None:
    sender, channel = raw
    sender.sendall(announced)
    with pytest.raises(MessageTooLarge):
        channel.receive(timeout=5)
    with pytest.raises(ChannelClosed):
        channel.receive(timeout=5)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff\xfe{}",
        b'{"a": "\xff"}',
        b'{"a":' + b"9" * 900 + b"e}",
        b'{"a":' * 150 + b"1" + b"}" * 150,
        b"[" * 999,
        b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    ],
)
def test_a_hostile_header_is_refused(raw: tuple[socket.socket, Channel], header: bytes) -> None:
    sender, channel = raw
    sender.sendall(framed(header))
    with pytest.raises(BadMessage):
        channel.receive(timeout=5)


def test_a_header_so_deep_that_python_gives_up_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, Channel(theirs) as channel:
        ours.sendall(framed(b"[" * 50_000))
        with pytest.raises(BadMessage):
            channel.receive(timeout=5)


def test_a_header_with_many_brackets_that_is_not_deep_is_received(
    raw: tuple[socket.socket, Channel],
) -> None:
    sender, channel = raw
    header = {"rows": [[n] for n in range(100)]}
    sender.sendall(framed(json.dumps(header).encode()))
    assert channel.receive(timeout=5).header == header


def test_what_is_no_json_is_not_sent(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    for header in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises((ValueError, TypeError)):
            left.send(header)
    with pytest.raises(MessageTooLarge):
        left.send({}, bytes(100_000))
    left.send({"after": True})
    assert right.receive(timeout=5).header == {"after": True}
