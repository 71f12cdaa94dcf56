"""What the notifications room does, as facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class NotificationCreated(Event):
    """A person was told something in the app."""

    type: ClassVar[str] = "notification.created"
    object_type: ClassVar[str] = "user"
    user_id: int
    notification_id: int
    kind: str
    ticket_id: int | None

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class ChannelFailed(Event):
    """Nothing goes out by a channel any more until somebody looks: wrong settings, or a system that stays away."""

    type: ClassVar[str] = "channel.failed"
    object_type: ClassVar[str] = "notification_channel"
    channel: str
    why: str

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class PreferencesChanged(Event):
    """Somebody chose how they want to be told; `changed` names the parts."""

    type: ClassVar[str] = "notification.preferences_changed"
    object_type: ClassVar[str] = "user"
    user_id: int
    changed: list[str]

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class DefaultsChanged(Event):
    """An administrator chose how people are told who chose nothing: of a role, or (null) of the company."""

    type: ClassVar[str] = "notification.defaults_changed"
    object_type: ClassVar[str] = "notification_defaults"
    role_id: int | None
    choices: dict[str, dict[str, bool]]
    mandatory: dict[str, list[str]]
    defaults_version: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def object_id(self) -> int:
        return self.role_id or 0


@dataclass(frozen=True, kw_only=True)
class TemplateEvent(Event):
    object_type: ClassVar[str] = "notification_template"
    key: str
    tells_by: str
    language: str

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class TemplateChanged(TemplateEvent):
    """An administrator put a notice in other words. The words stand among the template's versions."""

    type: ClassVar[str] = "notification.template_changed"
    template_version: int


@dataclass(frozen=True, kw_only=True)
class TemplateReset(TemplateEvent):
    """A notice is told in its built-in words again."""

    type: ClassVar[str] = "notification.template_reset"
    template_version: int


@dataclass(frozen=True, kw_only=True)
class TemplateTested(TemplateEvent):
    """An administrator sent themselves what a template says."""

    type: ClassVar[str] = "notification.template_tested"


@dataclass(frozen=True, kw_only=True)
class ChannelEvent(Event):
    object_type: ClassVar[str] = "notification_channel"
    channel: str

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class ChannelSetUp(ChannelEvent):
    """An administrator set a channel up, or switched it. Of secrets only whether there is one, and that it is another."""

    type: ClassVar[str] = "channel.set_up"
    is_on: bool
    changed: list[str]
    settings_version: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ChannelTested(ChannelEvent):
    """An administrator sent themselves a message by a channel."""

    type: ClassVar[str] = "channel.tested"


@dataclass(frozen=True, kw_only=True)
class DeliveriesSentAgain(Event):
    """An administrator had messages tried again that were given up: the first hundred by id, and how many in all."""

    type: ClassVar[str] = "notification.sent_again"
    object_type: ClassVar[str] = "notification_delivery"
    delivery_ids: list[int]
    count: int
    filters: dict[str, str]

    @property
    def object_id(self) -> int:
        return self.delivery_ids[0] if self.count == 1 else 0


@dataclass(frozen=True, kw_only=True)
class ContactPointAdded(Event):
    """Somebody said where a channel reaches them."""

    type: ClassVar[str] = "contact_point.added"
    object_type: ClassVar[str] = "user"
    user_id: int
    point_id: int
    channel: str

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class ContactPointRemoved(Event):
    """Somebody took away where a channel reached them."""

    type: ClassVar[str] = "contact_point.removed"
    object_type: ClassVar[str] = "user"
    user_id: int
    point_id: int
    channel: str

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class PhoneEvent(Event):
    object_type: ClassVar[str] = "user"
    user_id: int

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class PhoneAsked(PhoneEvent):
    """Somebody says that a phone is theirs: a code went to it."""

    type: ClassVar[str] = "phone.asked"
    point_id: int


@dataclass(frozen=True, kw_only=True)
class PhoneProved(PhoneEvent):
    """Somebody entered the code: the phone is theirs from now on. `phone` shows its end only."""

    type: ClassVar[str] = "phone.proved"
    point_id: int
    phone: str


@dataclass(frozen=True, kw_only=True)
class PhoneStopped(PhoneEvent):
    """STOP came from a phone: nothing goes there any more."""

    type: ClassVar[str] = "phone.stopped"
    point_id: int


@dataclass(frozen=True, kw_only=True)
class PhoneResumed(PhoneEvent):
    """START came from a phone that had said STOP."""

    type: ClassVar[str] = "phone.resumed"
    point_id: int


@dataclass(frozen=True, kw_only=True)
class ReplyCodesVoided(PhoneEvent):
    """Too many wrong codes came from a phone: those it could still answer with are void."""

    type: ClassVar[str] = "phone.codes_voided"
    phone: str


@dataclass(frozen=True, kw_only=True)
class SmsAnswered(PhoneEvent):
    """Somebody's text message was answered with another. What either said is not kept."""

    type: ClassVar[str] = "sms.answered"
    outcome: str
    step_id: int | None
