"""Mailboxes as administrators set them up, and the log of what came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.notifications.test_originals import mail_row
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.notifications.incoming import answerable, dealing, originals, standing
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.secrets import unseal
from waypost.notifications.incoming.storing import Came, envelope_of, take_in
from waypost.notifications.models import Delivery, Notification
from waypost.vendors.object_store import StoreFailed

BOXES, MAILS = "/mailboxes", "/incoming-mails"
SETUP = {
    "name": "IT service desk",
    "address": "it@example.com",
    "host": "imap.example.com",
    "username": "it@example.com",
    "password": "box-Passw0rd",
    "ticket_type": "IT_SUPPORT",
    "is_on": True,
}
RAW = (
    b"From: Jane Doe <Jane.Stranger@example.com>\r\nSubject: =?utf-8?q?Pr=C3=AFnter?= on fire\r\n"
    b"Message-ID: <1@laptop.example.com>\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script><p>It burns.</p>\r\n"
)


@pytest.fixture
async def admin(fresh_database: Any, fresh_who: Any) -> Any:
    return await fresh_who("admin")


async def came_in(database: Any, box: dict[str, Any], raw: bytes = RAW, uid: int = 1, **more: Any) -> int | None:
    async with database.read() as session:
        row = await session.get_one(Mailbox, box["id"])
    return await take_in(database, row, 7, Came(uid, raw, len(raw), None, **more))


async def in_quarantine(database: Any, box: dict[str, Any], raw: bytes = RAW, uid: int = 1) -> int:
    mail_id = await came_in(database, box, raw, uid)
    assert mail_id is not None
    async with database.transaction() as session:
        values = {"outcome": "QUARANTINED", "reason": "nobody here has the address it comes from", "settled_at": now()}
        await session.execute(update(IncomingMail).where(IncomingMail.id == mail_id).values(**values))
    return mail_id


# --- setting up -------------------------------------------------------------------------------------------------------


async def test_a_mailbox_is_added_changed_and_taken_away(fresh_database: Any, admin: Any) -> None:
    made = await admin.post(BOXES, SETUP, expect=201)
    assert made["has_password"]
    assert "box-Passw0rd" not in str(made)
    assert made["health"]["state"] == "UNTRIED"
    async with fresh_database.read() as session:
        row = await session.get_one(Mailbox, made["id"])
        assert b"box-Passw0rd" not in (row.sealed or b"")
        assert unseal(row) == "box-Passw0rd"
    listed = await admin.get(BOXES)
    assert listed["items"] == [made]
    assert listed["quarantined_count"] == 0
    body = {**SETUP, "password": None, "name": "IT", "agents_reply": "INTERNAL", "version": made["version"]}
    changed = await admin.put(f"{BOXES}/{made['id']}", body)
    assert (changed["name"], changed["agents_reply"], changed["has_password"]) == ("IT", "INTERNAL", True)
    stale = await admin.put(f"{BOXES}/{made['id']}", {**body, "name": "Other"}, expect=412)
    assert stale["current_version"] == changed["version"]
    same = await admin.put(f"{BOXES}/{made['id']}", {**body, "version": changed["version"]})
    assert same["version"] == changed["version"]
    async with fresh_database.read() as session:
        events = (await session.scalars(select(EventRow).where(EventRow.object_type == "mailbox"))).all()
        assert [e.type for e in events] == ["mailbox.added", "mailbox.changed"]
        assert events[1].data["changed"] == ["agents_reply", "name"]
    mail_id = await came_in(fresh_database, made)
    await admin.delete(f"{BOXES}/{made['id']}", expect=204)
    await admin.get(f"{BOXES}/{made['id']}", expect=404)
    kept = await admin.get(f"{MAILS}/{mail_id}")
    assert (kept["outcome"], kept["mailbox"]) == ("QUARANTINED", None)
    assert kept["allowed_actions"] == ["put_on_ticket", "discard"]
    await admin.post(f"{MAILS}/{mail_id}/take-anew", expect=409)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "x" * 10_000}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"address": "nobody"}, "/address"),
        ({"host": "https://imap.example.com/"}, "/host"),
        ({"port": 0}, "/port"),
        ({"port": "993"}, "/port"),
        ({"security": "none"}, "/security"),
        ({"password": "a\r\nb"}, "/password"),
        ({"password": None}, "/password"),
        ({"ticket_type": "NOT_THERE"}, "/ticket_type"),
        ({"team_id": 2**62}, "/team_id"),
        ({"team_id": 2**64}, "/team_id"),
        ({"unknown_senders": "ACCEPT"}, "/accept_as_user_id"),
        ({"unknown_senders": "ACCEPT", "accept_as_user_id": 987654321}, "/accept_as_user_id"),
        ({"what": 1}, "/what"),
        ({"kind": "graph"}, "/kind"),
    ],
)
async def test_what_makes_no_mailbox_is_refused(admin: Any, change: dict[str, Any], pointer: str) -> None:
    refused = await admin.post(BOXES, {**SETUP, **change}, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == [pointer]
    assert (await admin.get(BOXES))["items"] == []


async def test_two_mailboxes_have_two_addresses(admin: Any) -> None:
    first = await admin.post(BOXES, SETUP, expect=201)
    await admin.post(BOXES, {**SETUP, "address": "IT@Example.com"}, expect=409)
    second = await admin.post(BOXES, {**SETUP, "address": "hr@example.com"}, expect=201)
    taken = {**SETUP, "address": first["address"], "version": second["version"]}
    await admin.put(f"{BOXES}/{second['id']}", taken, expect=409)


async def test_only_who_looks_after_notifications_sees_any_of_it(
    fresh_database: Any, fresh_who: Any, admin: Any
) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    mail_id = await in_quarantine(fresh_database, box)
    for name in ("employee", "agent", "manager"):
        other = await fresh_who(name)
        await other.get(BOXES, expect=403)
        await other.get(MAILS, expect=403)
        await other.get(f"{MAILS}/{mail_id}", expect=403)
        await other.post(f"{MAILS}/{mail_id}/discard", expect=403)
        await other.put(f"{BOXES}/{box['id']}", {"version": "?"}, expect=403)
        await other.post(f"{BOXES}/test", SETUP, expect=403)


async def test_trying_says_how_far_it_goes(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = await admin.post(f"{BOXES}/test", {**SETUP, "host": "127.0.0.1"})
    assert not inside["is_reached"]
    assert "OUTGOING_ALLOW" in inside["error"]
    box = await admin.post(BOXES, SETUP, expect=201)
    unknown = await admin.post(f"{BOXES}/test", {**SETUP, "host": "no-such-host.invalid", "mailbox_id": box["id"]})
    assert (unknown["is_reached"], unknown["waiting_count"]) == (False, None)
    assert "not known" in unknown["error"]
    await admin.post(f"{BOXES}/test", {**SETUP, "mailbox_id": 987654321}, expect=404)


async def test_the_kept_password_goes_to_no_other_server(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.notifications.incoming import mailboxes

    tried: list[str] = []

    async def note(row: Mailbox, password: str) -> Any:
        tried.append(password)
        raise mailboxes.WrongSettings("no")

    monkeypatch.setattr(mailboxes, "server_of", note)
    box = await admin.post(BOXES, SETUP, expect=201)
    body = {**SETUP, "password": None, "mailbox_id": box["id"]}
    await admin.post(f"{BOXES}/test", body)
    await admin.post(f"{BOXES}/test", {**body, "host": "evil.example.org"})
    await admin.post(f"{BOXES}/test", {**body, "username": "other"})
    assert tried == ["box-Passw0rd", "", ""]


# --- coming in --------------------------------------------------------------------------------------------------------


async def test_no_mail_is_stored_twice(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    first = await came_in(fresh_database, box)
    assert first is not None
    assert await came_in(fresh_database, box) is None  # the same place
    assert await came_in(fresh_database, box, uid=2) is None  # the same mail under another number
    assert await came_in(fresh_database, box, RAW + b"more", uid=1) is None
    assert await came_in(fresh_database, box, RAW + b"more", uid=2) is not None
    listed = (await admin.get(MAILS))["items"]
    assert [m["from_address"] for m in listed] == ["jane.stranger@example.com"] * 2
    assert listed[0]["subject"] == "Prïnter on fire"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: =?x-unknown?q?=ff=00?=\r\n\r\n",
        b'From: "' + b"a" * 100_000 + b'"@\r\n\r\n',
        b"From: a@b, c@d\r\nSubject: a\r\n b\r\n\r\n",
        b"Message-ID: <" + b"x" * 5000 + b">\r\n\r\n",
        "Subject: \ud800 \u202e\r\n\r\n".encode("utf-8", "surrogatepass"),
    ],
)
async def test_whatever_a_mail_says_it_can_be_kept(fresh_database: Any, admin: Any, raw: bytes) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    mail_id = await came_in(fresh_database, box, raw)
    assert mail_id is not None
    shown = await admin.get(f"{MAILS}/{mail_id}")
    assert "\x00" not in shown["subject"]
    envelope = envelope_of(raw)
    assert len(envelope.from_address) <= 254
    assert len(envelope.message_id or "") <= 998


async def test_one_that_breaks_is_tried_again_and_held_back_while_others_go_on(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    bad = await came_in(fresh_database, box)
    good = await came_in(fresh_database, box, RAW + b"!", uid=2)
    done: list[int] = []

    async def take(database: Any, mail_id: int) -> None:
        if mail_id == bad:
            raise ValueError("it breaks")
        done.append(mail_id)
        async with database.transaction() as session:
            await session.execute(update(IncomingMail).where(IncomingMail.id == mail_id).values(outcome="IGNORED"))

    for _ in range(4):
        await dealing.take_due(fresh_database, take)
        async with fresh_database.transaction() as session:
            past = {"next_at": now() - timedelta(seconds=1)}
            await session.execute(update(IncomingMail).where(IncomingMail.outcome == "PENDING").values(**past))
    assert done == [good]
    held = await admin.get(f"{MAILS}/{bad}")
    assert (held["outcome"], held["attempts"], held["reason"]) == ("QUARANTINED", 3, "ValueError: it breaks")
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        told = (await session.scalars(select(Notification).where(Notification.kind == "mail.held_back"))).all()
    assert len(told) >= 1
    assert {n.link for n in told} == {"/settings/quarantine"}
    another = await came_in(fresh_database, box, RAW + b"?", uid=3, held_back="it is too large", is_whole=False)
    await relay.drain(fresh_database)
    async with fresh_database.read() as session:
        again = (await session.scalars(select(Notification).where(Notification.kind == "mail.held_back"))).all()
    assert len(again) == len(told), "of many within the hour administrators hear once"
    assert (await admin.get(f"{MAILS}/{another}"))["allowed_actions"] == ["discard"]


async def test_a_store_that_is_away_is_no_mails_fault(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    mail_id = await came_in(fresh_database, box)

    async def take(database: Any, mail_id: int) -> None:
        raise StoreFailed("away")

    for _ in range(5):
        assert await dealing.take_due(fresh_database, take) == 1
        async with fresh_database.transaction() as session:
            await session.execute(update(IncomingMail).values(next_at=now() - timedelta(seconds=1)))
    mail = await admin.get(f"{MAILS}/{mail_id}")
    assert (mail["outcome"], mail["attempts"]) == ("PENDING", 0)


async def test_one_that_ends_the_process_each_time_is_held_back(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    mail_id = await came_in(fresh_database, box)
    async with fresh_database.transaction() as session:
        await session.execute(update(IncomingMail).values(attempts=3))

    async def take(database: Any, mail_id: int) -> None:
        raise AssertionError("not asked any more")

    assert await dealing.take_due(fresh_database, take) == 0
    assert (await admin.get(f"{MAILS}/{mail_id}"))["outcome"] == "QUARANTINED"


# --- quarantine -------------------------------------------------------------------------------------------------------


async def test_a_mail_in_quarantine_is_looked_at_taken_anew_or_discarded(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    first, second, third = [await in_quarantine(fresh_database, box, RAW + str(n).encode(), uid=n) for n in range(1, 4)]
    assert (await admin.get(BOXES))["quarantined_count"] == 3
    look = await admin.get(f"{MAILS}/{first}")
    assert "It burns." in look["text"]
    assert "<" not in look["text"]
    assert {"name": "message-id", "value": "<1@laptop.example.com>"} in look["headers"]
    assert look["allowed_actions"] == ["take_anew", "put_on_ticket", "discard"]
    anew = await admin.post(f"{MAILS}/{first}/take-anew")
    assert (anew["outcome"], anew["reason"], anew["allowed_actions"]) == ("PENDING", None, [])
    await admin.post(f"{MAILS}/{first}/take-anew", expect=409)
    assert (await admin.post(f"{MAILS}/{second}/discard"))["outcome"] == "DISCARDED"
    await admin.post(f"{MAILS}/{second}/discard", expect=409)
    assert await admin.post(f"{MAILS}/discard", {"ids": [first, second, third]}) == {"count": 1}
    await admin.post(f"{MAILS}/987654321/discard", expect=404)
    async with fresh_database.read() as session:
        events = (await session.scalars(select(EventRow).where(EventRow.object_type == "incoming_mail"))).all()
    assert [e.type for e in events] == [
        "incoming_mail.taken_anew",
        "incoming_mail.discarded",
        "incoming_mail.discarded",
    ]


async def test_the_log_is_found_by_what_one_knows_and_tells_no_words_of_requests(
    fresh_database: Any, admin: Any, fresh_who: Any, hardware: Any
) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    ticket = await (await fresh_who("employee")).post("/tickets", hardware(), expect=201)
    became = await came_in(fresh_database, box)
    other = await in_quarantine(fresh_database, box, RAW.replace(b"fire", b"ice"), uid=2)
    async with fresh_database.transaction() as session:
        values = {"outcome": "TICKET", "ticket_id": ticket["id"]}
        await session.execute(update(IncomingMail).where(IncomingMail.id == became).values(**values))

    async def found(**params: Any) -> list[int]:
        return [m["id"] for m in (await admin.get(MAILS, params=params))["items"]]

    assert await found() == [other, became]
    assert await found(q="FIRE prïnter"[:4]) == [became]
    assert await found(q="jane.stranger@") == [other, became]
    assert await found(q="100%") == []
    assert await found(outcome="QUARANTINED") == [other]
    assert await found(ticket=ticket["ticket_number"].lower()) == [became]
    assert await found(ticket=str(ticket["id"]), mailbox_id=box["id"]) == [became]
    assert await found(until="2020-01-01T00:00:00Z") == []
    page = await admin.get(MAILS, params={"limit": 1})
    assert [m["id"] for m in page["items"]] == [other]
    more = await admin.get(MAILS, params={"limit": 1, "cursor": page["next_cursor"]})
    assert ([m["id"] for m in more["items"]], more["next_cursor"]) == ([became], None)
    look = await admin.get(f"{MAILS}/{became}")
    assert (look["text"], look["headers"]) == (None, None)
    assert look["ticket"]["ticket_number"] == ticket["ticket_number"]
    await admin.get(MAILS, params={"outcome": "NO"}, expect=422)


WITH_FILE = (
    b"From: jane.stranger@example.com\r\nSubject: A picture\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nkept\r\n--b--\r\n'
)


async def test_a_mail_is_put_on_a_request_with_its_files(
    fresh_database: Any, admin: Any, fresh_who: Any, hardware: Any
) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    jane = await fresh_who("employee")
    ticket = await jane.post("/tickets", hardware(), expect=201)
    mail_id = await in_quarantine(fresh_database, box, WITH_FILE)
    path = f"{MAILS}/{mail_id}/put-on-ticket"
    await admin.post(path, {"ticket": "NO-SUCH-1"}, expect=404)
    await admin.post(path, {"ticket": ""}, expect=422)
    await (await fresh_who("agent")).post(path, {"ticket": ticket["ticket_number"]}, expect=403)
    placed = await admin.post(path, {"ticket": ticket["ticket_number"].lower()})
    assert (placed["outcome"], placed["ticket"]["id"], placed["allowed_actions"]) == ("COMMENT", ticket["id"], [])
    await admin.post(path, {"ticket": ticket["ticket_number"]}, expect=409)
    (said,) = (await jane.get(f"/tickets/{ticket['id']}/comments"))["items"]
    assert "jane.stranger@example.com" in said["body"]
    assert "See the file." in said["body"]
    assert [f["filename"] for f in (await jane.get(f"/tickets/{ticket['id']}/attachments"))["items"]] == ["a.txt"]


async def test_only_headers_or_what_is_no_mail_is_put_nowhere(
    fresh_database: Any, admin: Any, fresh_who: Any, hardware: Any
) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)
    ticket = await (await fresh_who("employee")).post("/tickets", hardware(), expect=201)
    large = await came_in(fresh_database, box, held_back="it is too large", is_whole=False)
    await admin.post(f"{MAILS}/{large}/put-on-ticket", {"ticket": str(ticket["id"])}, expect=409)
    gone = await in_quarantine(fresh_database, box, RAW + b"!", uid=2)
    async with fresh_database.transaction() as session:
        await session.execute(update(IncomingMail).where(IncomingMail.id == gone).values(raw_name=None))
    refused = await admin.post(f"{MAILS}/{gone}/put-on-ticket", {"ticket": str(ticket["id"])}, expect=409)
    assert refused["code"] == "mail_not_readable"


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_mails_say_where_an_answer_goes_while_a_mailbox_is_read(
    fresh_database: Any, admin: Any, fresh_who: Any, hardware: Any
) -> None:
    jane, manager = await fresh_who("employee"), await fresh_who("manager")

    async def reply_to() -> list[str | None]:
        ticket = await jane.post("/tickets", hardware(), expect=201)
        await relay.drain(fresh_database)
        async with fresh_database.read() as session:
            mine = Delivery.words["ticket_id"].astext == str(ticket["id"])
            rows = await session.scalars(select(Delivery).where(mine, Delivery.user_id == manager.id))
            return [r.headers.get("Reply-To") for r in rows]

    assert await reply_to() == [None]
    first = await admin.post(BOXES, SETUP, expect=201)
    (general,) = await reply_to()
    assert general is not None
    assert general.startswith("it+")
    own = {**SETUP, "address": "hw@example.com", "ticket_type": hardware()["ticket_type"]}
    await admin.post(BOXES, own, expect=201)
    (special,) = await reply_to()
    assert (special or "").startswith("hw+")
    await admin.put(f"{BOXES}/{first['id']}", {**SETUP, "is_on": False, "version": 1})
    assert ((await reply_to())[0] or "").startswith("hw+")


def test_several_notices_are_answered_together_only_where_they_are_about_one_request() -> None:
    def about(ticket_id: int, *, is_internal: bool = False) -> dict[str, str]:
        return {"X": "1", **answerable.reply_to("it@example.com", ticket_id, 3, is_internal=is_internal)}

    public, internal = about(1), about(1, is_internal=True)
    assert answerable.of_all([public, public]) == public
    assert answerable.of_all([public, internal]) == internal
    assert answerable.of_all([internal, public]) == internal
    assert answerable.of_all([public, about(2)]) == {"X": "1"}
    assert answerable.of_all([public, {"X": "1"}]) == {"X": "1"}
    assert answerable.of_all([{"X": "1"}]) == {"X": "1"}
    assert answerable.reply_to(None, 1, 2, is_internal=False) == {}


# --- how it goes ------------------------------------------------------------------------------------------------------


async def test_failures_pause_a_mailbox_and_are_told_once(fresh_database: Any, admin: Any) -> None:
    box = await admin.post(BOXES, SETUP, expect=201)

    async def fail(why: str, *, is_wrong: bool) -> Any:
        return await standing.note_failed(fresh_database, box["id"], box["version"], why, is_wrong=is_wrong)

    async def alarms() -> int:
        async with fresh_database.read() as session:
            return len((await session.scalars(select(EventRow).where(EventRow.type == "mailbox.failed"))).all())

    for _ in range(5):
        await fail("away", is_wrong=False)
    assert await alarms() == 0
    await fail("away", is_wrong=False)
    assert await alarms() == 1
    await fail("wrong password", is_wrong=True)
    await fail("wrong password", is_wrong=True)
    assert await alarms() == 2
    shown = await admin.get(f"{BOXES}/{box['id']}")
    assert (shown["health"]["state"], shown["health"]["last_error"]) == ("FAILING", "wrong password")
    assert shown["health"]["paused_until"] is not None
    await standing.note_worked(fresh_database, box["id"])
    assert (await admin.get(f"{BOXES}/{box['id']}"))["health"]["state"] == "WORKS"
    assert await standing.note_failed(fresh_database, box["id"], 99, "changed meanwhile", is_wrong=True) is None
    await fail("wrong password", is_wrong=True)
    body = {**SETUP, "password": "another", "version": shown["version"]}
    tried = await admin.put(f"{BOXES}/{box['id']}", body)
    assert (tried["health"]["failures"], tried["health"]["paused_until"]) == (0, None)


def test_pauses_grow_and_end() -> None:
    for is_wrong, longest in ((False, standing.LONGEST_PAUSE), (True, standing.LONGEST_PAUSE_WRONG)):
        assert standing.pause_after(1, is_wrong=is_wrong) < standing.pause_after(30, is_wrong=is_wrong)
        assert standing.pause_after(30, is_wrong=is_wrong) <= longest * 1.2


async def test_a_mailbox_nobody_reads_is_told(fresh_database: Any, admin: Any) -> None:
    assert await standing.check(fresh_database) == "ok"
    box = await admin.post(BOXES, SETUP, expect=201)
    assert await standing.check(fresh_database) == "ok"
    async with fresh_database.transaction() as session:
        await session.execute(update(Mailbox).values(updated_at=now() - timedelta(hours=1)))
    assert "1 of 1" in await standing.check(fresh_database)
    assert (await admin.get(f"{BOXES}/{box['id']}"))["health"]["state"] == "UNREAD"


async def test_a_mail_whose_original_is_gone_is_still_in_the_log(fresh_database: Any, admin: Any) -> None:
    kept = await originals.keep_original(RAW)
    async with fresh_database.transaction() as session:
        row = mail_row(kept, outcome="QUARANTINED")
        session.add(row)
    await originals.drop_original(kept.name)
    look = await admin.get(f"{MAILS}/{row.id}")
    assert (look["subject"], look["text"], look["headers"]) == ("Hello", None, None)
