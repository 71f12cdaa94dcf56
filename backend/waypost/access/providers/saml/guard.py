"""The shape a message must have before any cryptography runs on it.

Canonicalisation, transforms and references are programs an unknown sender would have us run. So everything is refused
here that is not the plain shape every identity provider sends: no DTD, no processing instruction, no comment; one
assertion; signatures only as children of what they sign, over just that, by two transforms; ids that stand once.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any

from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import DIGESTS, ENVELOPED, EXC_C14N, SIGNATURES, ds, saml, samlp

Element = Any  # lxml's classes are made in C and have no types

LARGEST = 256 * 1024  # bytes of one message
MOST_ELEMENTS = 10_000
DEEPEST = 64
MOST_ATTRIBUTES = 64  # of one element
MOST_NAMESPACES = 5_000  # declared in one message
LONGEST_PREFIXES = 1_000  # characters
ID_NAMES = frozenset({"ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"})
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_DECLARATION = re.compile(rb"\A<\?xml version=([\"'])1\.0\1(?: encoding=([\"'])(?:utf-8|UTF-8|us-ascii|US-ASCII)\2)?"
                          rb"(?: standalone=([\"'])(?:yes|no)\3)?\s*\?>")  # fmt: skip
_SIGNED_INFO = [ds("CanonicalizationMethod"), ds("SignatureMethod"), ds("Reference")]


def unpack(field: str) -> bytes:
    """A message as a form carries it: base64. Raises `Refused`."""
    if len(field) > LARGEST * 3 // 2:
        raise Refused("too_large")
    try:
        message = base64.b64decode("".join(field.split()), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise Refused("not_base64") from wrong
    if len(message) > LARGEST:
        raise Refused("too_large")
    return message


def inflate(field: str) -> bytes:
    """A message as an address carries it: deflated, then base64; no more is unpacked than a message may hold."""
    packed = unpack(field)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        message = unpacker.decompress(packed, LARGEST + 1)
    except zlib.error as wrong:
        raise Refused("not_deflated") from wrong
    if len(message) > LARGEST or not unpacker.eof:
        raise Refused("too_large" if len(message) > LARGEST else "not_deflated")
    return message


def parse(message: bytes, *, largest: int = LARGEST, comments: bool = False) -> Element:
    """The root of a message that is plain XML in UTF-8. Raises `Refused`."""
    if len(message) > largest:
        raise Refused("too_large")
    try:
        message.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise Refused("not_utf8") from wrong
    # Looked for in the bytes: what is refused is never given to a parser.
    body = _DECLARATION.sub(b"", message.removeprefix(b"\xef\xbb\xbf").lstrip(), count=1)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refused("dtd")
    if b"<?" in body:
        raise Refused("processing_instruction")
    if b"<!--" in body and not comments:
        raise Refused("comment")
    if body.count(b"xmlns") > MOST_NAMESPACES:
        raise Refused("too_large", "too many namespaces")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=comments,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise Refused("not_xml") from wrong
    _check_size(root)
    return root


def _check_size(root: Element) -> None:
    """Few enough elements, not too deep: what is done per element and per ancestor stays cheap."""
    depth = 0
    for count, (event, element) in enumerate(etree.iterwalk(root, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST or count >= 2 * MOST_ELEMENTS or len(element.attrib) > MOST_ATTRIBUTES:
            raise Refused("too_large", "too many elements or attributes, or too deep")


def check_response(root: Element) -> None:
    """That this is one response with one assertion, plain or sealed, and with its signatures where they belong."""
    if root.tag != samlp("Response"):
        raise Refused("not_a_response")
    every = list(root.iter())
    if sum(e.tag == samlp("Response") for e in every) != 1:
        raise Refused("wrapped", "a response inside a response")
    assertions = [e for e in every if e.tag in (saml("Assertion"), saml("EncryptedAssertion"))]
    if not assertions:
        raise Refused("no_assertion")
    if len(assertions) > 1:
        raise Refused("wrapped", "more than one assertion")
    if assertions[0].getparent() is not root:
        raise Refused("wrapped", "the assertion is not a child of the response")
    check_signatures(root, [root, *(a for a in assertions if a.tag == saml("Assertion"))])


def check_assertion(root: Element) -> None:
    """The same for an assertion that came sealed and stands alone now."""
    if root.tag != saml("Assertion"):
        raise Refused("not_an_assertion")
    if any(e.tag in (saml("Assertion"), saml("EncryptedAssertion"), samlp("Response")) for e in root.iterdescendants()):
        raise Refused("wrapped", "an assertion inside an assertion")
    check_signatures(root, [root])


def check_signatures(root: Element, owners: list[Element]) -> None:
    """That signatures are direct children of `owners`, one each at most, and sign just their parent, plainly."""
    _check_ids(root)
    found = list(root.iter(ds("Signature")))
    for signature in found:
        if not any(signature.getparent() is owner for owner in owners):
            raise Refused("misplaced_signature")
    for owner in owners:
        own = [s for s in found if s.getparent() is owner]
        if len(own) > 1:
            raise Refused("misplaced_signature", "signed twice")
        for signature in own:
            _check_signature(signature, owner)


def _check_ids(root: Element) -> None:
    """No id stands twice, under whatever name it is written: a reference means one element."""
    seen: set[str] = set()
    for element in root.iter():
        for name in ID_NAMES & set(element.attrib):
            if element.get(name) in seen:
                raise Refused("duplicate_id")
            seen.add(element.get(name))


def id_of(element: Element) -> str:
    """An element's id. Raises `Refused` when it has none a reference could name."""
    found = element.get("ID") or ""
    if not _ID.fullmatch(found):
        raise Refused("no_id")
    return str(found)


def _check_signature(signature: Element, parent: Element) -> None:
    tags = [e.tag for e in signature]
    if tags not in ([ds("SignedInfo"), ds("SignatureValue")], [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")]):
        raise Refused("odd_signature", "a signature holds what is signed, its value and perhaps a key")
    info = signature[0]
    if [e.tag for e in info] != _SIGNED_INFO:
        raise Refused("odd_signature", "one reference is signed, by one method")
    way, method, reference = info
    if way.get("Algorithm") != EXC_C14N:
        raise Refused("forbidden_algorithm", "canonicalisation")
    _check_prefixes(way)
    _one_of(method, {m.value for m in SIGNATURES}, SignatureMethod, "signature")
    if len(method):
        raise Refused("odd_signature", "the signature's method has parameters")
    _check_reference(reference, parent)


def _check_reference(reference: Element, parent: Element) -> None:
    if reference.get("URI") != f"#{id_of(parent)}":
        raise Refused("foreign_reference", "a signature signs its parent and nothing else")
    if [e.tag for e in reference] != [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]:
        raise Refused("odd_signature", "a reference holds transforms, a digest's method and its value")
    transforms, digest, _ = reference
    if [t.tag for t in transforms] != [ds("Transform")] * len(transforms):
        raise Refused("odd_signature", "transforms")
    if [t.get("Algorithm") for t in transforms] != [ENVELOPED, EXC_C14N]:
        raise Refused("forbidden_transform")
    if len(transforms[0]):
        raise Refused("forbidden_transform", "the first transform has parameters")
    _check_prefixes(transforms[1])
    _one_of(digest, {d.value for d in DIGESTS}, DigestAlgorithm, "digest")
    if len(digest):
        raise Refused("odd_signature", "the digest's method has parameters")


def _check_prefixes(way: Element) -> None:
    """Exclusive canonicalisation may name prefixes, and nothing else."""
    for child in way:
        if child.tag != f"{{{EXC_C14N}}}InclusiveNamespaces" or set(child.attrib) != {"PrefixList"} or len(child):
            raise Refused("forbidden_transform", "canonicalisation has parameters")
        if len(child.get("PrefixList")) > LONGEST_PREFIXES:
            raise Refused("too_large", "so many prefixes")


def _one_of(method: Element, allowed: set[str], known: Any, what: str) -> None:
    algorithm = method.get("Algorithm")
    if algorithm not in allowed:
        names = {m.value: m.name for m in known}
        raise Refused("forbidden_algorithm", f"{what}: {names.get(algorithm, 'unknown')}")
