"""The names SAML and XML Signature use, and which algorithms of theirs are good enough."""

from __future__ import annotations

from signxml.algorithms import DigestAlgorithm, SignatureMethod

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
PARTIAL_LOGOUT = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

NAME_ID_FORMATS = {
    "unspecified": UNSPECIFIED,
    "persistent": PERSISTENT,
    "emailAddress": EMAIL,
    "transient": TRANSIENT,
}

RSA_SHA256 = SignatureMethod.RSA_SHA256.value

# RSA and ECDSA with SHA-256 and longer. No SHA-1, and nothing with a shared secret: an HMAC "signed" with a public
# certificate is a forgery anybody can make.
SIGNATURES = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})

AES_GCM = frozenset({f"{XENC11}aes{bits}-gcm" for bits in (128, 192, 256)})
# Its padding tells whoever may try again and again what is inside: taken only where a signature covers the cipher text.
AES_CBC = frozenset({f"{XENC}aes{bits}-cbc" for bits in (128, 192, 256)})
RSA_OAEP = frozenset({f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep"})
# Inside OAEP a collision of the digest is of no use, and SHA-1 is what most identity providers know.
OAEP_DIGESTS = frozenset(
    {f"{DS}sha1", f"{XENC}sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", f"{XENC}sha512"}
)
OAEP_MASKS = frozenset({f"{XENC11}mgf1sha{bits}" for bits in (1, 256, 384, 512)})


def saml(name: str) -> str:
    """The tag of an element of assertions."""
    return f"{{{SAML}}}{name}"


def samlp(name: str) -> str:
    """The tag of an element of the protocol."""
    return f"{{{SAMLP}}}{name}"


def md(name: str) -> str:
    """The tag of an element of metadata."""
    return f"{{{METADATA}}}{name}"


def ds(name: str) -> str:
    """The tag of an element of signatures."""
    return f"{{{DS}}}{name}"


def xenc(name: str) -> str:
    """The tag of an element of encryption."""
    return f"{{{XENC}}}{name}"
