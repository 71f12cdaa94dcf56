"""Words of one's own: written, tried, told, taken back; and what is broken never keeps anybody from being told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from waypost.kernel import relay
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

PATH = "/notification-templates"
KEY = "comment.created"


async def told(database: Any, jane: Any, agent: Any) -> tuple[dict[str, Any], Any]:
    """A comment on a request of Jane's: her notice in the app, and her mail's words."""
    body = {"title": "Screen", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await jane.post("/tickets", body, expect=201)
    await agent.post(f"/tickets/{ticket['id']}/comments", {"body": "Which one?", "visibility": "PUBLIC"}, expect=201)
    await relay.drain(database)
    notices = (await jane.get("/notifications", params={"limit": 100}))["items"]
    (notice,) = [n for n in notices if n["kind"] == KEY and n["ticket"]["id"] == ticket["id"]]
    async with database.read() as session:
        about = Delivery.words["number"].astext == ticket["ticket_number"]
        mail = await session.scalar(select(Delivery).where(Delivery.kind == KEY, Delivery.user_id == jane.id, about))
    return notice, mail


async def test_words_are_written_told_and_taken_back(fresh_database: Any, fresh_who: Any) -> None:
    admin, jane, agent = await fresh_who("admin"), await fresh_who("employee"), await fresh_who("agent")
    kept = await admin.get(f"{PATH}/{KEY}")
    assert (kept["version"], kept["is_default"], kept["fault"]) == (0, True, None)
    assert {"name": "ticket.title", "example": "New laptop for the design team"} in kept["variables"]
    written = {**kept, "subject": "{{ actor }} asks about {{ ticket.number }}", "body": "They say: {{ words|upper }}"}
    saved = await admin.put(f"{PATH}/{KEY}", written)
    assert (saved["version"], saved["is_default"]) == (1, False)
    assert saved["updated_by"]["username"] == "admin"
    assert (await admin.put(f"{PATH}/{KEY}", saved))["version"] == 1  # the same words are no version
    notice, mail = await told(fresh_database, jane, agent)
    assert notice["title"].endswith(f"asks about {notice['ticket']['ticket_number']}")
    assert notice["body"] == "They say: WHICH ONE?"
    assert mail.words["body"] == "They say: WHICH ONE?"

    by_mail = await admin.put(f"{PATH}/{KEY}?channel=email", {"subject": "Mail", "body": "By mail", "version": 0})
    assert by_mail["channel"] == "email"
    await admin.put(f"{PATH}/{KEY}?language=de", {"subject": "Kommentar", "body": "Auf Deutsch", "version": 0})
    notice, mail = await told(fresh_database, jane, agent)
    assert (notice["body"], mail.words["body"]) == ("They say: WHICH ONE?", "By mail")
    async with fresh_database.transaction() as session:
        await session.execute(text("UPDATE users SET locale = 'de-AT' WHERE id = :id"), {"id": jane.id})
    notice, mail = await told(fresh_database, jane, agent)
    assert (notice["body"], mail.words["body"]) == ("Auf Deutsch", "Auf Deutsch")

    listed = {t["key"]: t for t in (await admin.get(PATH))["items"]}
    assert [(w["channel"], w["language"]) for w in listed[KEY]["written"]] == [
        ("all", "de"),
        ("all", "en"),
        ("email", "en"),
    ]
    await admin.delete(f"{PATH}/{KEY}?version=0", expect=412)
    back = await admin.delete(f"{PATH}/{KEY}?version=1", expect=200)
    assert (back["version"], back["is_default"], back["body"]) == (2, True, kept["body"])
    history = (await admin.get(f"{PATH}/{KEY}/versions"))["items"]
    assert [(v["version"], v["is_default"]) for v in history] == [(2, True), (1, False)]
    page = await admin.get(f"{PATH}/{KEY}/versions", params={"limit": 1})
    older = await admin.get(f"{PATH}/{KEY}/versions", params={"limit": 1, "cursor": page["next_cursor"]})
    assert [v["version"] for v in older["items"]] == [1]
    async with fresh_database.read() as session:
        facts = select(EventRow.type).where(EventRow.object_type == "notification_template").order_by(EventRow.id)
        assert list(await session.scalars(facts)) == ["notification.template_changed"] * 3 + [
            "notification.template_reset"
        ]


async def test_the_built_in_words_written_again_are_the_built_in_words(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    kept = await admin.get(f"{PATH}/{KEY}")
    assert (await admin.put(f"{PATH}/{KEY}", kept))["version"] == 0
    saved = await admin.put(f"{PATH}/{KEY}", {**kept, "body": "Other"})
    again = await admin.put(f"{PATH}/{KEY}", {**saved, "body": kept["body"]})
    assert (again["is_default"], again["version"]) == (True, 2)


async def test_what_breaks_later_falls_back_and_is_shown(fresh_database: Any, fresh_who: Any) -> None:
    admin, jane, agent = await fresh_who("admin"), await fresh_who("employee"), await fresh_who("agent")
    async with fresh_database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO notification_template_versions (key, channel, language, version, subject, body, created_at)"
                " VALUES (:key, 'all', 'en', 1, 'S', 'Line' || chr(10) || '{{ ticket.colour }}', now())"
            ),
            {"key": KEY},
        )
    notice, mail = await told(fresh_database, jane, agent)
    assert notice["body"].endswith("Which one?")
    assert mail.words["body"].endswith("Which one?")
    kept = await admin.get(f"{PATH}/{KEY}")
    assert kept["fault"]["message"].startswith("line 2: there is no value ticket.colour")
    (listed,) = [t for t in (await admin.get(PATH))["items"] if t["key"] == KEY]
    assert listed["written"][0]["fault"]["at"] == kept["fault"]["at"]


async def test_who_may_not_look_after_it_finds_nothing(who: Any) -> None:
    admin = await who("admin")
    for username in ("employee", "manager", "auditor"):
        api = await who(username)
        await api.get(PATH, expect=403)
        await api.get(f"{PATH}/{KEY}", expect=403)
        await api.put(f"{PATH}/{KEY}", {"nonsense": 1}, expect=403)
        await api.delete(f"{PATH}/{KEY}?version=0", expect=403)
        await api.get(f"{PATH}/{KEY}/versions", expect=403)
        await api.post(f"{PATH}/{KEY}/preview", {}, expect=403)
        await api.post(f"{PATH}/{KEY}/test", {}, expect=403)
    await admin.get(f"{PATH}/no.such.template", expect=404)
    await admin.put(f"{PATH}/no.such.template", {"nonsense": 1}, expect=404)
    await admin.get(f"{PATH}/{KEY}?channel=pigeon", expect=422)
    await admin.get(f"{PATH}/{KEY}?language=xx", expect=422)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"body": "Hello\n{{ ticket.__class__ }}"}, "/body"),
        ({"body": "{{ 'a' * 10**9 }}"}, "/body"),
        ({"subject": "{{ nothing }}"}, "/subject"),
        ({"subject": "{% if words == 'x' %}x{% endif %}"}, "/body"),  # comes to nothing on the example
        ({"subject": ""}, "/subject"),
        ({"subject": "x" * 501}, "/subject"),
        ({"body": "x" * 10_001}, "/body"),
        ({"version": -1}, "/version"),
        ({"colour": 1}, "/colour"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_kept(who: Any, change: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    kept = await admin.get(f"{PATH}/ticket.merged")
    refused = await admin.put(f"{PATH}/ticket.merged", {**kept, **change}, expect=422)
    assert pointer in [e["pointer"] for e in refused["errors"]]
    assert await admin.get(f"{PATH}/ticket.merged") == kept


async def test_the_line_is_named(who: Any) -> None:
    admin = await who("admin")
    kept = await admin.get(f"{PATH}/ticket.merged")
    refused = await admin.put(f"{PATH}/ticket.merged", {**kept, "body": "a\n{{ ticket.titel }}"}, expect=422)
    assert refused["errors"] == [
        {"pointer": "/body", "message": "line 2: there is no value ticket.titel; did you mean ticket.title?"}
    ]


async def test_of_two_who_write_at_once_one_is_told(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    asked = [{"subject": f"S{n}", "body": "B", "version": 0} for n in range(2)]
    answers = await asyncio.gather(*(admin.put(f"{PATH}/{KEY}", body, expect=None) for body in asked))
    assert sorted(a.status_code for a in answers) == [200, 412]


async def test_a_preview_on_a_real_request(who: Any) -> None:
    admin, employee = await who("admin"), await who("employee")
    body = {"title": "A <b>bold</b> screen", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    shown = await admin.post(f"{PATH}/{KEY}/preview", {"ticket_id": ticket["id"], "body": "About {{ ticket.title }}"})
    assert shown["subject"].startswith(f"[{ticket['ticket_number']}] New comment:")
    assert shown["body"] == "About A <b>bold</b> screen"
    page = await (await who(None)).get(shown["html_url"].removeprefix("/api/v1"), expect=None)
    assert page.status_code == 200
    assert "About A &lt;b&gt;bold&lt;/b&gt; screen" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert "frame-ancestors 'self'" in policy
    await (await who(None)).get("/notification-previews/nothing", expect=404)
    example = await admin.post(f"{PATH}/{KEY}/preview", {})
    assert "New laptop" in example["subject"]
    await admin.post(f"{PATH}/{KEY}/preview", {"ticket_id": 2**61}, expect=404)
    await admin.post(f"{PATH}/{KEY}/preview", {"body": "{{ 'a'*10**9 }}"}, expect=422)
    await admin.post(f"{PATH}/delegation.created/preview", {"ticket_id": ticket["id"]})


async def test_a_test_goes_to_oneself(fresh_database: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    key = {"headers": {"Idempotency-Key": "once"}}
    sent = await admin.post(f"{PATH}/{KEY}/test", {"body": "Only a test"}, expect=202, **key)
    assert (sent["channel"], sent["recipient"]) == ("email", "admin@example.com")
    assert await admin.post(f"{PATH}/{KEY}/test", {"body": "Only a test"}, expect=202, **key) == sent
    async with fresh_database.read() as session:
        row = await session.get(Delivery, sent["delivery_id"])
        assert row.subject.startswith("Test: ")
        assert row.words["body"] == "Only a test"
    in_app = await admin.post(f"{PATH}/{KEY}/test?channel=in_app", {}, expect=202)
    assert in_app == {"channel": "in_app", "recipient": None, "delivery_id": None}
    assert (await admin.get("/notifications"))["items"][0]["kind"] == KEY
    refused = await admin.post(f"{PATH}/{KEY}/test?channel=sms", {}, expect=409)
    assert refused["code"] == "not_reached"
