"""Attacks over sockets."""

from __future__ import annotations

import socket


def families() -> list[int]:
    """Return the families of which a socket can be made, of any kind."""
    return sorted({family for family in range(64) if any(_makes(family, kind) for kind in range(1, 7))})


def raw_socket() -> bool:
    return any(_makes(family, socket.SOCK_RAW) for family in (socket.AF_INET, socket.AF_INET6))


def packet_socket() -> bool:
    return _makes(socket.AF_PACKET, socket.SOCK_RAW)


def interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def connect(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=1):
        return True


def send_datagram(host: str, port: int, word: str) -> bool:
    """Send; whoever listens there says whether it came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(word.encode(), (host, port))
    return True


def resolve(name: str) -> bool:
    return bool(socket.getaddrinfo(name, 443))


def connect_unix(address: str) -> bool:
    """Connect to a unix socket; an address that starts with `@` is an abstract one."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect("\0" + address[1:] if address.startswith("@") else address)
        return True


KEPT: list[socket.socket] = []


def listen_unix(address: str) -> bool:
    """Listen at an abstract address for as long as this process lives; True, as it may among its own."""
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0" + address[1:])
    server.listen()
    KEPT.append(server)
    return True


def listen_tcp() -> int:
    """Listen at the loopback for as long as this process lives; return the port."""
    server = socket.create_server(("127.0.0.1", 0))
    KEPT.append(server)
    return int(server.getsockname()[1])


def change_interface() -> bool:
    """Ask the kernel for another interface, by netlink: RTM_NEWLINK of kind `dummy`."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.settimeout(1)
        kind = b"\x10\x00\x12\x00" + b"\x0a\x00\x01\x00dummy\x00\x00\x00"
        body = bytes(16) + kind
        header = (16 + len(body)).to_bytes(4, "little") + (16).to_bytes(2, "little")
        netlink.send(header + (0x0605).to_bytes(2, "little") + bytes(8) + body)
        answer = netlink.recv(4096)
        return int.from_bytes(answer[16:20], "little", signed=True) == 0


def _makes(family: int, kind: int) -> bool:
    try:
        socket.socket(family, kind).close()
    except OSError:
        return False
    return True
