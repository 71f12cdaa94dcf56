"""What crosses HTTP about second factors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.passkey_schemas import PasskeyRead
from waypost.kernel.ids import Id
from waypost.kernel.shapes import PersonRef, Said, Strict

Code = Annotated[str, Field(min_length=1, max_length=60, examples=["492039"])]


class CodeGiven(Strict):
    """A code of the authenticator app."""

    code: Code


class Verify(Strict):
    """The token of a sign-in that waits, and a code of the authenticator app or a recovery code."""

    mfa_token: Annotated[str, Field(min_length=1, max_length=200, examples=["wpm_4fT…"])]
    code: Code


class Enrolment(BaseModel):
    """What an authenticator app is given, shown this once."""

    secret: Annotated[str, Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])]
    otpauth_uri: Annotated[str, Field(examples=["otpauth://totp/Waypost:employee?secret=JBSWY3DP…&issuer=Waypost"])]
    qr_svg: Annotated[str, Field(description="The same as a picture.", examples=["<svg …></svg>"])]


class RecoveryCodes(BaseModel):
    """Codes that open once each instead of the app; told this once."""

    recovery_codes: Annotated[list[str], Field(examples=[["k3jd-a7qm-x2wz-5fbt-m6po-2wqe-ru7h"]])]


class Totp(BaseModel):
    enrolled_at: Annotated[datetime, Field(examples=["2026-11-23T09:30:00Z"])]


class Factors(BaseModel):
    """One's second factors. `needed_by`: the names of the roles that need one."""

    totp: Totp | None
    passkeys: list[PasskeyRead]
    has_passkeys_here: Annotated[bool, Field(description="Whether this address can have passkeys: it needs a name.")]
    recovery_codes_left: Annotated[int, Field(examples=[10])]
    needed_by: Annotated[list[str], Field(examples=[["Administrator"]])]


class RoleNeed(Strict):
    """Whether a role's people need a second factor."""

    is_needed: Annotated[bool, Field(examples=[True])]


class ResetCreate(Strict):
    """Whose second factors are to be taken away, and why."""

    user_id: Annotated[Id, Field(examples=[7])]
    reason: Annotated[Said, Field(max_length=500, examples=["Lost the phone; called from the desk line."])]


class ResetRead(BaseModel):
    """A request that waits for a second administrator, until `expires_at`."""

    id: Annotated[int, Field(examples=[3])]
    user: PersonRef | None
    asked_by: PersonRef | None
    reason: Annotated[str, Field(examples=["Lost the phone; called from the desk line."])]
    created_at: datetime
    expires_at: datetime
    may_agree: bool


class ResetPage(BaseModel):
    items: list[ResetRead]
    next_cursor: str | None
