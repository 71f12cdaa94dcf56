"""What people are told about their own sign-in, always and at once: nobody changes it behind their back.

By mail and in the app; a link that opens something stands in the mail only, and is gone from here once it went out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import events as access
from waypost.access import resets
from waypost.access.device_names import device_name
from waypost.access.importing.events import PersonInvited
from waypost.access.models import Credential, LoginSession
from waypost.access.providers.events import IdentityLinked, UsernameFollowed
from waypost.access.providers.models import IdentityProvider
from waypost.access.service import make_password_link
from waypost.access.token_events import TokenMade
from waypost.directory.models import User
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.choices import EMAIL
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import Person, people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

SecurityEvent = (
    access.PasswordSet
    | access.FactorAdded
    | access.FactorRemoved
    | access.RecoveryCodesMade
    | access.RecoveryCodeUsed
    | access.FactorsReset
    | access.NewDevice
    | access.SessionClosed
    | access.PasswordResetAsked
    | PersonInvited
    | TokenMade
    | IdentityLinked
    | UsernameFollowed
)
SECURITY, TOKENS, LOGIN = "/account/security", "/account/tokens", "/login"
_FACTORS = {"totp": "an authenticator app", "passkey": "a passkey"}


@dataclass(frozen=True, slots=True)
class Told:
    """What to tell. `link` opens something, and stands in the mail only; else it leads to `path`."""

    kind: str
    path: str = SECURITY
    action: str = "Look at your sign-in"
    values: dict[str, Any] = field(default_factory=dict)
    link: str = ""


async def tell_person(session: AsyncSession, recorded: Recorded, event: SecurityEvent) -> None:
    """Tell whose account it is. Doing it twice changes nothing."""
    person = (await people_told(session, [event.user_id])).get(event.user_id)
    told = await _told(session, recorded, event) if person else None
    if person is None or told is None:
        return
    values = {
        **told.values,
        "facts": {"When": _when(recorded, person), **told.values.get("facts", {})},
        "link": told.link or f"{get_settings().origin}{told.path}",
        "action": told.action,
        "because": KINDS[told.kind].because,
    }
    texts = await texts_of(session, [told.kind])
    words, retold = texts.words(told.kind, values), texts.retold(told.kind, values)
    topic = f"account.{event.user_id}.{recorded.id}"
    by_mail = [c for c in await channels_in_use(session) if c.key == EMAIL]
    notice = Notice(told.kind, words, told.path, topic, by_mail_only=bool(told.link), retold=retold)
    await tell(session, recorded, person, notice, by_mail)
    await note_broken(session, texts)


def _when(recorded: Recorded, person: Person) -> str:
    at = recorded.at.astimezone(person.zone)
    return f"{at:%A}, {at.day} {at:%B %Y, %H:%M} {at:%Z}"


async def _told(session: AsyncSession, recorded: Recorded, event: SecurityEvent) -> Told | None:
    match event:
        case access.PasswordSet():
            return Told("account.password_set", values={"by_other": recorded.actor_id not in (None, event.user_id)})
        case access.FactorAdded():
            return Told("account.factor_added", values={"factor": _FACTORS.get(event.factor, event.factor)})
        case access.FactorRemoved():
            return Told("account.factor_removed", values={"factor": _FACTORS.get(event.factor, event.factor)})
        case access.RecoveryCodesMade():
            return Told("account.codes_made")
        case access.RecoveryCodeUsed():
            return Told("account.code_used", values={"left": str(event.left)})
        case access.FactorsReset():
            return Told("account.factors_reset", LOGIN, "Sign in")
        case TokenMade():
            values = {"name": event.name, "facts": {"Works until": event.expires_at[:10]}}
            return Told("account.token_made", TOKENS, "Look at your tokens", values)
        case UsernameFollowed():
            return Told("account.username_changed", values={"username": event.after, "username_before": event.before})
        case IdentityLinked():
            return await _linked(session, recorded, event)
        case access.NewDevice():
            return await _new_device(session, event)
        case access.SessionClosed():
            return await _session_over(session, event)
        case access.PasswordResetAsked():
            return await _reset(session, event)
        case PersonInvited():
            return await _invited(session, event)


async def _linked(session: AsyncSession, recorded: Recorded, event: IdentityLinked) -> Told | None:
    """Of an account that is made by a provider nobody is told: it has no person yet whom that could surprise."""
    if event.by == "created":
        return None
    name = await session.scalar(select(IdentityProvider.name).where(IdentityProvider.id == event.provider_id))
    if name is None:
        return None
    by_self, by_address = event.by == "themselves", event.by == "verified_email"
    values = {"provider": name, "by_self": by_self, "by_address": by_address}
    if not (by_self or by_address):  # what a directory looks after, its administrators answer for
        return Told("account.provider_linked", values=values)
    link = await resets.make_not_me_link(session, event.user_id, recorded.at)
    return Told("account.provider_linked", SECURITY, "This was not me", values, link)


async def _new_device(session: AsyncSession, event: access.NewDevice) -> Told | None:
    login = await session.get(LoginSession, event.session_id)
    if login is None:
        return None
    link = await resets.make_not_me_link(session, event.user_id, login.created_at)
    facts = {"Device": device_name(login.user_agent), "Address": event.ip_address}
    return Told("account.new_device", "/account/sessions", "This was not me", {"facts": facts}, link)


async def _session_over(session: AsyncSession, event: access.SessionClosed) -> Told | None:
    """Told when nobody did it: there were too many."""
    login = await session.get(LoginSession, event.session_id) if event.reason == "too_many" else None
    if login is None:
        return None
    facts = {"Device": device_name(login.user_agent), "Address": login.ip_address}
    return Told("account.session_over", "/account/sessions", "Look at where you are signed in", {"facts": facts})


async def _reset(session: AsyncSession, event: access.PasswordResetAsked) -> Told | None:
    facts = {"Asked from": event.ip_address}
    if provider := await resets.elsewhere(session, event.user_id):
        values = {"provider": provider, "facts": facts}
        return Told("account.reset_elsewhere", LOGIN, "Sign in", values, f"{get_settings().origin}{LOGIN}")
    link = await resets.make_link(session, event.user_id)
    return Told("account.reset", LOGIN, "Choose a new password", {"facts": facts}, link) if link else None


async def _invited(session: AsyncSession, event: PersonInvited) -> Told | None:
    """Nobody who has a password by now is invited to choose one."""
    if await session.scalar(select(Credential.user_id).where(Credential.user_id == event.user_id)):
        return None
    username = await session.scalar(select(User.username).where(User.id == event.user_id))
    link = await make_password_link(session, event.user_id)
    return Told("account.invited", LOGIN, "Choose your password", {"facts": {"Your username": username}}, link)
