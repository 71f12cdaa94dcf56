"""What happens at the door; every line stands in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AccessEvent(Event):
    """About a person; `user_id` 0 stands for a name nobody has."""

    object_type: ClassVar[str] = "user"
    user_id: int

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class LoggedIn(AccessEvent):
    """A person signed in; by an identity provider, when one is named."""

    type: ClassVar[str] = "auth.login"
    session_id: int
    method: str
    ip_address: str
    provider_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class LoginFailed(AccessEvent):
    """A sign-in was refused: a wrong name or password, a pause in force, or what came by a provider is not enough."""

    type: ClassVar[str] = "auth.login_failed"
    reason: str
    ip_address: str
    provider_id: int | None = None
    name_hash: str | None = None  # of a name nobody has: the same name again is recognised, and nobody reads it
    user_agent: str | None = None


@dataclass(frozen=True, kw_only=True)
class AccessDenied(AccessEvent):
    """Somebody signed in was refused what they may not do; the same again within five minutes is not told again."""

    type: ClassVar[str] = "auth.denied"
    method: str
    path: str
    code: str
    detail: str
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class StepUpDone(AccessEvent):
    """A person showed once more to be the one who is signed in, by a factor such as their password."""

    type: ClassVar[str] = "auth.step_up"
    session_id: int
    factor: str
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class StepUpFailed(AccessEvent):
    """A signed-in person did not show to be the one they are signed in as: a wrong factor, or a pause in force."""

    type: ClassVar[str] = "auth.step_up_failed"
    session_id: int
    factor: str
    reason: str
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class FactorAdded(AccessEvent):
    """A person set up a second factor, or put another in its place."""

    type: ClassVar[str] = "auth.factor_added"
    factor: str


@dataclass(frozen=True, kw_only=True)
class FactorRemoved(AccessEvent):
    """A person took a second factor of theirs away."""

    type: ClassVar[str] = "auth.factor_removed"
    factor: str


@dataclass(frozen=True, kw_only=True)
class RecoveryCodesMade(AccessEvent):
    """A person got new recovery codes; the ones before are void."""

    type: ClassVar[str] = "auth.recovery_codes_made"


@dataclass(frozen=True, kw_only=True)
class RecoveryCodeUsed(AccessEvent):
    """A person signed in with a recovery code; so many are left."""

    type: ClassVar[str] = "auth.recovery_code_used"
    left: int


@dataclass(frozen=True, kw_only=True)
class FactorResetAsked(AccessEvent):
    """An administrator asked that a person's second factors be taken away."""

    type: ClassVar[str] = "auth.factor_reset_asked"
    reset_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class FactorResetDropped(AccessEvent):
    """A request to take a person's second factors away was dropped."""

    type: ClassVar[str] = "auth.factor_reset_dropped"
    reset_id: int


@dataclass(frozen=True, kw_only=True)
class FactorsReset(AccessEvent):
    """A second administrator agreed: the person's second factors are gone, and their sessions ended."""

    type: ClassVar[str] = "auth.factors_reset"
    reset_id: int
    asked_by_id: int


@dataclass(frozen=True, kw_only=True)
class SessionClosed(AccessEvent):
    """A session ended: `logout`, `revoked`, `reuse` (an old refresh token was presented), `replaced` (its browser signed in
    anew) or `too_many` (there are newer ones)."""

    type: ClassVar[str] = "auth.session_ended"
    session_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PasswordSet(AccessEvent):
    """A password was set."""

    type: ClassVar[str] = "auth.password_set"


@dataclass(frozen=True, kw_only=True)
class PasswordLinkMade(AccessEvent):
    """An administrator made a link with which a person sets their first password."""

    type: ClassVar[str] = "auth.password_link_made"


@dataclass(frozen=True, kw_only=True)
class UsersExported(AccessEvent):
    """An administrator took the list of people away as a file: how it was narrowed, and how many were on it."""

    type: ClassVar[str] = "users.exported"
    filters: dict[str, Any]
    rows: int


@dataclass(frozen=True, kw_only=True)
class RolesGranted(AccessEvent):
    """A person got these roles, for good or until they end. `asked_by_id` is set when it took two."""

    type: ClassVar[str] = "role.granted"
    roles: tuple[str, ...]
    expires_at: str | None = None
    reason: str = ""
    asked_by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class PeopleJobStarted(Event):
    """An administrator began to do the same with many people; what became of each stands in events of their own."""

    type: ClassVar[str] = "people.bulk_started"
    object_type: ClassVar[str] = "people_job"
    job_id: int
    action: dict[str, Any]
    total: int
    leaving: int
    undo_of: int | None = None  # the job whose changes are taken back

    @property
    def object_id(self) -> int:
        return self.job_id


@dataclass(frozen=True, kw_only=True)
class RoleSecondFactor(Event):
    """A role began or ceased to need a second factor."""

    type: ClassVar[str] = "role.second_factor"
    object_type: ClassVar[str] = "role"
    role_id: int
    is_needed: bool

    @property
    def object_id(self) -> int:
        return self.role_id


@dataclass(frozen=True, kw_only=True)
class RoleCreated(Event):
    """A role was added, with its permissions."""

    type: ClassVar[str] = "role.created"
    object_type: ClassVar[str] = "role"
    role_id: int
    key: str
    permissions: dict[str, int]

    @property
    def object_id(self) -> int:
        return self.role_id


@dataclass(frozen=True, kw_only=True)
class NewDevice(AccessEvent):
    """A person signed in with a browser they had not used before, while others are known of them."""

    type: ClassVar[str] = "auth.new_device"
    session_id: int
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetAsked(AccessEvent):
    """Somebody asked for a new password by a name, which may be nobody's; or an administrator did for a person."""

    type: ClassVar[str] = "auth.password_reset_asked"
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class SignInDisowned(AccessEvent):
    """A person said that a sign-in was not theirs: their password is void, and so is whatever was added since."""

    type: ClassVar[str] = "auth.sign_in_disowned"
    ip_address: str
    passkeys: int
    tokens: int
