"""The delivery log: found by whatever one knows, sent again when it was given up, and never what a message said."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select, text, update

from waypost.kernel import relay
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

PATH = "/notification-deliveries"


async def asked(database: Any, jane: Any, hardware: Any) -> dict[str, Any]:
    ticket: dict[str, Any] = await jane.post("/tickets", {**hardware(), "title": "A Ünique laptop"}, expect=201)
    await relay.drain(database)
    return ticket


async def test_a_message_is_found_by_what_one_knows(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, admin, mike = await fresh_who("employee"), await fresh_who("admin"), await fresh_who("manager")
    ticket = await asked(fresh_database, jane, hardware)
    other = await jane.post("/tickets", hardware(), expect=201)
    await relay.drain(fresh_database)
    (mail,) = (await admin.get(PATH, params={"ticket": ticket["ticket_number"].lower()}))["items"]
    assert mail["person"]["username"] == "manager"
    assert mail["ticket"] == {"id": ticket["id"], "ticket_number": ticket["ticket_number"]}
    assert mail["allowed_actions"] == []
    assert await admin.get(f"{PATH}/{mail['id']}") == mail

    async def found(**params: Any) -> set[int]:
        return {d["id"] for d in (await admin.get(PATH, params={"limit": 100, **params}))["items"]}

    for params in (
        {"ticket": ticket["id"]},
        {"q": "ünique LAPTOP"},
        {"q": "manager@example", "ticket": ticket["id"]},
        {"ticket": ticket["id"], "channel": "email", "kind": "approval.requested", "status": "PENDING"},
        {"ticket": ticket["id"], "user_id": mike.id, "since": "2020-01-01T00:00:00Z"},
    ):
        assert await found(**params) == {mail["id"]}, params
    for params in (
        {"ticket": "NO-SUCH"},
        {"q": "100%_nothing"},
        {"ticket": ticket["id"], "user_id": jane.id},
        {"ticket": ticket["id"], "until": "2020-01-01T00:00:00Z"},
        {"ticket": ticket["id"], "status": "SENT"},
        {"ticket": ticket["id"], "channel": "sms"},
    ):
        assert await found(**params) == set(), params
    others = await found(ticket=other["id"])
    assert others
    assert mail["id"] not in others
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await admin.get(PATH, params={"limit": 1, **cursor})
        seen += [d["id"] for d in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(set(seen), reverse=True)


async def test_it_is_for_those_who_look_after_it(who: Any) -> None:
    admin = await who("admin")
    for username in ("employee", "manager", "auditor"):
        api = await who(username)
        await api.get(PATH, expect=403)
        await api.get(f"{PATH}/1", expect=403)
        await api.post(f"{PATH}/1/send-again", expect=403)
        await api.post(f"{PATH}/send-again", {"nonsense": 1}, expect=403)
    await admin.get(f"{PATH}/{2**61}", expect=404)
    await admin.post(f"{PATH}/{2**61}/send-again", expect=404)
    for params in ({"status": "LOST"}, {"since": "yesterday"}, {"user_id": 2**63}, {"cursor": "x"}):
        await admin.get(PATH, params=params, expect=422)
    for words in ("x" * 1001, "a\x00b"):
        assert (await admin.get(PATH, params={"q": words}))["items"] == []
    await admin.post(f"{PATH}/send-again", {"colour": 1}, expect=422)


async def test_what_a_message_said_stays_with_its_reader(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, admin = await fresh_who("employee"), await fresh_who("admin")
    ticket = await asked(fresh_database, jane, hardware)
    said = {"decide_link": "https://example.com/decide/secret-token", "body": "secret words"}
    async with fresh_database.transaction() as session:
        about = Delivery.words["number"].astext == ticket["ticket_number"]
        headers = {"Reply-To": "tickets+secret@example.com", "Auto-Submitted": "auto-generated"}
        words = Delivery.words.op("||")(said)
        await session.execute(update(Delivery).where(about).values(words=words, headers=headers))
    answer = await admin.get(PATH, params={"ticket": ticket["id"]})
    assert "secret" not in json.dumps(answer)
    assert set(answer["items"][0]["headers"]) == {"Message-ID", "Auto-Submitted"}


async def fail(database: Any, ticket: dict[str, Any]) -> list[int]:
    async with database.transaction() as session:
        about = Delivery.words["number"].astext == ticket["ticket_number"]
        gone = {"status": "FAILED", "attempts": 7, "last_error": "550 no such user", "bundle": "quiet:x"}
        rows = await session.scalars(update(Delivery).where(about).values(**gone).returning(Delivery.id))
        return sorted(rows)


async def test_what_was_given_up_is_sent_again(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, admin = await fresh_who("employee"), await fresh_who("admin")
    (mail,) = await fail(fresh_database, await asked(fresh_database, jane, hardware))
    failed = await admin.get(f"{PATH}/{mail}")
    assert failed["allowed_actions"] == ["send_again"]
    again = await admin.post(f"{PATH}/{mail}/send-again")
    assert (again["status"], again["attempts"], again["last_error"]) == ("PENDING", 0, "550 no such user")
    assert again["headers"]["Message-ID"] == failed["headers"]["Message-ID"]
    assert (await admin.post(f"{PATH}/{mail}/send-again", expect=409))["code"] == "not_failed"
    async with fresh_database.read() as session:
        assert (await session.get(Delivery, mail)).bundle is None
        (fact,) = await session.scalars(select(EventRow).where(EventRow.type == "notification.sent_again"))
        assert (fact.object_id, fact.data["count"], fact.actor_id) == (mail, 1, admin.id)


async def test_many_are_sent_again_by_what_they_have_in_common(
    fresh_database: Any, fresh_who: Any, hardware: Any
) -> None:
    jane, admin = await fresh_who("employee"), await fresh_who("admin")
    one, two = [await asked(fresh_database, jane, hardware) for _ in range(2)]
    first, second = await fail(fresh_database, one), await fail(fresh_database, two)
    key = {"headers": {"Idempotency-Key": "again"}}
    done = await admin.post(f"{PATH}/send-again", {"ticket": one["ticket_number"], "channel": "email"}, **key)
    assert done == {"count": len(first)}
    assert await admin.post(f"{PATH}/send-again", {"ticket": one["ticket_number"], "channel": "email"}, **key) == done
    assert (await admin.get(f"{PATH}/{second[0]}"))["status"] == "FAILED"
    assert (await admin.post(f"{PATH}/send-again", {}))["count"] == len(second)
    assert (await admin.post(f"{PATH}/send-again", {}))["count"] == 0
    async with fresh_database.read() as session:
        facts = select(EventRow.data).where(EventRow.type == "notification.sent_again").order_by(EventRow.id)
        data = list(await session.scalars(facts))
        assert [(d["count"], d["filters"]) for d in data] == [
            (len(first), {"channel": "email", "ticket": one["ticket_number"]}),
            (len(second), {}),
        ]


async def test_every_way_of_looking_is_answered_by_an_index(fresh_database: Any) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO notification_deliveries (channel, user_id, event_id, kind, recipient, subject, words,"
                " headers, message_id, status, next_at, created_at)"
                " SELECT 'email', 1 + n % 10, 1000000 + n, 'comment.created', 'p' || n || '@example.com',"
                " 'Subject ' || md5(n::text), jsonb_build_object('ticket_id', n / 5), '{}', '<' || n || '>', 'SENT',"
                " now(), now() - n * interval '1 minute' FROM generate_series(1, 20000) n"
            )
        )
        await session.execute(text("ANALYZE notification_deliveries"))
        for where, index in (
            ("words ->> 'ticket_id' = '77'", "ix_notification_deliveries_ticket"),
            ("waypost_fold(subject || ' ' || recipient) LIKE '%p17777@%'", "ix_notification_deliveries_text"),
            ("channel = 'sms'", "ix_notification_deliveries_channel"),
            ("kind = 'channel.failed'", "ix_notification_deliveries_kind"),
            ("user_id = -1", "ix_notification_deliveries_user"),
            (
                "created_at BETWEEN now() - interval '10010 minutes' AND now() - interval '10000 minutes'",
                "ix_notification_deliveries_created",
            ),
        ):
            plan = await session.execute(
                text(f"EXPLAIN SELECT * FROM notification_deliveries WHERE {where} ORDER BY id DESC LIMIT 26")
            )
            assert index in "\n".join(plan.scalars()), where
