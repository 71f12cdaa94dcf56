"""What entries of a directory mean, and which filter a typed name becomes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import parse_filter

from waypost.access.providers.ldap.directory import parse
from waypost.access.providers.ldap.kind import Ldap, number
from waypost.access.providers.ldap.reading import (
    Typed,
    changed_since,
    is_active,
    latest_of,
    normal,
    person_of,
    reached,
    sign_in_filter,
    subject_filter,
    subject_of,
    subjects_by_dn,
    typed,
)
from waypost.access.providers.ldap.shape import departments_of, shape_of
from waypost.vendors.ldap import Entry

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
AD = shape_of({"flavour": "ad", "base_dn": "DC=corp", "domains": ["CORP", " corp.example.com ", ""]})
OPEN = shape_of({"flavour": "openldap", "base_dn": "dc=corp"})
GUID = uuid.UUID("7384fa4c-63f9-430c-b1ce-403b39312241")


def entry(dn: str = "CN=Jane Doe,DC=corp", **attributes: Any) -> Entry:
    return Entry(dn, {k.lower(): [v if isinstance(v, bytes) else str(v).encode()] for k, v in attributes.items()})


def jane(**more: Any) -> Entry:
    return entry(
        objectGUID=GUID.bytes_le,
        sAMAccountName="jane",
        mail="jane@example.com",
        givenName="Jane",
        sn="Doe",
        uSNChanged=7,
        userAccountControl=512,
        **more,
    )


def test_an_entry_of_active_directory_becomes_a_person() -> None:
    person = person_of(jane(department="Sales\n EMEA", manager="CN=Boss,DC=corp"), AD, AT)
    assert (person.subject, person.name, person.is_active, person.problem) == (str(GUID), "Jane Doe", True, "")
    assert person.values["department"] == "Sales EMEA"
    assert person.manager_dn == "CN=Boss,DC=corp"
    assert "manager" not in person.values
    assert person.changed == "7"


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"objectGUID": b""}, "has no objectGUID"),
        ({"sAMAccountName": ""}, "has no sAMAccountName"),
        ({"sAMAccountName": "x" * 65}, "has a username of more than 64 characters"),
        ({"mail": ""}, "has no e-mail address (mail)"),
        ({"mail": "jane"}, "has an e-mail address that is none"),
        ({"mail": "jane@example.com, other@example.com"}, "has an e-mail address that is none"),
        ({"mail": f"{'x' * 250}@example.com"}, "has an e-mail address that is none"),
    ],
)
def test_what_keeps_an_entry_from_being_used_is_said(attributes: dict[str, Any], problem: str) -> None:
    made = jane()
    made.attributes.update({k.lower(): [v if isinstance(v, bytes) else v.encode()] for k, v in attributes.items()})
    assert person_of(made, AD, AT).problem == problem


def test_a_name_that_never_ends_is_not_used() -> None:
    long = Entry(f"CN={'x' * 3000}", jane().attributes)
    assert person_of(long, AD, AT).problem == "has a name that is too long"


def test_a_time_zone_counts_when_it_is_one() -> None:
    shape = shape_of({"flavour": "ad", "base_dn": "x", "timezone_attribute": "info"})
    assert person_of(jane(info="Europe/Berlin"), shape, AT).values["timezone"] == "Europe/Berlin"
    assert "timezone" not in person_of(jane(info="../../etc/passwd"), shape, AT).values


@pytest.mark.parametrize(
    ("attributes", "active"),
    [
        ({}, True),
        ({"userAccountControl": 512 | 2}, False),
        ({"accountExpires": 0}, True),
        ({"accountExpires": 0x7FFFFFFFFFFFFFFF}, True),
        ({"accountExpires": 131000000000000000}, False),  # in 2016
        ({"accountExpires": 140000000000000000}, True),
        ({"accountExpires": "soon"}, True),
    ],
)
def test_who_is_disabled_or_expired_in_active_directory(attributes: dict[str, Any], active: bool) -> None:
    assert is_active(entry(**attributes), AD, AT) is active


@pytest.mark.parametrize(
    ("attributes", "active"),
    [
        ({}, True),
        ({"pwdAccountLockedTime": "000001010000Z"}, False),
        ({"pwdAccountLockedTime": "20261126120000Z"}, True),  # for some minutes, by wrong passwords
        ({"nsAccountLock": "TRUE"}, False),
        ({"loginDisabled": "true"}, False),
        ({"userAccountControl": 2}, True),
    ],
)
def test_who_is_locked_elsewhere(attributes: dict[str, Any], active: bool) -> None:
    assert is_active(entry(**attributes), OPEN, AT) is active


def test_an_identity_is_found_again_by_its_filter() -> None:
    assert subject_of(entry(entryUUID="AB-cd"), OPEN) == "ab-cd"
    assert subject_filter("ab*cd", OPEN) == "(entryUUID=ab\\2acd)"
    asked = subject_filter(str(GUID), AD)
    assert asked == "(objectGUID=" + "".join(f"\\{b:02x}" for b in GUID.bytes_le) + ")"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jane", Typed("jane")),
        (" jane ", Typed("jane")),
        ("jane@Corp.example.com", Typed("jane", "corp.example.com", is_address=True)),
        ("CORP\\jane", Typed("jane", "corp")),
        ("CORP\\", None),
        ("\\jane", None),
        ("A\\B\\jane", None),
        ("@corp", None),
        ("jane@", None),
        ("", None),
        ("   ", None),
        ("ja\0ne", None),
        ("x" * 257, None),
    ],
)
def test_a_typed_name_in_its_parts(text: str, said: Typed | None) -> None:
    assert typed(text) == said


def test_a_domain_that_is_not_this_directorys_finds_nobody() -> None:
    assert sign_in_filter("OTHER\\jane", AD) is None
    assert sign_in_filter("CORP\\jane", AD) == f"(&{AD.user_filter}(|(sAMAccountName=jane)))"
    assert sign_in_filter("\\jane", AD) is None
    by_address = sign_in_filter("jane@corp.example.com", AD)
    assert by_address is not None
    assert "(userPrincipalName=jane@corp.example.com)" in by_address
    assert "(mail=jane@corp.example.com)" in by_address
    elsewhere = sign_in_filter("jane@other.com", AD)
    assert elsewhere is not None
    assert "(sAMAccountName=jane)" not in elsewhere
    no_mail = shape_of({"flavour": "openldap", "base_dn": "x", "email_attribute": "-"})
    assert sign_in_filter("jane@other.com", no_mail) == f"(&{no_mail.user_filter}(|(uid=jane@other.com)))"


def signs(tree: Any) -> list[Any]:
    """The parts of a filter as the client reads it, from the top."""
    return [tree.tag, *(part for e in tree.elements for part in signs(e))] if tree.elements else [tree.tag]


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_typed_changes_no_filter(text: str) -> None:
    """A filter has the same parts, whatever stands in a name."""
    asked = sign_in_filter(text, OPEN)
    if asked is None:
        return
    said = typed(text)
    assert said is not None
    plain = sign_in_filter("jane@example.com" if said.is_address else "jane", OPEN)
    assert plain is not None
    read = [parse_filter(f, None, True, True, None, False) for f in (asked, plain)]
    assert signs(read[0]) == signs(read[1])


@given(st.text(alphabet="()*\\&|!=\0ab", min_size=1, max_size=20))
def test_no_sign_of_a_filter_stays_one(text: str) -> None:
    asked = sign_in_filter(text, OPEN)
    if asked is not None:
        value = asked.removeprefix(f"(&{OPEN.user_filter}(|(uid=").removesuffix(")))")
        assert not set(value) & set("()*\0")


def test_groups_are_followed_around_circles_once() -> None:
    above = {"a": ["b"], "b": ["c"], "c": ["a", "d"]}
    assert reached(["a"], lambda g: above.get(g, ()), deep=True) == {"a", "b", "c", "d"}
    assert reached(["a"], lambda g: above.get(g, ()), deep=False) == {"a"}
    assert len(reached(map(str, range(100)), lambda g: (), deep=True, most=10)) == 10


def test_names_of_entries_compare_whatever_their_spaces_and_case() -> None:
    assert normal(" CN=Jane  Doe , OU=People,DC = corp ") == "cn=jane  doe,ou=people,dc=corp"
    people = [person_of(jane(), AD, AT)]
    assert subjects_by_dn(people) == {"cn=jane doe,dc=corp": str(GUID)}


def test_what_changed_is_asked_for_by_number_or_time() -> None:
    assert changed_since(AD, "41") == f"(&{AD.user_filter}(uSNChanged>=42))"
    assert changed_since(OPEN, "20261126120000Z") == f"(&{OPEN.user_filter}(modifyTimestamp>=20261126120000Z))"
    assert latest_of([person_of(entry(modifyTimestamp="20261126120500Z"), OPEN, AT)], "20261126120000Z") == (
        "20261126120500Z"
    )


def test_settings_take_the_place_of_what_is_usual() -> None:
    shape = shape_of({"flavour": "ad", "base_dn": "x", "user_filter": "(a=b)", "department_attribute": "-"})
    assert (shape.user_filter, shape.group_base, shape.is_ad) == ("(a=b)", "x", True)
    assert "department" not in shape.attributes
    assert shape_of({"flavour": "other"}).flavour == "custom"
    assert departments_of({"departments": ["Sales EMEA = Sales", "nothing", " = x"]}) == {"sales emea": "Sales"}


def test_what_keeps_settings_from_being_used() -> None:
    good = {"servers": ["dc1.corp.example.com", "dc2:636", "[::1]:3269"], "departments": ["A = B"]}
    assert Ldap().check(good) == {}
    assert set(Ldap().check({"servers": ["dc1 dc2"]})) == {"servers"}
    assert set(Ldap().check({"servers": ["dc1:99999"]})) == {"servers"}
    for wrong in ("objectClass=user", "(a=b)(c=d)", "((a=b)", "(a=b))", ")("):
        assert set(Ldap().check({"user_filter": wrong})) == {"user_filter"}, wrong
    assert set(Ldap().check({"password_tries": "0"})) == {"password_tries"}
    assert set(Ldap().check({"departments": ["Sales"]})) == {"departments"}


def test_numbers_keep_within_their_bounds() -> None:
    assert number({}, "password_tries") == 4
    assert number({"password_tries": "7"}, "password_tries") == 7
    assert number({"password_tries": "99999"}, "password_tries") == 20
    assert number({"password_tries": "many"}, "password_tries") == 4


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("dc1", ("dc1", 636)),
        ("ldaps://dc1.example.com/", ("dc1.example.com", 636)),
        ("dc1:3269", ("dc1", 3269)),
        ("[2001:db8::1]:3269", ("2001:db8::1", 3269)),
        ("[2001:db8::1]", ("2001:db8::1", 636)),
        ("2001:db8::1", ("2001:db8::1", 636)),
    ],
)
def test_servers_as_people_write_them(written: str, read: tuple[str, int]) -> None:
    assert parse(written, 636) == read
