"""Who wrote a message: signatures, held against the certificates that were pinned for its sender.

What comes back is never the document that came in but what the signature covers, canonicalised and read anew. Whoever
reads facts reads them there. A key inside the message counts for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from waypost.access.providers.saml.guard import Element, id_of, unpack
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import DIGESTS, SIGNATURES, ds

SHORTEST_RSA = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


def read_certificate(written: str) -> x509.Certificate:
    """A certificate in PEM, or in its bare base64 as metadata has it, with a key long enough. Raises `Refused`."""
    bare = "".join(line for line in written.split("\n") if "-----" not in line)
    try:
        certificate = x509.load_der_x509_certificate(unpack(bare))
        key = certificate.public_key()
    except (Refused, ValueError) as wrong:
        raise Refused("bad_certificate", "this is no X.509 certificate") from wrong
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
    )
    if not is_strong:
        raise Refused("bad_certificate", "its key is neither RSA of 2048 bits or more nor on a NIST curve")
    return certificate


def is_signed(element: Element) -> bool:
    """Whether a signature stands in it as a child."""
    return element.find(ds("Signature")) is not None


def verify(root: Element, path: str, pinned: Sequence[x509.Certificate]) -> Element:
    """What the signature at `path` below `root` covers, when one of the pinned certificates made it.

    `path` is empty for the root's own signature, or the tag of its child. Raises `Refused`.
    """
    owner = root.find(path) if path else root
    document = etree.tostring(root)
    for certificate in pinned:
        config = SignatureConfiguration(
            location=f"./{path}/" if path else "./",
            signature_methods=SIGNATURES,
            digest_algorithms=DIGESTS,
            expect_references=1,
            ignore_ambiguous_key_info=True,  # the key is the pinned one, whatever the message says of keys
            # A pinned key is trusted for being pinned, as the SAML metadata profile has it: the dates in its
            # certificate are told to administrators and lock nobody out over night.
            verification_time=certificate.not_valid_before_utc,
        )
        try:
            found = XMLVerifier().verify(document, x509_cert=certificate, expect_config=config, id_attribute="ID")
        except Exception:  # noqa: S112  whatever it stumbles over: not verified, and so refused
            continue
        signed = found.signed_xml  # type: ignore[union-attr]
        if signed is None or signed.tag != owner.tag or id_of(signed) != id_of(owner):
            raise Refused("foreign_reference", "something else was signed")
        return signed
    raise Refused("bad_signature")


def verify_query(signed: bytes, algorithm: str, signature: str, pinned: Sequence[x509.Certificate]) -> None:
    """That one of the pinned certificates signed these bytes of an address (HTTP-Redirect binding). Raises `Refused`."""
    allowed = {m.value: m.name for m in SIGNATURES}
    if algorithm not in allowed:
        known = {m.value: m.name for m in SignatureMethod}
        raise Refused("forbidden_algorithm", f"signature: {known.get(algorithm, 'unknown')}")
    value = unpack(signature)
    if not any(_is_signed_by(c, allowed[algorithm], value, signed) for c in pinned):
        raise Refused("bad_signature")


def _is_signed_by(certificate: x509.Certificate, method: str, value: bytes, signed: bytes) -> bool:
    key = certificate.public_key()
    algorithm = next(found for name, found in _HASHES.items() if name in method)
    try:
        if isinstance(key, rsa.RSAPublicKey) and method.startswith("RSA_"):
            key.verify(value, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, rsa.RSAPublicKey) and method.endswith("_RSA_MGF1"):
            key.verify(value, signed, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and method.startswith("ECDSA_"):
            half = -(-key.key_size // 8)
            if len(value) != 2 * half:
                return False
            both = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
            key.verify(utils.encode_dss_signature(*both), signed, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
