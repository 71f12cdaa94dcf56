"""What crosses HTTP about passkeys. What a device says is taken as WebAuthn's JSON has it (Level 3, 5.1.9 to 5.1.11)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Line, Strict

Encoded = Annotated[
    str, Field(min_length=1, max_length=8192, pattern=r"^[A-Za-z0-9_-]+={0,2}$", examples=["q83vEjRWeJA"])
]


class Response(BaseModel):
    """What a device answered; members we do not name are left alone, as browsers add to them."""

    clientDataJSON: Encoded
    attestationObject: Encoded | None = None
    authenticatorData: Encoded | None = None
    signature: Encoded | None = None
    userHandle: Annotated[str | None, Field(max_length=200)] = None
    transports: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=10)] = []


class Credential(BaseModel):
    """A credential as a browser gives it (`PublicKeyCredential.toJSON()`)."""

    id: Encoded
    rawId: Encoded
    type: Annotated[Literal["public-key"], Field(examples=["public-key"])]
    response: Response
    authenticatorAttachment: Annotated[str | None, Field(max_length=40)] = None


class PasskeyCreate(Strict):
    """What a device made, and what to call it."""

    name: Annotated[Line, Field(min_length=1, max_length=60, examples=["Work laptop"])]
    credential: Credential


class PasskeyAsk(Strict):
    """The token of a sign-in that waits for its second factor; without one, whoever comes says who they are."""

    mfa_token: Annotated[str | None, Field(min_length=1, max_length=200, examples=["wpm_4fT…"])] = None


class PasskeySignIn(Strict):
    """What a device signed; with the token of a sign-in that waits for its second factor."""

    credential: Credential
    mfa_token: Annotated[str | None, Field(min_length=1, max_length=200, examples=["wpm_4fT…"])] = None


class PasskeyOptions(BaseModel):
    """What the browser is asked for, as `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` take it."""

    options: Annotated[dict[str, Any], Field(examples=[{"challenge": "q83v…", "rpId": "waypost.example.com"}])]


class PasskeyRead(BaseModel):
    """One of one's passkeys. `is_synced`: its maker keeps it on several devices."""

    id: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Work laptop"])]
    created_at: datetime
    used_at: datetime | None
    is_synced: bool


class PasskeyMade(PasskeyRead):
    """With the first factor come recovery codes, told this once."""

    recovery_codes: list[str] | None
