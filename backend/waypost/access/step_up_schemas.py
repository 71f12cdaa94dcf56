"""What crosses HTTP when somebody confirms that it is them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from waypost.access.passkey_schemas import Credential
from waypost.access.schemas import Tokens
from waypost.kernel.shapes import Strict


class StepUp(Strict):
    """A factor, and the proof it asks for: `password`, `code` for an authenticator app (`totp`), or what a device signed
    (`credential`, for a `passkey`)."""

    factor: Annotated[Literal["password", "totp", "passkey"], Field(examples=["password"])]
    password: Annotated[str | None, Field(min_length=1, max_length=512, examples=["demo-Passw0rd-2026"])] = None
    code: Annotated[str | None, Field(min_length=1, max_length=40, examples=["492039"])] = None

    credential: Credential | None = None

    @model_validator(mode="after")
    def _has_its_proof_only(self) -> Self:
        given = {"password": self.password, "totp": self.code, "passkey": self.credential}
        if [name for name, proof in given.items() if proof is not None] != [self.factor]:
            raise ValueError("give what the factor asks for, and nothing else")
        return self


class StepUpState(BaseModel):
    """Whether this sign-in counts as proven now, and how it can be."""

    factors: Annotated[list[str], Field(examples=[["password"]], description="What one can confirm it with.")]
    valid_until: Annotated[datetime | None, Field(examples=["2026-11-23T09:35:00Z"])]
    proved_by: Annotated[
        str | None, Field(examples=["password+totp"], description="With what it was, while it counts.")
    ]
    max_age_seconds: Annotated[int, Field(examples=[300])]
    tokens: Annotated[Tokens | None, Field(description="New ones, where a browser confirmed it.")] = None
