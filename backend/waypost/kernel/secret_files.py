"""Secrets from files: `NAME_FILE` names a file that holds the value of `NAME`, as Docker, systemd and vault agents give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

LARGEST = 64 * 1024


class UnusableFile(Exception):
    """Why a secret cannot be had from a file, as a sentence without its end."""


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is one that nobody should read."""
    return "SecretStr" in str(field.annotation) or field.annotation is SecretStr


class SecretFiles(PydanticBaseSettingsSource):
    """The settings that are secrets, each from the file its `NAME_FILE` names.

    Raises `UnusableFile` when the file cannot be read, or the secret is given both ways.
    """

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self._names = [name for name, field in settings.model_fields.items() if is_secret(field)]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value, its name, and that it is plain text."""
        variable = f"{field_name.upper()}_FILE"
        where = os.environ.get(variable)
        if not where:
            return None, field_name, False
        if os.environ.get(field_name.upper()):
            raise UnusableFile(f"{field_name.upper()} and {variable} are both set: one of them is enough")
        try:
            with Path(where).open("rb") as file:
                value = file.read(LARGEST + 1)
        except OSError as unreadable:
            raise UnusableFile(f"{variable} names a file that cannot be read: {unreadable.strerror}") from unreadable
        if not value.strip() or len(value) > LARGEST:
            raise UnusableFile(f"{variable} names a file that holds no secret")
        return value.decode(errors="replace").strip("\r\n"), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name in self._names:
            value, _, _ = self.get_field_value(self.settings_cls.model_fields[name], name)
            if value is not None:
                found[name] = value
        return found
