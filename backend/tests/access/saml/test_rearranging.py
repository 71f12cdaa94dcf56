"""Signature wrapping, as many ways as a machine finds: parts of signed messages moved about, copied, renamed, mixed."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.access.saml import idp
from tests.access.saml.idp import AT, NAMES, Told, packed, pair
from waypost.access.providers.saml import judging
from waypost.access.providers.saml.judging import Signed, Trust
from waypost.access.providers.saml.reading import Asked
from waypost.access.providers.saml.refusing import Refused

ASKED = Asked(idp=idp.IDP, audience=idp.SP, acs_url=idp.ACS, request_id=idp.REQUEST_ID, at=AT)
TRUST = Trust(certificates=(pair("idp").certificate,), private_keys=(pair("sp").key,))
EVIL = Told(name_id="admin@example.com", assertion_id="_evil", attributes={"groups": ["administrators"]})
# What a machine may take pieces from: a response signed in each way, and what an attacker wrote and signed themselves.
SIGNED = [
    idp.sign(idp.tree(idp.response(Told())), "saml:Assertion"),
    idp.sign(idp.tree(idp.response(Told()))),
    idp.sign(idp.sign(idp.tree(idp.response(Told())), "saml:Assertion")),
]
PIECES = [
    *SIGNED,
    idp.tree(idp.response(replace(EVIL, response_id="_evil_response"))),
    idp.sign(idp.tree(idp.assertion(EVIL)), by=pair("stranger")),
    idp.tree(idp.assertion(replace(EVIL, assertion_id="_assertion1"))),
    idp.tree(f'<samlp:Extensions xmlns:samlp="{idp.SAMLP}"/>'),
    idp.tree(f'<ds:Object xmlns:ds="{idp.DS}"/>'),
    idp.tree(f'<saml:Advice xmlns:saml="{idp.SAML}"/>'),
]
IDS = ["_assertion1", "_response1", "_evil", "_evil_response", "_x"]
number = st.integers(0, 10_000)
steps = st.lists(
    st.tuples(st.sampled_from(["bring", "copy", "move", "remove", "rename", "refer", "say"]), number, number, number),
    min_size=1,
    max_size=5,
)


def pick(root: Any, n: int) -> Any:
    every = list(root.iter())
    return every[n % len(every)]


def put(into: Any, element: Any, n: int) -> None:
    if into is element or any(a is element for a in into.iterancestors()):
        return
    into.insert(n % (len(into) + 1), element)


def take(root: Any, step: tuple[str, int, int, int]) -> None:
    what, a, b, c = step
    element = pick(root, a)
    if what == "bring":
        put(element, copy.deepcopy(pick(PIECES[b % len(PIECES)], c)), b)
    elif what == "copy":
        put(pick(root, b), copy.deepcopy(element), c)
    elif what == "move" and element.getparent() is not None:
        put(pick(root, b), element, c)
    elif what == "remove" and element.getparent() is not None:
        element.getparent().remove(element)
    elif what == "rename":
        element.set("ID", IDS[b % len(IDS)])
    elif what == "refer":
        for reference in root.iterfind(".//ds:Reference", NAMES):
            reference.set("URI", f"#{IDS[b % len(IDS)]}")
    elif what == "say":
        for name in root.iterfind(".//saml:NameID", NAMES):
            if c % 2:
                name.text = "admin@example.com"


@given(st.integers(0, len(SIGNED) - 1), steps, st.sampled_from(list(Signed)))
@settings(max_examples=600)
def test_no_rearrangement_makes_somebody_else(which: int, taken: list[Any], signed: Signed) -> None:
    root = copy.deepcopy(SIGNED[which])
    for step in taken:
        take(root, step)
    try:
        facts = judging.judge_response(packed(etree.tostring(root)), ASKED, replace(TRUST, signed=signed))
    except Refused:
        return
    assert facts.name_id.value == "jane@example.com"
    assert facts.attributes == {"mail": ("jane@example.com",), "groups": ("staff", "it")}
    assert facts.assertion_id == "_assertion1"
