"""A response from its first byte to the facts in it: which step follows which, and that none is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509

from waypost.access.providers.saml import decrypting, guard, reading, verifying
from waypost.access.providers.saml.guard import Element
from waypost.access.providers.saml.reading import Asked, Facts
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import saml


class Signed(StrEnum):
    """What an identity provider has to sign. Whatever else is signed is verified all the same."""

    EITHER = "either"
    ASSERTION = "assertion"
    RESPONSE = "response"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """On what an identity provider is believed. `private_keys` are ours, in PEM, for what is sealed for us."""

    certificates: tuple[str, ...]
    signed: Signed = Signed.EITHER
    must_encrypt: bool = False
    private_keys: tuple[bytes, ...] = ()

    def pinned(self) -> list[x509.Certificate]:
        """The certificates, read. Raises `Refused`."""
        return [verifying.read_certificate(c) for c in self.certificates]


def judge_response(field: str, asked: Asked, trust: Trust) -> Facts:
    """The facts of a response as the form field carried it. Raises `Refused`."""
    pinned = trust.pinned()
    root = guard.parse(guard.unpack(field))
    # A refusal carries no assertion and often no signature: it is only told, nothing follows from it.
    if root.find(saml("Assertion")) is None and root.find(saml("EncryptedAssertion")) is None:
        guard.check_signatures(root, [root])
        reading.check_response(root, asked, is_verified=False)
        reading.check_success(root)
    guard.check_response(root)
    response, is_verified = root, verifying.is_signed(root)
    if is_verified:
        response = verifying.verify(root, "", pinned)
    elif trust.signed in (Signed.RESPONSE, Signed.BOTH):
        raise Refused("not_signed", "the response")
    assertion, is_own = _assertion_of(root, response, pinned, trust, covered=is_verified)
    if not is_own and trust.signed in (Signed.ASSERTION, Signed.BOTH):
        raise Refused("not_signed", "the assertion")
    reading.check_response(response, asked, is_verified=is_verified)
    reading.check_success(response)
    return reading.read_assertion(assertion, asked)


def _assertion_of(
    root: Element, response: Element, pinned: Sequence[x509.Certificate], trust: Trust, *, covered: bool
) -> tuple[Element, bool]:
    """The verified assertion, and whether by a signature of its own (else by the response's). Raises `Refused`."""
    plain = root.find(saml("Assertion"))
    if plain is not None:
        if trust.must_encrypt:
            raise Refused("not_encrypted")
        if verifying.is_signed(plain):
            return verifying.verify(root, saml("Assertion"), pinned), True
        if not covered:
            raise Refused("not_signed")
        return response.find(saml("Assertion")), False
    opened = _decrypted(response.find(saml("EncryptedAssertion")), trust, covered=covered)
    guard.check_assertion(opened)
    if verifying.is_signed(opened):
        return verifying.verify(opened, "", pinned), True
    if not covered:
        raise Refused("not_signed")
    return opened, False


def _decrypted(sealed: Element, trust: Trust, *, covered: bool) -> Element:
    refused = Refused("not_decrypted", "there is no key of ours")
    for key in trust.private_keys:
        try:
            return decrypting.decrypt(sealed, key, covered=covered)
        except Refused as wrong:
            if wrong.reason != "not_decrypted":
                raise
            refused = wrong
    raise refused
