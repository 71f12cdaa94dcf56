"""Secrets from files: each of them, nothing else, and never two answers to one question."""

from __future__ import annotations

from pathlib import Path

import pytest

from waypost.kernel.secret_files import LARGEST, UnusableFile, is_secret
from waypost.kernel.settings import Settings

SECRETS = {name for name, field in Settings.model_fields.items() if is_secret(field)}


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name.upper(), raising=False)


def test_which_settings_are_secrets() -> None:
    assert {
        "database_url",
        "database_owner_url",
        "redis_url",
        "secret_key",
        "smtp_password",
        "s3_secret_key",
    } <= SECRETS
    assert not {"host", "public_url", "smtp_username", "database_ca_file"} & SECRETS


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_each_can_come_from_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("  a very long secret, such as a vault gives\n")
    monkeypatch.setenv(f"{name.upper()}_FILE", str(file))
    found = getattr(Settings(), name)
    assert found.get_secret_value() == "  a very long secret, such as a vault gives", (
        "only the line's end is not part of it"
    )
    assert "vault" not in str(Settings())


@pytest.mark.parametrize("content", ["", "\n", "x" * (LARGEST + 1), None])
def test_a_file_that_holds_none_is_named(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("SMTP_PASSWORD_FILE", str(file))
    with pytest.raises(UnusableFile, match="SMTP_PASSWORD_FILE names a file that"):
        Settings()


def test_one_way_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file")
    monkeypatch.setenv("SMTP_PASSWORD_FILE", str(file))
    monkeypatch.setenv("SMTP_PASSWORD", "from the environment")
    with pytest.raises(UnusableFile, match="both set"):
        Settings()
