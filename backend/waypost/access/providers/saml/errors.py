"""Refusals of SAML's own."""

from __future__ import annotations

from waypost.kernel.errors import Invalid


class MetadataUnusable(Invalid):
    """This metadata cannot be used."""

    code, title = "metadata_unusable", "Metadata cannot be used"


class MessageRefused(Invalid):
    """What the identity provider sent cannot be believed. Please ask your administrator."""

    code, title = "saml_refused", "Not believed"
