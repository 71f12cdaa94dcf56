"""Our own key pairs towards SAML identity providers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class SamlKey(Base):
    """A key with which we sign what we ask, and by which assertions sealed for us are opened; its certificate is public.

    The newest is the one we sign with and describe ourselves by; the older ones open what was sealed for them.
    """

    __tablename__ = "saml_keys"
    sealed_columns: ClassVar[tuple[str, str]] = ("sealed", "sealed_with")

    id: Mapped[BigId]
    certificate: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_with: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]

    @property
    def about(self) -> bytes:
        """What the sealed value belongs to (`kernel.sealing`)."""
        return b"saml key:" + self.certificate.encode()
