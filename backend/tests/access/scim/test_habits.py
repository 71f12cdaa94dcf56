"""What Entra ID and Okta send, as they were seen to send it, first by the rules alone and then through the door."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.access.scim import habits
from waypost.access.scim.bursts import ALWAYS, PERCENT, is_burst
from waypost.access.scim.membership import delta_of, scim_id

from .pushing import ENTERPRISE, GROUP, PATCH, USER, Push

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["op", "path", "value", "Operations", "active", "members", "id", f"{ENTERPRISE}:manager", "x.y", "a[b"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_is_sent_is_read_without_breaking(sent: Any) -> None:
    habits.body(sent)
    said = habits.operations(sent)
    if said is not None:
        assert all("op" in o for o in said)
        habits.with_targets(said, {"emails": [{"type": "work", "value": "a@b.example.com"}, 7]})
        delta_of(said)


@given(JSON)
def test_what_is_tidy_stays_as_it_is(sent: Any) -> None:
    once = habits.body(sent)
    assert habits.body(once) == once


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"op": "Replace", "path": "active", "value": "False"}, [{"op": "replace", "path": "active", "value": False}]),
        ({"op": "Add", "path": "title", "value": ""}, [{"op": "remove", "path": "title"}]),
        ({"op": "add", "path": "password", "value": "geheim"}, []),
        ({"op": "replace", "value": {"id": "1", "active": "True"}}, [{"op": "replace", "value": {"active": True}}]),
        (
            {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "m-1"},
            [{"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": "m-1", "$ref": "Users/m-1"}}],
        ),
        (
            {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": ""},
            [{"op": "remove", "path": f"{ENTERPRISE}:manager"}],
        ),
        (
            {"op": "replace", "path": f"{ENTERPRISE}:manager.value", "value": "m-1"},
            [{"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": "m-1", "$ref": "Users/m-1"}}],
        ),
        (
            {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "m-1"}, {"value": "m-2"}]},
            [{"op": "remove", "path": 'members[value eq "m-1"]'}, {"op": "remove", "path": 'members[value eq "m-2"]'}],
        ),
        (
            {
                "op": "replace",
                "value": {"title": "T", 'emails[type eq "work"].value': "a@b.c", f"{ENTERPRISE}:manager": "m"},
            },
            [
                {"op": "replace", "value": {"title": "T"}},
                {"op": "replace", "path": 'emails[type eq "work"].value', "value": "a@b.c"},
                {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": "m", "$ref": "Users/m"}},
            ],
        ),
        ({"op": "add", "path": 7, "value": 1}, [{"op": "add", "path": 7, "value": 1}]),
        ({"op": "add", "value": "x"}, [{"op": "add", "value": "x"}]),
    ],
)
def test_operations_are_put_as_the_protocol_has_them(sent: dict[str, Any], said: list[dict[str, Any]]) -> None:
    assert habits.operations({"Operations": [sent]}) == said


def test_bodies_lose_what_is_ours_to_say() -> None:
    sent = {
        "id": "1",
        "userName": "a",
        "password": "geheim",
        "groups": [],
        "meta": {},
        "active": "TRUE",
        "roles": [{"primary": "False", "value": "x"}, "y"],
        ENTERPRISE: {"manager": "", "department": "D"},
    }
    said = habits.body(sent)
    assert said == {
        "userName": "a",
        "active": True,
        "roles": [{"primary": False, "value": "x"}, "y"],
        ENTERPRISE: {"manager": None, "department": "D"},
    }
    assert habits.operations(7) is None
    assert habits.operations({"Operations": 7}) is None


def test_a_filter_that_finds_nothing_makes_one_element() -> None:
    said = habits.with_targets(
        [
            {"op": "add", "path": 'addresses[type eq "work"].locality', "value": "Bonn"},
            {"op": "add", "path": 'addresses[type eq "work"].country', "value": "DE"},
            {"op": "replace", "path": 'emails[type eq "Work"].value', "value": "b@b.c"},
            {"op": "replace", "path": "roles[primary eq true].value", "value": "r"},
        ],
        {"emails": [{"type": "work", "value": "a@b.c"}], "roles": ["x", {"primary": False}]},
    )
    assert said == [
        {"op": "add", "path": "addresses", "value": [{"type": "work", "locality": "Bonn", "country": "DE"}]},
        {"op": "replace", "path": 'emails[type eq "Work"].value', "value": "b@b.c"},
        {"op": "add", "path": "roles", "value": [{"primary": True, "value": "r"}]},
    ]


def test_members_come_and_go_in_the_order_said() -> None:
    delta = delta_of(
        [
            {"op": "add", "path": "members", "value": {"value": "1", "display": "One"}},
            {"op": "remove", "path": 'members[value eq "1"]'},
            {"op": "remove", "path": 'members[value eq "2"]'},
            {"op": "add", "value": {"members": [{"value": "2"}], "displayName": "G"}},
            {"op": "replace", "path": "externalId", "value": "x"},
        ]
    )
    assert delta is not None
    assert (delta.added, delta.removed) == ({"2": None}, {"1"})
    assert delta.values == {"display_name": "G", "external_id": "x"}
    for other in (
        {"op": "replace", "path": "members", "value": []},
        {"op": "remove", "path": "members"},
        {"op": "remove"},
        {"op": "add", "path": "members", "value": "x"},
        {"op": "add", "path": "members", "value": ["x"]},
        {"op": "add", "path": "members", "value": [{"value": "1", "type": "Group"}]},
        {"op": "add", "path": "members", "value": [{"value": "1", "display": 7}]},
        {"op": "replace", "path": "displayName", "value": " "},
        {"op": "move", "path": "members"},
        {"op": "add", "path": 7},
    ):
        assert delta_of([other]) is None
    assert scim_id("x") is None
    assert scim_id(None) is None
    assert scim_id("z" * 36) is None


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_burst_is_more_than_a_few_and_more_than_the_share(leaving: int, active: int) -> None:
    assert is_burst(leaving, active) == (leaving > ALWAYS and leaving > active * PERCENT / 100)


async def test_entra_through_the_door(push: Push) -> None:
    """The requests of Entra ID's provisioning service for one person's life, with its flag in every address."""
    flag = "aadOptscim062020"
    none = await push.call("GET", f'/Users?{flag}&filter=externalId eq "58342554-38d6-4ec8-948c-50044d0a33fd"')
    assert none["totalResults"] == 0
    manager = await push.user("entra.boss")
    made = await push.call(
        "POST",
        f"/Users?{flag}",
        {
            "schemas": [USER, ENTERPRISE],
            "externalId": "58342554-38d6-4ec8-948c-50044d0a33fd",
            "userName": "entra.person@corp.example.com",
            "active": True,
            "displayName": "Entra Person",
            "emails": [{"primary": True, "type": "work", "value": "entra.person@corp.example.com"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Entra Person", "familyName": "Person", "givenName": "Entra"},
            "roles": [],
            ENTERPRISE: {"employeeNumber": "12"},
        },
        201,
    )
    path = f"/Users/{made['id']}?{flag}"
    await push.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@corp.example.com"},
        {"op": "Add", "path": 'emails[type eq "home"].value', "value": "home@corp.example.com"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+4912345678"},
        {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Bonn"},
        {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"},
        {"op": "Replace", "path": "name.familyName", "value": "Renamed"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": manager["id"]},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Finance"},
    )
    now = await push.call("GET", path)
    assert {e["type"]: e["value"] for e in now["emails"]} == {
        "work": "new@corp.example.com",
        "home": "home@corp.example.com",
    }
    assert now["addresses"] == [{"type": "work", "locality": "Bonn", "country": "DE"}]
    assert now[ENTERPRISE]["manager"]["value"] == manager["id"]
    assert now[ENTERPRISE]["manager"]["$ref"].endswith(f"/scim/v2/Users/{manager['id']}")
    found = await push.call("GET", f'/Users?{flag}&filter=emails[type eq "work"].value eq "x"', None, None)
    assert found.status_code == 400  # no such filter in the protocol
    found = await push.call("GET", f'/Users?{flag}&filter=emails[type eq "work" and value eq "NEW@corp.example.com"]')
    assert found["totalResults"] == 1
    await push.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert (await push.call("GET", path))["active"] is False

    group = await push.call(
        "POST",
        f"/Groups?{flag}",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0",
            "displayName": "Entra Group",
            "meta": {"resourceType": "Group"},
        },
        None,
    )
    if group.status_code == 400:  # its own schema is none of ours: it leaves it out when that is refused
        group = await push.call(
            "POST",
            f"/Groups?{flag}",
            {
                "schemas": [GROUP],
                "externalId": "8aa1a0c0",
                "displayName": "Entra Group",
                "meta": {"resourceType": "Group"},
            },
            None,
        )
    assert group.status_code == 201
    path = f"/Groups/{group.json()['id']}?{flag}"
    await push.patch(path, {"op": "Add", "path": "members", "value": [{"$ref": None, "value": made["id"]}]})
    assert (await push.call("GET", f"{path}&excludedAttributes=members")).get("members") is None
    assert len((await push.call("GET", path))["members"]) == 1
    await push.patch(path, {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": made["id"]}]})
    assert "members" not in await push.call("GET", path)


async def test_okta_through_the_door(push: Push) -> None:
    none = await push.call("GET", '/Users?filter=userName eq "okta.person@corp.example.com"&startIndex=1&count=100')
    assert none["totalResults"] == 0
    sent = {
        "schemas": [USER],
        "userName": "okta.person@corp.example.com",
        "name": {"givenName": "Okta", "familyName": "Person"},
        "emails": [{"primary": True, "value": "okta.person@corp.example.com", "type": "work"}],
        "displayName": "Okta Person",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made = await push.call("POST", "/Users", sent, 201)
    assert "password" not in made
    whole = await push.call("PUT", f"/Users/{made['id']}", {**made, "title": "Clerk", "password": "1mz050nq"})
    assert whole["title"] == "Clerk"
    same = await push.call("PUT", f"/Users/{made['id']}", whole)
    assert same["meta"]["version"] == whole["meta"]["version"]
    await push.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    assert (await push.call("GET", f"/Users/{made['id']}"))["active"] is False
    await push.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"password": "x"}})

    group = await push.group("Okta Group", made["id"])
    path = f"/Groups/{group['id']}"
    await push.patch(path, {"op": "replace", "value": {"id": group["id"], "displayName": "Okta Renamed"}})
    await push.patch(
        path,
        {"op": "remove", "path": f'members[value eq "{made["id"]}"]'},
        {"op": "add", "path": "members", "value": [{"value": made["id"], "display": "okta.person@corp.example.com"}]},
    )
    await push.patch(path, {"op": "replace", "path": "members", "value": [{"value": made["id"]}]})
    now = await push.call("GET", path)
    assert (now["displayName"], len(now["members"])) == ("Okta Renamed", 1)


async def test_a_patch_needs_operations(push: Push) -> None:
    group = await push.group("Without")
    for body in ({"schemas": [PATCH]}, {"schemas": [PATCH], "Operations": []}):
        await push.call("PATCH", f"/Groups/{group['id']}", body, 400)
