"""Opening a sealed assertion.

What came in never reaches the library that decrypts: a new document is written for it, of our own shape, with nothing in
it but the two values and the names of allowed algorithms. So no reference is followed and no transform runs.
"""

from __future__ import annotations

import base64
import binascii
from xml.sax.saxutils import quoteattr

import xmlsec
from lxml import etree

from waypost.access.providers.saml import guard
from waypost.access.providers.saml.guard import Element
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import (
    AES_CBC,
    AES_GCM,
    DS,
    OAEP_DIGESTS,
    OAEP_MASKS,
    RSA_OAEP,
    XENC,
    XENC11,
    ds,
    xenc,
)


def decrypt(sealed: Element, private_key: bytes, *, covered: bool) -> Element:
    """The assertion in an `EncryptedAssertion`; `covered` when a signature was verified that covers it, sealed as it is.

    `private_key` is ours, in PEM. Raises `Refused`.
    """
    data = sealed.findall(xenc("EncryptedData"))
    keys = list(sealed.iter(xenc("EncryptedKey")))
    if len(data) != 1 or len(keys) != 1:
        raise Refused("odd_encryption", "one sealed thing, and one key that opens it")
    method = _algorithm(data[0])
    if method not in AES_GCM and method not in AES_CBC:
        raise Refused("forbidden_algorithm", "encryption")
    if method in AES_CBC and not covered:
        raise Refused("forbidden_algorithm", "AES-CBC without a signature outside")
    plain = _open(_rewritten(method, _key_method(keys[0]), _cipher(keys[0]), _cipher(data[0])), private_key)
    return _alone(plain, sealed)


def _algorithm(element: Element) -> str:
    found = element.find(xenc("EncryptionMethod"))
    return "" if found is None else found.get("Algorithm", "")


def _key_method(key: Element) -> str:
    """The key's encryption method, written anew."""
    algorithm = _algorithm(key)
    if algorithm not in RSA_OAEP:
        raise Refused("forbidden_algorithm", "key transport")
    inside = ""
    for child in key.find(xenc("EncryptionMethod")):
        value = child.get("Algorithm", "")
        if child.tag == ds("DigestMethod") and value in OAEP_DIGESTS:
            inside += f'<DigestMethod xmlns="{DS}" Algorithm={quoteattr(value)}/>'
        elif child.tag == f"{{{XENC11}}}MGF" and value in OAEP_MASKS and algorithm == f"{XENC11}rsa-oaep":
            inside += f'<MGF xmlns="{XENC11}" Algorithm={quoteattr(value)}/>'
        else:
            raise Refused("forbidden_algorithm", "key transport")
    return f'<EncryptionMethod xmlns="{XENC}" Algorithm={quoteattr(algorithm)}>{inside}</EncryptionMethod>'


def _cipher(element: Element) -> str:
    """The one value that was sealed, as base64. Something elsewhere is never fetched."""
    parts = element.findall(xenc("CipherData"))
    if len(parts) != 1 or [e.tag for e in parts[0]] != [xenc("CipherValue")]:
        raise Refused("odd_encryption", "a sealed thing stands in the message itself")
    try:
        value = base64.b64decode("".join((parts[0][0].text or "").split()), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Refused("odd_encryption", "not base64") from wrong
    return base64.b64encode(value).decode()


def _rewritten(method: str, key_method: str, key: str, value: str) -> bytes:
    # Without a Type the library gives bytes back and puts nothing into a tree.
    return (
        f'<EncryptedData xmlns="{XENC}"><EncryptionMethod Algorithm={quoteattr(method)}/><KeyInfo xmlns="{DS}">'
        f'<EncryptedKey xmlns="{XENC}">{key_method}<CipherData><CipherValue>{key}</CipherValue></CipherData>'
        f"</EncryptedKey></KeyInfo><CipherData><CipherValue>{value}</CipherValue></CipherData></EncryptedData>"
    ).encode()


def _open(document: bytes, private_key: bytes) -> bytes:
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(private_key, xmlsec.constants.KeyDataFormatPem))
    try:
        # one answer for everything that can go wrong: whoever tries learns nothing from it
        return bytes(xmlsec.EncryptionContext(manager).decrypt(etree.fromstring(document)))
    except (xmlsec.Error, TypeError) as wrong:
        raise Refused("not_decrypted") from wrong


def _alone(plain: bytes, sealed: Element) -> Element:
    """The assertion as a document of its own; prefixes may have been declared around its seal."""
    names = "".join(f" xmlns{':' + prefix if prefix else ''}={quoteattr(uri)}" for prefix, uri in sealed.nsmap.items())
    around = guard.parse(f"<opened{names}>".encode() + plain + b"</opened>")
    if len(around) != 1 or (around.text or "").strip() or (around[0].tail or "").strip():
        raise Refused("odd_encryption", "one assertion is sealed")
    return guard.parse(etree.tostring(around[0], with_tail=False))
