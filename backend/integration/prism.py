"""Prism: a server that holds calls to a published OpenAPI document, and answers with its examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration.systems import npm, running
from waypost.kernel.embedded import free_port

CONTRACTS = Path(__file__).parent / "contracts"


@contextmanager
def prism(contract: str) -> Iterator[str]:
    """The address of a service that keeps to a contract of ours."""
    programs = npm("@stoplight/prism-cli", "5.14.2")
    port = free_port()
    command = (str(programs / "prism"), "mock", "-h", "127.0.0.1", "-p", str(port), str(CONTRACTS / contract))
    with running(*command, ready="Prism is listening"):
        yield f"http://127.0.0.1:{port}"
