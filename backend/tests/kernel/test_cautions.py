"""What an operator is told of the settings: what is open to others, and what is not encrypted."""

from __future__ import annotations

from typing import Any

import pytest

from waypost.kernel.cautions import cautions, is_open_demo, is_this_machine, unencrypted
from waypost.kernel.settings import Settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests, or whoever runs them, have set is not told of here."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


SAFE = {"demo": False, "public_url": "https://waypost.example.org", "smtp_host": "mail.example.org"}


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, set()),
        ({"database_url": "postgresql://w:p@127.0.0.1/w", "redis_url": "redis://localhost:6379/0"}, set()),
        ({"database_url": "postgresql://w:p@/w?host=/run/postgresql"}, set()),
        ({"database_url": "postgresql://w:p@db.example.org/w?sslmode=verify-full"}, set()),
        ({"database_url": "postgresql://w:p@db.example.org/w", "database_ca_file": "ca.pem"}, set()),
        ({"redis_url": "rediss://cache.example.org/0", "clamd_url": "tls://scan.example.org:3311"}, set()),
        ({"clamd_url": "unix:///run/clamd.sock"}, set()),
        ({"clamd_url": "tcp://127.0.0.1:3310"}, set()),
        ({"database_url": "postgresql://w:p@db.example.org/w"}, {"plain_database"}),
        ({"database_url": "postgresql://w:p@db.example.org/w?sslmode=prefer"}, {"plain_database"}),
        ({"database_owner_url": "postgresql://w:p@db.example.org/w"}, {"plain_database"}),
        ({"redis_url": "redis://:p@cache.example.org/0"}, {"plain_cache"}),
        ({"clamd_url": "tcp://scan.example.org:3310"}, {"plain_scanner"}),
        ({"smtp_security": "none"}, {"plain_mail"}),
        ({"public_url": "http://waypost.example.org"}, {"plain_web"}),
        ({"demo": True}, {"open_demo"}),
    ],
)
def test_what_is_told(more: dict[str, Any], names: set[str]) -> None:
    settings = Settings(**{**SAFE, **more})
    assert set(cautions(settings)) == names
    assert set(unencrypted(settings)) == names - {"open_demo"}
    assert all(sentence.endswith(".") for sentence in cautions(settings).values())


@pytest.mark.parametrize(
    ("host", "is_this"),
    [("", True), ("localhost", True), ("127.0.0.9", True), ("[::1]", True), ("a.localhost", True), ("0.0.0.0", False),
     ("10.1.1.1", False), ("example.org", False), ("localhost.example.org", False)],
)  # fmt: skip
def test_this_machine(host: str, is_this: bool) -> None:
    assert is_this_machine(host) is is_this


def test_a_demo_is_open_by_where_it_listens_or_what_it_is_called() -> None:
    assert not is_open_demo(Settings(demo=True))
    assert not is_open_demo(Settings(demo=False, host="0.0.0.0"))
    assert is_open_demo(Settings(demo=True, host="0.0.0.0"))
    assert is_open_demo(Settings(demo=True, public_url="https://waypost.example.org"))
