"""What happens to automation rules themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RuleEvent(Event):
    object_type: ClassVar[str] = "automation_rule"
    rule_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.rule_id


@dataclass(frozen=True, kw_only=True)
class RuleCreated(RuleEvent):
    """Somebody wrote a rule; `after` is its document."""

    type: ClassVar[str] = "automation.rule_created"
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuleChanged(RuleEvent):
    """A rule was changed: the parts that differ, before and after. Of a secret only that there is another."""

    type: ClassVar[str] = "automation.rule_changed"
    rule_version: int
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuleRemoved(RuleEvent):
    """A rule was taken away; `before` is its document."""

    type: ClassVar[str] = "automation.rule_removed"
    before: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RulesOrdered(Event):
    """The rules are asked in another order: their names, before and after."""

    type: ClassVar[str] = "automation.rules_ordered"
    object_type: ClassVar[str] = "automation"
    before: list[str]
    after: list[str]

    @property
    def object_id(self) -> int:
        return 0
