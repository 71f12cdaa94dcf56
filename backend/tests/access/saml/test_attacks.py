"""Everything we know to be tried against a SAML service provider, with what became of it (`-s` prints the table)."""

from __future__ import annotations

import base64
import copy
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import xmlsec
from lxml import etree

from tests.access.saml import idp
from tests.access.saml.idp import AT, DS, NAMES, SAML, SAMLP, XENC, Told, assertion, packed, pair, response, sealed
from waypost.access.providers.saml import bindings, guard, judging, logout
from waypost.access.providers.saml.judging import Signed, Trust
from waypost.access.providers.saml.reading import Asked
from waypost.access.providers.saml.refusing import Refused

ASKED = Asked(idp=idp.IDP, audience=idp.SP, acs_url=idp.ACS, request_id=idp.REQUEST_ID, at=AT)
SP = pair("sp")
TRUST = Trust(certificates=(pair("idp").certificate,), private_keys=(SP.key,))
C = xmlsec.constants


def good(told: Told | None = None, **signing: Any) -> Any:
    """A response as it should be, its assertion signed."""
    return idp.sign(idp.tree(response(told or Told())), "saml:Assertion", **signing)


def both(told: Told | None = None) -> Any:
    return idp.sign(good(told))


def on_response(told: Told | None = None) -> Any:
    return idp.sign(idp.tree(response(told or Told())))


def evil(told: Told | None = None) -> Any:
    """An assertion the attacker wrote, naming the administrator."""
    return idp.tree(assertion(replace(told or Told(), name_id="admin@example.com", assertion_id="_evil")))


def changed(root: Any, before: str, after: str) -> bytes:
    written = etree.tostring(root)
    assert before.encode() in written
    return written.replace(before.encode(), after.encode())


def signature_of(element: Any) -> Any:
    return element.find("ds:Signature", NAMES)


# --- signature wrapping (Somorovsky et al., 2012): the signed part stays, something else stands where it stood --------


def xsw1() -> Any:
    """The response copied with another assertion; the original response inside the signature."""
    root = on_response()
    fake = copy.deepcopy(root)
    fake.replace(fake.find("saml:Assertion", NAMES), evil())
    fake.set("ID", "_fake")
    signature = signature_of(fake)
    original = copy.deepcopy(root)
    original.remove(signature_of(original))
    signature.append(original)
    return fake


def xsw2() -> Any:
    """The same with the original response before the signature."""
    root = on_response()
    fake = copy.deepcopy(root)
    fake.replace(fake.find("saml:Assertion", NAMES), evil())
    fake.set("ID", "_fake")
    original = copy.deepcopy(root)
    original.remove(signature_of(original))
    fake.insert(0, original)
    return fake


def xsw3() -> Any:
    """Another assertion before the signed one."""
    root = good()
    root.insert(2, evil())
    return root


def xsw4() -> Any:
    """Another assertion with the signed one in it."""
    root = good()
    signed = root.find("saml:Assertion", NAMES)
    outer = evil()
    root.replace(signed, outer)
    outer.append(signed)
    return root


def xsw5() -> Any:
    """The signature moved into another assertion; the original, without it, after that."""
    root = good()
    signed = root.find("saml:Assertion", NAMES)
    signature = signature_of(signed)
    outer = evil()
    outer.insert(1, copy.deepcopy(signature))
    signed.remove(signature)
    root.replace(signed, outer)
    root.append(signed)
    return root


def xsw6() -> Any:
    """The signature in another assertion, and the original inside the signature."""
    root = good()
    signed = root.find("saml:Assertion", NAMES)
    signature = copy.deepcopy(signature_of(signed))
    signed.remove(signature_of(signed))
    outer = evil()
    outer.insert(1, signature)
    root.replace(signed, outer)
    signature.append(signed)
    return root


def xsw7() -> Any:
    """The original in an element anything may stand in, before the signed one's place."""
    root = good()
    signed = root.find("saml:Assertion", NAMES)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    root.replace(signed, evil())
    extensions.append(signed)
    root.insert(1, extensions)
    return root


def xsw8() -> Any:
    """The original in an object of a signature in another assertion."""
    root = good()
    signed = root.find("saml:Assertion", NAMES)
    signature = copy.deepcopy(signature_of(signed))
    signed.remove(signature_of(signed))
    outer = evil()
    outer.insert(1, signature)
    root.replace(signed, outer)
    etree.SubElement(signature, f"{{{DS}}}Object").append(signed)
    return root


def hidden() -> Any:
    """One assertion, where nobody would look for it."""
    root = idp.tree(response(Told(), ""))
    etree.SubElement(root, f"{{{SAMLP}}}Extensions").append(evil())
    return root


def object_signature() -> Any:
    """A signature that brings its own signed element, beside an assertion it does not cover."""
    root = idp.tree(response(Told(name_id="admin@example.com", assertion_id="_evil")))
    signed = idp.sign(idp.tree(assertion(Told())))
    signature = signature_of(signed)
    target = root.find("saml:Assertion", NAMES)
    target.insert(1, copy.deepcopy(signature))
    return root


def same_id_twice() -> Any:
    """Something else with the id that is signed."""
    root = good()
    extra = etree.Element(f"{{{SAMLP}}}Extensions")
    etree.SubElement(extra, f"{{{SAMLP}}}Anything").set("Id", "_assertion1")
    root.insert(1, extra)
    return root


# --- what stands in the signature --------------------------------------------------------------------------------------


def with_transform(algorithm: str, inside: str = "") -> Any:
    root = good()
    transforms = root.find(".//ds:Transforms", NAMES)
    transforms.insert(0, idp.tree(f'<ds:Transform xmlns:ds="{DS}" Algorithm="{algorithm}">{inside}</ds:Transform>'))
    return root


def with_prefixes(prefixes: str) -> Any:
    root = good()
    way = root.find(".//ds:CanonicalizationMethod", NAMES)
    etree.SubElement(way, "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces").set("PrefixList", prefixes)
    return root


def xslt_bomb(depth: int = 27) -> Any:
    """A stylesheet that doubles its work with each step: minutes, if it ever ran."""
    steps = "".join(
        f'<xsl:template name="t{i}"><xsl:call-template name="t{i + 1}"/><xsl:call-template name="t{i + 1}"/>'
        "</xsl:template>"
        for i in range(depth)
    )
    sheet = (
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
        f'<xsl:call-template name="t0"/></xsl:template>{steps}<xsl:template name="t{depth}"/></xsl:stylesheet>'
    )
    return with_transform("http://www.w3.org/TR/1999/REC-xslt-19991116", sheet)


def unsigned_part(root: Any, path: str, attribute: str, value: str | None) -> Any:
    element = root.find(path, NAMES)
    if value is None:
        del element.attrib[attribute]
    else:
        element.set(attribute, value)
    return root


def on_root(root: Any, attribute: str, value: str | None) -> Any:
    if value is None:
        del root.attrib[attribute]
    else:
        root.set(attribute, value)
    return root


def cipher_changed(root: Any) -> Any:
    value = root.find(".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", NAMES)
    data = bytearray(base64.b64decode(value.text))
    data[len(data) // 2] ^= 1
    value.text = base64.b64encode(bytes(data)).decode()
    return root


def in_seal(told: Told | None = None, *, sign: bool = True, by: idp.Pair | None = None, **sealing: Any) -> Any:
    inside = idp.tree(assertion(told or Told()))
    if sign:
        inside = idp.sign(inside, by=by)
    return idp.tree(response(told or Told(), sealed(idp.text(inside), SP, **sealing)))


def fetched() -> Any:
    """A seal whose content stands somewhere else."""
    root = in_seal()
    data = root.find(".//xenc:EncryptedData/xenc:CipherData", NAMES)
    for child in list(data):
        data.remove(child)
    etree.SubElement(data, f"{{{XENC}}}CipherReference").set("URI", "http://127.0.0.1:9/secret")
    return root


def dtd(inside: str) -> bytes:
    return f"<!DOCTYPE a [{inside}]>".encode() + etree.tostring(good())


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(10))
BILLION = changed(good(), "jane@example.com", "&l9;")
KNOWN_CERTIFICATE = pair("idp").certificate.encode()
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Attack:
    name: str
    make: Callable[[], Any]
    reason: str
    trust: Trust = TRUST
    asked: Asked = ASKED


ATTACKS = [
    Attack("unsigned", lambda: idp.tree(response(Told())), "not_signed"),
    Attack("signature stripped", lambda: idp.tree(response(Told(name_id="admin@example.com"))), "not_signed"),
    Attack("signed by a foreign key", lambda: good(by=pair("stranger")), "bad_signature"),
    Attack("signed by a foreign EC key", lambda: good(by=pair("e", "ec"), method=C.TransformEcdsaSha256), "bad_signature"),
    Attack("NameID changed after signing", lambda: changed(good(), "jane@", "admin@"), "bad_signature"),
    Attack("attribute changed after signing", lambda: changed(good(), ">staff<", ">admin<"), "bad_signature"),
    Attack("response changed after signing", lambda: changed(on_response(), "jane@", "admin@"), "bad_signature"),
    Attack("one good and one bad signature", lambda: changed(both(), ">staff<", ">admin<"), "bad_signature"),
    Attack("XSW 1: original response in the signature", xsw1, "wrapped"),
    Attack("XSW 2: original response before it", xsw2, "wrapped"),
    Attack("XSW 3: another assertion first", xsw3, "wrapped"),
    Attack("XSW 4: signed one inside another", xsw4, "wrapped"),
    Attack("XSW 5: signature moved, original after", xsw5, "wrapped"),
    Attack("XSW 6: original inside the signature", xsw6, "wrapped"),
    Attack("XSW 7: original in extensions", xsw7, "wrapped"),
    Attack("XSW 8: original in an object", xsw8, "wrapped"),
    Attack("the only assertion somewhere else", hidden, "wrapped"),
    Attack("a signature over something else", object_signature, "foreign_reference"),
    Attack("reference to the whole document", lambda: on_root_reference(good(), ""), "foreign_reference"),
    Attack("reference by XPointer", lambda: on_root_reference(good(), "#xpointer(/)"), "foreign_reference"),
    Attack("reference to another host", lambda: on_root_reference(good(), "http://127.0.0.1:9/"), "foreign_reference"),
    Attack("two references", lambda: doubled(good(), "ds:Reference"), "odd_signature"),
    Attack("two signatures in one place", lambda: doubled(good(), "ds:Signature"), "misplaced_signature"),
    Attack("signature elsewhere", lambda: moved_signature(good()), "misplaced_signature"),
    Attack("ids that stand twice", same_id_twice, "duplicate_id"),
    Attack("two assertions, both signed", lambda: two_signed(), "wrapped"),
    Attack("plain and sealed assertion", lambda: plain_and_sealed(), "wrapped"),
    Attack("no assertion", lambda: idp.tree(response(Told(), "")), "no_assertion"),
    Attack("a login request instead", lambda: f'<samlp:AuthnRequest xmlns:samlp="{SAMLP}"/>'.encode(), "wrong_version"),
    Attack("comment in the NameID", lambda: changed(good(), "jane@", "ja<!-- -->ne@"), "comment"),
    Attack(
        "comment in the NameID, signed with it",
        lambda: good(Told(name_id="admin@example.com<!-- -->.evil.example.com")),
        "comment",
    ),
    Attack("element in the NameID", lambda: good(Told(name_id="admin@example.com<b/>.evil.example")), "odd_value"),
    Attack("NameID with a line break", lambda: good(Told(name_id="admin&#10;")), "bad_name_id"),
    Attack("empty NameID", lambda: good(Told(name_id="")), "bad_name_id"),
    Attack("CDATA in the NameID, cut", lambda: changed(good(), "jane@", "<![CDATA[admin@]]>"), "bad_signature"),
    Attack("SHA-1 signature", lambda: good(method=C.TransformRsaSha1), "forbidden_algorithm"),
    Attack("SHA-1 digest", lambda: good(digest=C.TransformSha1), "forbidden_algorithm"),
    Attack("HMAC with the certificate as secret", lambda: good(method=C.TransformHmacSha256, hmac=KNOWN_CERTIFICATE),
           "forbidden_algorithm"),
    Attack("XSLT bomb", xslt_bomb, "forbidden_transform"),
    Attack("XPath transform", lambda: with_transform("http://www.w3.org/TR/1999/REC-xpath-19991116"),
           "forbidden_transform"),
    Attack("base64 transform", lambda: with_transform(f"{DS}base64"), "forbidden_transform"),
    Attack("canonicalisation with comments", lambda: good(transforms=(C.TransformEnveloped,
           C.TransformExclC14NWithComments)), "forbidden_transform"),
    Attack("no canonicalisation", lambda: good(transforms=(C.TransformEnveloped,)), "forbidden_transform"),
    Attack("inclusive canonicalisation", lambda: changed(good(), 'Method Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
           'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"'), "forbidden_algorithm"),
    Attack("DTD", lambda: dtd(""), "dtd"),
    Attack("external entity (XXE)", lambda: dtd('<!ENTITY x SYSTEM "file:///etc/passwd">'), "dtd"),
    Attack("billion laughs", lambda: f"<!DOCTYPE a [{LAUGHS}]>".encode() + BILLION, "dtd"),
    Attack("entity without a DTD", lambda: BILLION, "not_xml"),
    Attack("DTD in UTF-16", lambda: dtd("").decode().encode("utf-16"), "not_utf8"),
    Attack("other encoding declared", lambda: b'<?xml version="1.0" encoding="utf-7"?>' + etree.tostring(good()),
           "processing_instruction"),
    Attack("processing instruction", lambda: changed(good(), "<saml:Subject>", "<?x y?><saml:Subject>"),
           "processing_instruction"),
    Attack("stylesheet instruction", lambda: b'<?xml-stylesheet href="http://127.0.0.1:9/"?>' + etree.tostring(good()),
           "processing_instruction"),
    Attack("a million bytes", lambda: changed(good(), ">staff<", ">" + "a" * 1_000_000 + "<"), "too_large"),
    Attack("twenty thousand elements", lambda: changed(good(), ">staff<", ">" + "<a/>" * 20_000 + "<"), "too_large"),
    Attack("deep nesting", lambda: changed(good(), ">staff<", ">" + "<a>" * 200 + "</a>" * 200 + "<"), "too_large"),
    Attack("a thousand attributes", lambda: changed(good(), "<saml:Subject>", "<saml:Subject " + " ".join(
           f'a{n}=""' for n in range(1000)) + ">"), "too_large"),
    Attack("six thousand namespaces", lambda: changed(good(), "<samlp:Response ", "<samlp:Response " + " ".join(
           f'xmlns:a{n}="u"' for n in range(6000)) + " "), "too_large"),
    Attack("a thousand prefixes", lambda: with_prefixes(" ".join(f"a{n}" for n in range(1000))), "too_large"),
    Attack("not XML", lambda: b"hello", "not_xml"),
    Attack("NUL", lambda: changed(good(), "jane@", "jane\x00@"), "not_xml"),
    Attack("nothing", lambda: b"", "not_xml"),
    Attack("wrong audience", lambda: good(Told(audience="https://other.example.com")), "wrong_audience"),
    Attack("no audience", lambda: good(Told(audience=None)), "wrong_audience"),
    Attack("wrong recipient", lambda: good(Told(recipient="https://other.example.com/acs")), "wrong_recipient"),
    Attack("no recipient", lambda: good(Told(recipient=None)), "wrong_recipient"),
    Attack("wrong destination", lambda: good(Told(acs="https://other.example.com/acs")), "wrong_destination"),
    Attack("signed response without destination", lambda: on_response(Told(acs=None)), "wrong_destination"),
    Attack("expired", lambda: good(Told(not_on_or_after=AT - MINUTE)), "expired"),
    Attack("never ends", lambda: good(Told(not_on_or_after=None)), "bad_time"),
    Attack("not valid yet", lambda: good(Told(not_before=AT + 2 * MINUTE)), "not_yet_valid"),
    Attack("issued in the future", lambda: good(Told(at=AT + 2 * MINUTE)), "not_yet_valid"),
    Attack("session over", lambda: good(Told(session_ends=AT - MINUTE)), "expired"),
    Attack("a year nobody will see", lambda: good(Told(not_on_or_after=AT.replace(year=9999))), "bad_time"),
    Attack("wrong InResponseTo on the response", lambda: on_root(good(), "InResponseTo", "_other"), "wrong_request"),
    Attack("wrong InResponseTo in what is signed", lambda: good(Told(signed_request_id="_victims")), "wrong_request"),
    Attack("InResponseTo stripped, another session's assertion",
           lambda: on_root(good(Told(signed_request_id="_victims")), "InResponseTo", None), "wrong_request"),
    Attack("InResponseTo stripped from the response", lambda: on_root(good(), "InResponseTo", None), "wrong_request"),
    Attack("unsolicited", lambda: good(Told(request_id=None, signed_request_id=None)), "wrong_request"),
    Attack("unsolicited inside, answering outside", lambda: good(Told(signed_request_id=None)), "wrong_request"),
    Attack("another provider's assertion", lambda: good(Told(idp="https://other-idp.example.com"),
           by=pair("other idp")), "bad_signature"),
    Attack("our provider's key under another name", lambda: good(Told(idp="https://other-idp.example.com")),
           "wrong_issuer"),
    Attack("response by another provider", lambda: changed(good(), f">{idp.IDP}</saml:Issuer><samlp:Status",
           ">https://other.example.com</saml:Issuer><samlp:Status"), "wrong_issuer"),
    Attack("SAML 1.1", lambda: on_root(good(), "Version", "1.1"), "wrong_version"),
    Attack("sign-in failed there", lambda: good(Told(status="urn:oasis:names:tc:SAML:2.0:status:Responder")),
           "not_successful"),
    Attack("refusal with no assertion", lambda: idp.tree(response(Told(
           status="urn:oasis:names:tc:SAML:2.0:status:Requester"), "")), "not_successful"),
    Attack("only the assertion signed, response wanted", good, "not_signed", replace(TRUST, signed=Signed.RESPONSE)),
    Attack("only the response signed, assertion wanted", on_response, "not_signed",
           replace(TRUST, signed=Signed.ASSERTION)),
    Attack("only the response signed, both wanted", on_response, "not_signed", replace(TRUST, signed=Signed.BOTH)),
    Attack("plain, sealed wanted", good, "not_encrypted", replace(TRUST, must_encrypt=True)),
    Attack("sealed, unsigned", lambda: in_seal(sign=False), "not_signed"),
    Attack("sealed, signed by a stranger", lambda: in_seal(by=pair("stranger")), "bad_signature"),
    Attack("sealed, then changed (GCM)", lambda: cipher_changed(in_seal()), "not_decrypted"),
    Attack("sealed, signed outside, then changed (CBC)", lambda: cipher_changed(idp.sign(in_seal(
           method=C.TransformAes128Cbc))), "bad_signature"),
    Attack("sealed with CBC, not signed outside", lambda: in_seal(method=C.TransformAes256Cbc), "forbidden_algorithm"),
    Attack("sealed with RSA 1.5", lambda: in_seal(transport=C.TransformRsaPkcs1), "forbidden_algorithm"),
    Attack("sealed for somebody else", in_seal, "not_decrypted", replace(TRUST, private_keys=(pair("other").key,))),
    Attack("sealed, and we have no key", in_seal, "not_decrypted", replace(TRUST, private_keys=())),
    Attack("seal that fetches", fetched, "odd_encryption"),
    Attack("wrapped inside the seal", lambda: idp.tree(response(Told(), sealed(idp.text(nested()), SP))), "wrapped"),
    Attack("DTD inside the seal", lambda: idp.tree(response(Told(), sealed_bytes("<!DOCTYPE a><a/>"))), "dtd"),
    Attack("two assertions inside the seal", lambda: idp.tree(response(Told(), sealed_bytes(
           idp.text(idp.sign(idp.tree(assertion(Told())))) + idp.text(evil())))), "odd_encryption"),
    Attack("something else inside the seal", lambda: idp.tree(response(Told(), sealed_bytes("<a/>"))),
           "not_an_assertion"),
]  # fmt: skip


def on_root_reference(root: Any, uri: str) -> Any:
    root.find(".//ds:Reference", NAMES).set("URI", uri)
    return root


def doubled(root: Any, path: str) -> Any:
    element = root.find(f".//{path}", NAMES)
    element.addnext(copy.deepcopy(element))
    return root


def moved_signature(root: Any) -> Any:
    signature = root.find(".//ds:Signature", NAMES)
    root.find(".//saml:Subject", NAMES).append(signature)
    return root


def two_signed() -> Any:
    root = good()
    other = idp.sign(idp.tree(assertion(Told(assertion_id="_assertion2", name_id="admin@example.com"))))
    root.append(other)
    return root


def plain_and_sealed() -> Any:
    root = good()
    root.append(idp.tree(sealed(assertion(Told(assertion_id="_assertion2")), SP)))
    return root


def nested() -> Any:
    outer = evil()
    outer.append(idp.sign(idp.tree(assertion(Told()))))
    return outer


def sealed_bytes(plain: str) -> str:
    return sealed(plain, SP)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_attack(attack: Attack) -> None:
    field = packed(attack.make())
    began = time.perf_counter()
    with pytest.raises(Refused) as refused:
        judging.judge_response(field, attack.asked, attack.trust)
    seconds = time.perf_counter() - began
    print(f"{attack.name:55} refused: {refused.value}  ({seconds * 1000:.1f} ms)")
    assert refused.value.reason == attack.reason
    assert seconds < 1


def test_what_was_attacked_is_taken_when_it_is_left_alone() -> None:
    """Without this, everything above could be refused for another reason."""
    for root in (good(), on_response(), both(), in_seal(), idp.sign(in_seal(method=C.TransformAes128Cbc))):
        facts = judging.judge_response(packed(root), ASKED, TRUST)
        assert facts.name_id.value == "jane@example.com"
        assert facts.attributes["groups"] == ("staff", "it")
    everything = replace(TRUST, signed=Signed.BOTH)
    assert judging.judge_response(packed(both()), ASKED, everything).assertion_id == "_assertion1"


def test_a_form_field_that_is_no_base64() -> None:
    for field, reason in (("%%%", "not_base64"), ("aé", "not_base64"), ("A" * 500_000, "too_large")):
        with pytest.raises(Refused) as refused:
            judging.judge_response(field, ASKED, TRUST)
        assert refused.value.reason == reason
        print(f"{'base64 garbage ' + field[:5]:55} refused: {refused.value}")


# --- addresses ----------------------------------------------------------------------------------------------------------


def logout_xml(**told: str) -> bytes:
    values = {"ID": "_lr1", "Version": "2.0", "IssueInstant": idp.instant(AT), "Destination": "https://sp/sls"} | told
    attributes = " ".join(f'{k}="{v}"' for k, v in values.items())
    return (
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" {attributes}>'
        f"<saml:Issuer>{idp.IDP}</saml:Issuer><saml:NameID>jane@example.com</saml:NameID>"
        "<samlp:SessionIndex>_session1</samlp:SessionIndex></samlp:LogoutRequest>"
    ).encode()


def logout_query(message: bytes | None = None, **signing: Any) -> str:
    message = logout_xml() if message is None else message
    signing.setdefault("private_key", pair("idp").key)
    return bindings.address("https://sp/sls", bindings.REQUEST, message, **signing).partition("?")[2]


def bomb() -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(b"<a>" + b" " * 50_000_000) + packer.flush()
    assert len(data) < 60_000
    signed = "SAMLRequest=" + idp_quote(data)
    return with_signature(signed)


def idp_quote(data: bytes) -> str:
    return quote(base64.b64encode(data).decode(), safe="")


def with_signature(query: str, by: idp.Pair | None = None) -> str:
    query += f"&SigAlg={quote('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', safe='')}"
    return query + "&Signature=" + idp_quote(bindings.sign(query.encode(), (by or pair("idp")).key))


QUERIES = {
    "unsigned logout": (lambda: logout_query(private_key=None), "not_signed"),
    "logout signed by a stranger": (lambda: logout_query(private_key=pair("stranger").key), "bad_signature"),
    "logout with SHA-1": (lambda: logout_query().replace("2001%2F04%2Fxmldsig-more%23rsa-sha256", "2000%2F09%2Fxmldsig%23rsa-sha1"),
                          "forbidden_algorithm"),
    "another RelayState than signed": (lambda: logout_query(relay_state="a").replace("RelayState=a", "RelayState=b"),
                                       "bad_signature"),
    "RelayState taken away": (lambda: logout_query(relay_state="a").replace("&RelayState=a", ""), "bad_signature"),
    "the message twice": (lambda: f"SAMLRequest=AAAA&{logout_query()}", "odd_query"),
    "request and response at once": (lambda: f"{logout_query()}&SAMLResponse=AAAA", "odd_query"),
    "no message": (lambda: "Signature=a&SigAlg=b", "odd_query"),
    "deflate bomb": (bomb, "too_large"),
    "not deflated": (lambda: with_signature("SAMLRequest=" + idp_quote(b"\xff\xff\xff")), "not_deflated"),
    "broken off": (lambda: with_signature("SAMLRequest=" + idp_quote(b"\x01")), "not_deflated"),
    "a huge query": (lambda: "SAMLRequest=" + "A" * 100_000, "too_large"),
    "DTD in a logout": (lambda: logout_query(b"<!DOCTYPE a>" + logout_xml()), "dtd"),
    "signature inside a signed address": (lambda: logout_query(etree.tostring(idp.sign(idp.tree(logout_xml())))),
                                          "misplaced_signature"),
    "logout for another address": (lambda: logout_query(logout_xml(Destination="https://other/sls")),
                                   "wrong_destination"),
    "logout that is over": (lambda: logout_query(logout_xml(NotOnOrAfter=idp.instant(AT - 2 * MINUTE))), "expired"),
    "old logout without an end": (lambda: logout_query(logout_xml(IssueInstant=idp.instant(AT - 10 * MINUTE))),
                                  "expired"),
    "logout from the future": (lambda: logout_query(logout_xml(IssueInstant=idp.instant(AT + 2 * MINUTE))),
                               "not_yet_valid"),
    "a response where a logout is due": (lambda: logout_query(etree.tostring(idp.tree(response(Told())))),
                                         "not_a_logout"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_attack_by_address(name: str) -> None:
    make, reason = QUERIES[name]
    query = make()
    began = time.perf_counter()
    with pytest.raises(Refused) as refused:
        logout.by_redirect(query, idp=idp.IDP, url="https://sp/sls", at=AT, pinned=TRUST.pinned())
    seconds = time.perf_counter() - began
    print(f"{name:55} refused: {refused.value}  ({seconds * 1000:.1f} ms)")
    assert refused.value.reason == reason
    assert seconds < 1


def test_a_logout_that_is_right_is_taken() -> None:
    said = logout.by_redirect(
        logout_query(relay_state="there & back"), idp=idp.IDP, url="https://sp/sls", at=AT, pinned=TRUST.pinned()
    )
    assert isinstance(said, logout.LogoutAsked)
    assert (said.name_id.value, said.sessions, said.relay_state) == ("jane@example.com", ("_session1",), "there & back")


def test_a_form_with_an_unsigned_logout() -> None:
    about: dict[str, Any] = {"idp": idp.IDP, "url": "https://sp/sls", "at": AT, "pinned": TRUST.pinned()}
    with pytest.raises(Refused, match="not_signed"):
        logout.by_post(bindings.REQUEST, packed(logout_xml()), None, **about)
    signed = idp.sign(idp.tree(logout_xml()))
    assert isinstance(logout.by_post(bindings.REQUEST, packed(signed), "x", **about), logout.LogoutAsked)
    with pytest.raises(Refused, match="bad_signature"):
        logout.by_post(bindings.REQUEST, packed(changed(signed, "jane@", "admin@")), None, **about)


def test_the_stylesheet_would_have_run_for_minutes() -> None:
    """That the bomb is one: at a tenth of its depth it takes measurable time where it may run."""
    transform = xslt_bomb(16).find(".//ds:Transform", NAMES)[0]
    began = time.perf_counter()
    etree.XSLT(transform)(idp.tree("<a/>"))
    small = time.perf_counter() - began
    began = time.perf_counter()
    with pytest.raises(Refused):
        guard.check_response(guard.parse(etree.tostring(xslt_bomb(27))))
    assert time.perf_counter() - began < max(0.5, small)
