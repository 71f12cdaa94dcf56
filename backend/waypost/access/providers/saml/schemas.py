"""What crosses HTTP about SAML's own settings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from waypost.kernel.shapes import Strict


class SamlMetadataAsked(Strict):
    """An identity provider's metadata: the address it is published at, or the document itself."""

    url: Annotated[str | None, Field(max_length=2000, examples=["https://idp.example.com/metadata"])] = None
    document: Annotated[str | None, Field(max_length=700_000, examples=[None])] = None

    @model_validator(mode="after")
    def one_of_both(self) -> SamlMetadataAsked:
        """Exactly one of them."""
        if bool(self.url) == bool(self.document):
            raise ValueError("give an address or a document")
        return self


class SamlCertificate(BaseModel):
    """A certificate, by what people compare it with."""

    fingerprint: Annotated[str, Field(examples=["3A:F2:…"], description="SHA-256.")]
    subject: Annotated[str, Field(examples=["CN=idp.example.com"])]
    ends_at: datetime


class SamlMetadataRead(BaseModel):
    """Settings as the metadata gives them, for an administrator to look at and save; and the certificates among them."""

    settings: Annotated[
        dict[str, str | bool],
        Field(examples=[{"entity_id": "https://idp.example.com", "sso_url": "https://idp.example.com/sso"}]),
    ]
    certificates: list[SamlCertificate]
