"""Whether the addresses a process wants to listen on can be had, told before it starts."""

import socket


class PortTaken(Exception):
    """An address cannot be listened on; the message says why and what to do."""


def check_port(host: str, port: int) -> None:
    """Return when host and port can be listened on. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{host}:{port} cannot be used: {error.strerror}. Choose another port in fleet.toml") from error
