"""A rule's document as it is kept: the addresses it calls are sealed, for tokens stand in them.

What an earlier release kept in the open is read as it is, and sealed by the worker (`seal_plain`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from sqlalchemy import cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.types import TypeDecorator

from waypost.automation.rules import Do
from waypost.kernel.db import Database
from waypost.kernel.sealing import open_text, seal_text

ABOUT = "automation_rules.document"
TASK = "automation.seal"
_SEALED = "~"


def sealed(address: str) -> str:
    """An address as it is kept."""
    return address if address.startswith(_SEALED) else _SEALED + base64.b64encode(seal_text(address, ABOUT)).decode()


def opened(kept: str) -> str:
    """The address again. Raises `Damaged`."""
    if not kept.startswith(_SEALED):
        return kept
    return open_text(base64.b64decode(kept.removeprefix(_SEALED)), ABOUT)


def _with(document: dict[str, Any], how: Callable[[str], str]) -> dict[str, Any]:
    actions = [a | {"url": how(a["url"])} if a["do"] == Do.WEBHOOK else a for a in document["actions"]]
    return {**document, "actions": actions}


class RuleDocument(TypeDecorator[dict[str, Any]]):
    """A rule's document; what calls other systems is sealed on the way in and opened on the way out."""

    impl = JSONB
    cache_ok = True
    seals_parts = True  # for a change of keys (`kernel/sealing.py`)

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Any) -> dict[str, Any] | None:
        return None if value is None else _with(value, sealed)

    def process_result_value(self, value: dict[str, Any] | None, dialect: Any) -> dict[str, Any] | None:
        return None if value is None else _with(value, opened)


async def seal_plain(database: Database) -> None:
    """Seal the addresses that an earlier release kept in the open."""
    from waypost.automation.models import AutomationRule  # noqa: PLC0415 - which is made of this type

    open_url = func.jsonb_path_exists(
        AutomationRule.document, cast('$.actions[*].url ? (!(@ starts with "~"))', JSONPATH)
    )
    async with database.transaction() as session:
        rules = await session.execute(
            select(AutomationRule.id, AutomationRule.document).where(open_url).with_for_update()
        )
        for rule_id, document in rules.all():
            await session.execute(update(AutomationRule).where(AutomationRule.id == rule_id).values(document=document))
