"""What the attacks leave open in the pure core: shapes of certificates, seals, metadata and of what we send ourselves."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import xmlsec
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.access.saml import idp
from tests.access.saml.idp import AT, DS, NAMES, SAML, SAMLP, XENC, Told, assertion, packed, pair, response, sealed
from waypost.access.providers.saml import bindings, guard, judging, logout, metadata, reading, requests, verifying
from waypost.access.providers.saml.judging import Trust
from waypost.access.providers.saml.reading import Asked, NameId
from waypost.access.providers.saml.refusing import Refused
from waypost.access.providers.saml.words import RSA_SHA256

C = xmlsec.constants
XENC11 = "http://www.w3.org/2009/xmlenc11#"
SP = pair("sp")
ASKED = Asked(idp=idp.IDP, audience=idp.SP, acs_url=idp.ACS, request_id=idp.REQUEST_ID, at=AT)
TRUST = Trust(certificates=(pair("idp").certificate,), private_keys=(pair("old sp").key, SP.key))


def judge(root: Any, trust: Trust = TRUST, asked: Asked = ASKED) -> reading.Facts:
    return judging.judge_response(packed(root), asked, trust)


def good(told: Told | None = None, **signing: Any) -> Any:
    return idp.sign(idp.tree(response(told or Told())), "saml:Assertion", **signing)


def in_seal() -> Any:
    return idp.tree(response(Told(), sealed(idp.text(idp.sign(idp.tree(assertion(Told())))), SP)))


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        work()
    return refused.value.reason


# --- who signed ---------------------------------------------------------------------------------------------------------


def test_a_certificate_in_whatever_form() -> None:
    pem = pair("idp").certificate
    bare = metadata.bare(pem)
    assert verifying.read_certificate(pem) == verifying.read_certificate(bare)
    assert verifying.read_certificate(f"  {bare[:64]}\n  {bare[64:]} ") == verifying.read_certificate(pem)
    assert verifying.read_certificate(pair("e", "ec").certificate)


@pytest.mark.parametrize("written", ["", "hello", "%%%", "QUJD", pair("weak", size=1024).certificate, "A" * 500_000])
def test_what_is_no_certificate(written: str) -> None:
    assert refusal(lambda: verifying.read_certificate(written)) == "bad_certificate"


@pytest.mark.parametrize(
    ("by", "method", "digest"),
    [
        (pair("idp"), C.TransformRsaSha256, C.TransformSha256),
        (pair("idp"), C.TransformRsaSha384, C.TransformSha384),
        (pair("idp"), C.TransformRsaSha512, C.TransformSha512),
        (pair("e", "ec"), C.TransformEcdsaSha256, C.TransformSha256),
        (pair("e", "ec"), C.TransformEcdsaSha384, C.TransformSha512),
    ],
)
def test_every_algorithm_that_is_good_enough(by: idp.Pair, method: Any, digest: Any) -> None:
    trust = replace(TRUST, certificates=(by.certificate,))
    assert judge(good(by=by, method=method, digest=digest), trust).name_id.value == "jane@example.com"


def test_several_certificates_while_a_provider_goes_over_to_a_new_one() -> None:
    trust = replace(TRUST, certificates=(pair("old idp").certificate, pair("idp").certificate))
    assert judge(good(), trust)
    assert judge(good(by=pair("old idp")), trust)
    assert refusal(lambda: judge(good(by=pair("third")), trust)) == "bad_signature"


def test_a_pinned_key_is_trusted_whatever_the_dates_in_its_certificate() -> None:
    assert judge(good(by=pair("expired")), replace(TRUST, certificates=(pair("expired").certificate,)))


def test_prefixes_that_are_named_and_values_that_have_elements() -> None:
    root = idp.tree(response(Told()))
    extra = idp.tree(
        f'<saml:Attribute xmlns:saml="{SAML}" Name="rich"><saml:AttributeValue><a/></saml:AttributeValue>'
        "<saml:AttributeValue/><saml:AttributeValue> plain </saml:AttributeValue></saml:Attribute>"
    )
    root.find(".//saml:AttributeStatement", NAMES).append(extra)
    root.find(".//saml:AttributeStatement", NAMES).append(idp.tree(f'<saml:Attribute xmlns:saml="{SAML}" Name="e"/>'))
    plain = idp.sign(root, "saml:Assertion")
    assert judge(plain).attributes["rich"] == ("plain",)
    assert "e" not in judge(plain).attributes

    way = "http://www.w3.org/2001/10/xml-exc-c14n#"
    for path in (".//ds:CanonicalizationMethod", ".//ds:Transform[2]"):
        named = idp.tree(etree.tostring(plain))
        node = named.find(path, NAMES)
        node.append(idp.tree(f'<ec:InclusiveNamespaces xmlns:ec="{way}" PrefixList="saml"/>'))
        guard.check_response(named)  # the shape is right; its signature is not any more
        node[0].set("Other", "x")
        assert refusal(lambda named=named: guard.check_response(named)) == "forbidden_transform"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "inside", "reason"),
    [
        (".//ds:Signature", "<ds:Object xmlns:ds='%s'/>", "odd_signature"),
        (".//ds:SignatureMethod", "<ds:HMACOutputLength xmlns:ds='%s'>1</ds:HMACOutputLength>", "odd_signature"),
        (".//ds:DigestMethod", "<ds:Any xmlns:ds='%s'/>", "odd_signature"),
        (".//ds:Reference", "<ds:Any xmlns:ds='%s'/>", "odd_signature"),
        (".//ds:Transforms", "<ds:Any xmlns:ds='%s'/>", "odd_signature"),
        (".//ds:Transform", "<ds:XPath xmlns:ds='%s'>1</ds:XPath>", "forbidden_transform"),
        (".//ds:SignedInfo", "<ds:Any xmlns:ds='%s'/>", "odd_signature"),
    ],
)
def test_odd_parts_of_a_signature(path: str, inside: str, reason: str) -> None:
    root = good()
    root.find(path, NAMES).append(idp.tree(inside % DS))
    assert refusal(lambda: guard.check_response(root)) == reason


def test_an_algorithm_nobody_has_heard_of() -> None:
    root = good()
    root.find(".//ds:DigestMethod", NAMES).set("Algorithm", "urn:mine")
    assert refusal(lambda: guard.check_response(root)) == "forbidden_algorithm"


def test_an_element_without_an_id_cannot_be_signed() -> None:
    root = good()
    del root.find("saml:Assertion", NAMES).attrib["ID"]
    assert refusal(lambda: guard.check_response(root)) == "no_id"


def test_what_the_signature_covers_must_be_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard refuses this before; held once more where the library hands something back."""
    root = good()
    root.find(".//ds:Reference", NAMES)
    other = idp.sign(idp.tree(response(Told(response_id="_assertion1", assertion_id="_other"))))
    signature = other.find("ds:Signature", NAMES)
    target = root.find("saml:Assertion", NAMES)
    target.replace(target.find("ds:Signature", NAMES), signature)
    document = etree.tostring(other)
    monkeypatch.setattr(etree, "tostring", lambda *a, **k: document)
    monkeypatch.setattr(verifying.XMLVerifier, "verify", lambda *a, **k: _Result(other))
    assert refusal(lambda: verifying.verify(root, idp_tag("Assertion"), TRUST.pinned())) == "foreign_reference"
    monkeypatch.setattr(verifying.XMLVerifier, "verify", lambda *a, **k: _Result(None))
    assert refusal(lambda: verifying.verify(root, idp_tag("Assertion"), TRUST.pinned())) == "foreign_reference"


class _Result:
    def __init__(self, signed: Any) -> None:
        self.signed_xml = signed


def idp_tag(name: str) -> str:
    return f"{{{SAML}}}{name}"


# --- seals --------------------------------------------------------------------------------------------------------------


def seal_with(change: Callable[[Any], None]) -> Any:
    root = in_seal()
    change(root)
    return root


def _set(path: str, value: str) -> Callable[[Any], None]:
    return lambda root: root.find(path, NAMES).set("Algorithm", value)


def _method(inside: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        method = root.find(".//xenc:EncryptedKey/xenc:EncryptionMethod", NAMES)
        for child in list(method):
            method.remove(child)
        method.extend(idp.tree(f"<a>{inside}</a>"))

    return change


def _drop(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        element = root.find(path, NAMES)
        element.getparent().remove(element)

    return change


def _text(path: str, value: str | None) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        root.find(path, NAMES).text = value

    return change


KEY = ".//xenc:EncryptedKey"
DATA = ".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_drop(KEY), "odd_encryption"),
        (_drop(".//xenc:EncryptedData/xenc:EncryptionMethod"), "forbidden_algorithm"),
        (_set(".//xenc:EncryptedData/xenc:EncryptionMethod", f"{XENC}tripledes-cbc"), "forbidden_algorithm"),
        (_method(f'<DigestMethod xmlns="{DS}" Algorithm="urn:mine"/>'), "forbidden_algorithm"),
        (_method(f'<MGF xmlns="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>'), "forbidden_algorithm"),
        (_method(f'<OAEPparams xmlns="{XENC}">AAAA</OAEPparams>'), "forbidden_algorithm"),
        (_method(f'<DigestMethod xmlns="{DS}" Algorithm="{XENC}sha256"/>'), "not_decrypted"),
        (_text(DATA, "%%%"), "odd_encryption"),
        (_text(DATA, None), "not_decrypted"),
        (_text(f"{KEY}//xenc:CipherValue", "AAAA"), "not_decrypted"),
        (_drop(".//xenc:EncryptedData/xenc:CipherData"), "odd_encryption"),
    ],
)
def test_odd_seals(change: Callable[[Any], None], reason: str) -> None:
    assert refusal(lambda: judge(seal_with(change))) == reason


def test_a_seal_whose_transport_names_digest_and_mask() -> None:
    """RSA-OAEP of XML Encryption 1.1, as newer providers use it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, nonce = b"k" * 32, b"n" * 12
    plain = idp.text(idp.sign(idp.tree(assertion(Told())))).encode()
    mask = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    public = verifying.read_certificate(SP.certificate).public_key()
    root = seal_with(
        _method(
            f'<DigestMethod xmlns="{DS}" Algorithm="{XENC}sha256"/><MGF xmlns="{XENC11}"'
            f' Algorithm="{XENC11}mgf1sha256"/>'
        )
    )
    root.find(f"{KEY}/xenc:EncryptionMethod", NAMES).set("Algorithm", f"{XENC11}rsa-oaep")
    wrapped = base64.b64encode(public.encrypt(key, mask)).decode()  # type: ignore[union-attr,call-arg,arg-type]
    root.find(f"{KEY}//xenc:CipherValue", NAMES).text = wrapped
    root.find(DATA, NAMES).text = base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain, None)).decode()
    assert judge(root).name_id.value == "jane@example.com"


def test_a_sealed_assertion_covered_by_the_responses_signature_alone() -> None:
    root = idp.sign(idp.tree(response(Told(), sealed(assertion(Told()), SP))))
    assert judge(root).name_id.value == "jane@example.com"


def test_prefixes_declared_around_the_seal() -> None:
    inside = idp.text(idp.sign(idp.tree(assertion(Told())))).replace(f' xmlns:saml="{SAML}"', "", 1)
    assert judge(idp.tree(response(Told(), sealed(inside, SP)))).name_id.value == "jane@example.com"


def test_no_library_ever_sees_a_seal_that_is_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("waypost.access.providers.saml.decrypting._open", never)
    assert refusal(lambda: judge(seal_with(_drop(KEY)))) == "odd_encryption"


# --- what is read -------------------------------------------------------------------------------------------------------


def edited(change: Callable[[Any], None], told: Told | None = None) -> Any:
    """A response changed before it was signed: what a provider means, oddly said."""
    root = idp.tree(response(told or Told()))
    change(root)
    return idp.sign(root, "saml:Assertion")


def _attribute(path: str, name: str, value: str) -> Callable[[Any], None]:
    return lambda root: root.find(path, NAMES).set(name, value)


def _append(path: str, inside: str) -> Callable[[Any], None]:
    return lambda root: root.find(path, NAMES).append(idp.tree(inside))


NOW_AND_LATER = idp.instant(AT + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_attribute(".//saml:SubjectConfirmation", "Method", "urn:x"), "no_confirmation"),
        (_attribute(".//saml:SubjectConfirmationData", "NotBefore", NOW_AND_LATER), "not_yet_valid"),
        (_attribute(".//saml:SubjectConfirmationData", "NotOnOrAfter", "never"), "bad_time"),
        (_attribute(".//saml:SubjectConfirmationData", "NotOnOrAfter", "2026-11-26T12:05:00"), "bad_time"),
        (_attribute(".//saml:SubjectConfirmationData", "NotOnOrAfter", idp.instant(AT - timedelta(hours=1))), "expired"),
        (_attribute(".//saml:AuthnStatement", "AuthnInstant", NOW_AND_LATER), "not_yet_valid"),
        (_append(".//saml:Conditions", f'<saml:Condition xmlns:saml="{SAML}"/>'), "unknown_condition"),
        (
            _append(".//saml:Conditions", f'<a:AudienceRestriction xmlns:a="{SAML}"><a:Audience>x</a:Audience>'
                    "</a:AudienceRestriction>"),
            "wrong_audience",
        ),
        (_attribute(".//saml:Conditions", "NotOnOrAfter", idp.instant(AT - timedelta(hours=1))), "expired"),
        (_drop(".//saml:AuthnStatement"), "no_authentication"),
        (_drop(".//saml:Conditions"), "no_conditions"),
        (_drop(".//saml:Subject"), "no_subject"),
        (_drop(".//saml:NameID"), "no_name_id"),
        (_drop(".//saml:SubjectConfirmation"), "no_confirmation"),
        (_drop(".//saml:SubjectConfirmationData"), "no_confirmation"),
        (_drop("saml:Assertion/saml:Issuer"), "wrong_issuer"),
        (_attribute("saml:Assertion/saml:Issuer", "Format", "urn:x"), "wrong_issuer"),
        (_attribute("saml:Assertion", "Version", "2.1"), "wrong_version"),
        (_attribute("saml:Assertion", "IssueInstant", NOW_AND_LATER), "not_yet_valid"),
        (_attribute(".", "IssueInstant", NOW_AND_LATER), "not_yet_valid"),
        (_drop("samlp:Status"), "no_status"),
        (_drop("samlp:Status/samlp:StatusCode"), "not_successful"),
    ],
)  # fmt: skip
def test_what_is_said_oddly_is_refused(change: Callable[[Any], None], reason: str) -> None:
    assert refusal(lambda: judge(edited(change))) == reason


def test_what_may_be_left_out_or_said_more() -> None:
    def change(root: Any) -> None:
        root.remove(root.find("saml:Issuer", NAMES))
        del root.attrib["Destination"]
        conditions = root.find(".//saml:Conditions", NAMES)
        del conditions.attrib["NotBefore"], conditions.attrib["NotOnOrAfter"]
        conditions.append(idp.tree(f'<saml:OneTimeUse xmlns:saml="{SAML}"/>'))
        root.find(".//saml:SubjectConfirmationData", NAMES).set("NotBefore", idp.instant(AT))
        context = root.find(".//saml:AuthnContext", NAMES)
        context.remove(context[0])

    facts = judge(edited(change, Told(session_ends=AT + timedelta(hours=8))))
    assert facts.valid_until == AT + timedelta(minutes=6)
    assert facts.session_ends == AT + timedelta(hours=8)
    assert (facts.context, facts.session_index) == ("", "_session1")


def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    told = Told(not_before=AT, not_on_or_after=AT + timedelta(minutes=5))
    for seconds, is_fine in ((-60, True), (-61, False), (359, True), (360, False)):
        asked = replace(ASKED, at=AT + timedelta(seconds=seconds))
        if is_fine:
            assert judge(good(told), asked=asked)
        else:
            assert refusal(lambda asked=asked: judge(good(told), asked=asked))  # type: ignore[misc]


def test_what_is_no_response_or_too_much_of_one() -> None:
    root = good()
    root.tag = f"{{{SAMLP}}}ArtifactResponse"
    assert refusal(lambda: judge(root)) == "not_a_response"
    assert refusal(lambda: guard.unpack("A" * 360_000)) == "too_large"


def test_a_response_that_says_success_and_brings_nothing() -> None:
    assert refusal(lambda: judge(idp.tree(response(Told(), "")))) == "no_assertion"


def test_a_refusal_says_why() -> None:
    root = idp.tree(response(Told(status="urn:oasis:names:tc:SAML:2.0:status:Responder"), ""))
    status = root.find("samlp:Status", NAMES)
    code = etree.SubElement(status[0], f"{{{SAMLP}}}StatusCode")
    code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")
    etree.SubElement(status, f"{{{SAMLP}}}StatusMessage").text = "Not today"
    with pytest.raises(Refused) as refused:
        judge(root)
    assert refused.value.detail == "Responder, AuthnFailed Not today"


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused_and_nothing_else(message: bytes) -> None:
    with pytest.raises(Refused):
        judging.judge_response(base64.b64encode(message).decode(), ASKED, TRUST)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_changed_byte_makes_somebody_else(position: int, byte: int) -> None:
    """Whatever single byte is changed: refused, or the same person as before."""
    message = bytearray(SIGNED)
    message[position % len(message)] = byte
    try:
        facts = judging.judge_response(base64.b64encode(bytes(message)).decode(), ASKED, TRUST)
    except Refused:
        return
    assert (facts.name_id.value, facts.attributes) == ("jane@example.com", EXPECTED)


SIGNED = etree.tostring(good())
EXPECTED = {"mail": ("jane@example.com",), "groups": ("staff", "it")}


# --- addresses ----------------------------------------------------------------------------------------------------------


def test_what_we_sign_the_other_side_can_verify() -> None:
    message = requests.authn_request(
        request_id="_r", at=AT, sso_url="https://idp/sso?x=1", acs_url=idp.ACS, entity_id=idp.SP,
        name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", force=True,
    )  # fmt: skip
    url = bindings.address("https://idp/sso?x=1", "SAMLRequest", message, relay_state="a&b", private_key=SP.key)
    assert url.startswith("https://idp/sso?x=1&SAMLRequest=")
    arrived = bindings.read(url.partition("x=1&")[2], [verifying.read_certificate(SP.certificate)])
    assert (arrived.kind, arrived.relay_state, arrived.message) == ("SAMLRequest", "a&b", message)
    root = idp.tree(message)
    assert root.get("ForceAuthn") == "true"
    assert root.find("samlp:NameIDPolicy", NAMES).get("Format").endswith("persistent")


def test_a_request_that_asks_for_nothing_special_and_is_not_signed() -> None:
    message = requests.authn_request(
        request_id="_r", at=AT, sso_url="https://idp/sso", acs_url=idp.ACS, entity_id=idp.SP
    )
    query = parse_qs(urlsplit(bindings.address("https://idp/sso", "SAMLRequest", message)).query)
    assert set(query) == {"SAMLRequest"}
    assert zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15) == message
    assert idp.tree(message).find("samlp:NameIDPolicy", NAMES).get("Format") is None


@pytest.mark.parametrize("method", ["SHA256_RSA_MGF1", "ECDSA_SHA256", "ECDSA short", "wrong kind of key"])
def test_signatures_of_other_kinds_over_an_address(method: str) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from signxml.algorithms import SignatureMethod

    by = pair("e", "ec") if method.startswith("ECDSA") else pair("idp")
    name = {"ECDSA short": "ECDSA_SHA256", "wrong kind of key": "ECDSA_SHA256"}.get(method, method)
    algorithm = SignatureMethod[name].value
    signed = f"SAMLRequest={quote(base64.b64encode(_deflated(b'<a/>')).decode(), safe='')}&SigAlg={quote(algorithm)}"
    key: Any = load_pem_private_key(by.key, None)
    if method.startswith("ECDSA"):
        both = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        value = b"".join(part.to_bytes(32, "big") for part in both)
        value = value[:-1] if method == "ECDSA short" else value
    else:
        value = key.sign(signed.encode(), padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    query = f"{signed}&Signature={quote(base64.b64encode(value).decode(), safe='')}"
    pinned = [verifying.read_certificate(by.certificate)]
    if method in ("ECDSA short", "wrong kind of key"):
        assert refusal(lambda: bindings.read(query, pinned)) == "bad_signature"
    else:
        assert bindings.read(query + "&other=ignored", pinned).message == b"<a/>"


def _deflated(message: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(message) + packer.flush()


# --- signing out ---------------------------------------------------------------------------------------------------------


def by_redirect(message: bytes, kind: str = "SAMLRequest") -> logout.Said:
    query = bindings.address("https://sp", kind, message, private_key=pair("idp").key).partition("?")[2]
    return logout.by_redirect(query, idp=idp.IDP, url="https://sp/sls", at=AT, pinned=TRUST.pinned())


def test_what_we_send_when_somebody_signs_out_is_what_we_would_take() -> None:
    name = NameId(value="jane", format="urn:f", qualifier="q", sp_qualifier="s")
    message = requests.logout_request(
        request_id="_lr", at=AT, slo_url="https://sp/sls", entity_id=idp.IDP, name_id=name, session_index="_s"
    )
    said = by_redirect(message)
    assert said == logout.LogoutAsked(
        request_id="_lr", name_id=name, sessions=("_s",), valid_until=AT + timedelta(minutes=6), relay_state=None
    )
    without = requests.logout_request(
        request_id="_lr",
        at=AT,
        slo_url="https://sp/sls",
        entity_id=idp.IDP,
        name_id=NameId(value="j"),
        session_index="",
    )
    assert by_redirect(without).sessions == ()  # type: ignore[union-attr]


def test_answers_about_signing_out() -> None:
    def answer(**more: Any) -> logout.Said:
        return by_redirect(
            requests.logout_response(
                response_id="_x", at=AT, url="https://sp/sls", entity_id=idp.IDP, in_response_to="_lr", **more
            ),
            "SAMLResponse",
        )

    assert answer() == logout.LogoutDone(in_response_to="_lr", is_whole=True)
    assert answer(is_done=False) == logout.LogoutDone(in_response_to="_lr", is_whole=False)


def test_a_logout_of_very_many_sessions() -> None:
    root = idp.tree(
        requests.logout_request(
            request_id="_lr", at=AT, slo_url="https://sp/sls", entity_id=idp.IDP, name_id=NameId(value="j"),
            session_index="_s",
        )
    )  # fmt: skip
    for _ in range(200):
        etree.SubElement(root, f"{{{SAMLP}}}SessionIndex").text = "x"
    assert refusal(lambda: by_redirect(etree.tostring(root))) == "too_large"


# --- metadata ------------------------------------------------------------------------------------------------------------


def described(**change: str) -> str:
    certificate = metadata.bare(pair("idp").certificate)
    parts = {
        "entity": 'entityID="https://idp.example.com/metadata"',
        "protocols": SAMLP,
        "keys": "".join(
            f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>{c}'
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
            for use, c in (
                (' use="signing"', certificate),
                (' use="signing"', metadata.bare(pair("new idp").certificate)),
                ("", certificate),
                (' use="encryption"', metadata.bare(pair("third").certificate)),
            )
        ),
        "slo": '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp/p"/>'
        '<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp/slo"'
        ' ResponseLocation="https://idp/slo/done"/>',
        "sso": '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
        ' Location="https://idp/sso"/>',
    } | change
    return (
        '<?xml version="1.0"?><!-- made by hand --><md:EntityDescriptor'
        f' xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" {parts["entity"]}>'
        f'<md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="{parts["protocols"]}">'
        f"{parts['keys']}{parts['slo']}<md:NameIDFormat>urn:f</md:NameIDFormat>{parts['sso']}"
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def test_a_providers_metadata() -> None:
    found = metadata.read_idp(described().encode())
    assert found.entity_id == "https://idp.example.com/metadata"
    assert (found.sso_url, found.slo_url, found.slo_response_url) == (
        "https://idp/sso", "https://idp/slo", "https://idp/slo/done",
    )  # fmt: skip
    assert found.certificates == (pair("idp").certificate, pair("new idp").certificate)
    assert found.name_id_formats == ("urn:f",)
    assert found.wants_signed_requests


def test_metadata_without_a_place_to_sign_out() -> None:
    found = metadata.read_idp(described(slo="").encode())
    assert (found.slo_url, found.slo_response_url) == ("", "")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "not_xml"),
        (b"<html/>", "odd_metadata"),
        (b"<!DOCTYPE x><a/>", "dtd"),
        (b"<a>" + b"x" * 1_100_000 + b"</a>", "too_large"),
        (described(sso="").encode(), "odd_metadata"),
        (described(keys="").encode(), "odd_metadata"),
        (described(protocols="urn:oasis:names:tc:SAML:1.1:protocol").encode(), "odd_metadata"),
        (f"<all>{2 * described().partition('-->')[2]}</all>".encode(), "odd_metadata"),
    ],
)
def test_metadata_that_is_of_no_use(document: bytes, reason: str) -> None:
    assert refusal(lambda: metadata.read_idp(document)) == reason


def test_our_own_metadata() -> None:
    def ours(**more: Any) -> Any:
        about = {
            "entity_id": idp.SP, "acs_url": idp.ACS, "sls_url": "https://sp/sls", "certificate": SP.certificate,
            "signs": True, "wants_signed": True, "name_id_format": "urn:f",
        }  # fmt: skip
        return idp.tree(metadata.ours(**(about | more)))

    names = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", **NAMES}
    root = ours()
    assert root.get("entityID") == idp.SP
    assert root[0].get("AuthnRequestsSigned") == root[0].get("WantAssertionsSigned") == "true"
    assert [e.get("use") for e in root.iterfind(".//md:KeyDescriptor", names)] == ["signing", "encryption"]
    assert root.find(".//md:AssertionConsumerService", names).get("Location") == idp.ACS
    assert len(root.findall(".//md:SingleLogoutService", names)) == 2
    assert ours(name_id_format="", signs=False).find(".//md:NameIDFormat", names) is None


def test_the_words_of_a_refusal() -> None:
    assert str(Refused("expired")) == "expired"
    assert str(Refused("expired", "long ago")) == "expired: long ago"
    assert RSA_SHA256.endswith("rsa-sha256")
