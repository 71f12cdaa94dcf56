"""From the bytes of a mail to what it became: requests, comments, answers, notes, refusals, and nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from tests.conftest import Api
from tests.notifications.test_sending import Wire
from waypost.catalog.models import TicketType
from waypost.directory.models import User
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.email import mail_message
from waypost.notifications.channels.registry import CHANNELS
from waypost.notifications.incoming import answering, finding, matching, taking
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.originals import keep_original
from waypost.notifications.incoming.reading import Arrived, read
from waypost.notifications.incoming.replies import MARKER
from waypost.notifications.models import ContactPoint, Delivery
from waypost.notifications.sending import send_due
from waypost.tickets.models import Attachment, Ticket, TicketComment

_uids = count(1)
DOMAIN = "waypost.example.com"
BOX = "help@waypost.example.com"


class Post:
    """A mailbox, and mails put into it."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.mailbox_id = 0
        self.addresses: dict[str, str] = {}

    async def open(self, ticket_type: str = "IT_SUPPORT", **more: Any) -> Post:
        async with self.database.transaction() as session:
            kind = await session.scalar(select(TicketType.id).where(TicketType.key == ticket_type))
            at = now()
            box = Mailbox(name="Help", address=BOX, kind="imap", ticket_type_id=kind, created_at=at, updated_at=at)
            for key, value in more.items():
                setattr(box, key, value)
            session.add(box)
            await session.flush()
            self.mailbox_id = box.id
            rows = await session.execute(select(User.username, User.email))
            self.addresses = {row.username: row.email for row in rows}
        return self

    async def change(self, **values: Any) -> None:
        async with self.database.transaction() as session:
            await session.execute(update(Mailbox).values(**values))

    def mail(self, who: str, body: str = "The screen is broken", **headers: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self.addresses.get(who, who)
        mail["To"] = headers.pop("to", BOX)
        mail["Subject"] = headers.pop("subject", "Broken screen")
        mail["Message-ID"] = headers.pop("message_id", f"<{next(_uids)}@mail.example.com>")
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(body)
        return mail

    async def put(self, mail: EmailMessage | bytes) -> int:
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        found = read(raw)
        original = await keep_original(raw)
        at = now()
        async with self.database.transaction() as session:
            row = IncomingMail(
                mailbox_id=self.mailbox_id,
                uidvalidity=1,
                uid=next(_uids),
                message_id=found.message_id if isinstance(found, Arrived) else None,
                content_hash=hashlib.sha256(raw).hexdigest(),
                from_address=found.sender if isinstance(found, Arrived) else "",
                subject=found.subject[:500] if isinstance(found, Arrived) else "",
                received_at=at,
                size=len(raw),
                raw_name=original.name,
                raw_size=original.size,
                raw_key_id=original.key_id,
                raw_key=original.key,
                next_at=at,
                created_at=at,
            )
            session.add(row)
            await session.flush()
            return row.id

    async def take(self, mail: EmailMessage | bytes) -> IncomingMail:
        mail_id = await self.put(mail)
        await taking.take(self.database, mail_id)
        return await self.row(mail_id)

    async def row(self, mail_id: int) -> IncomingMail:
        async with self.database.read() as session:
            return await session.get_one(IncomingMail, mail_id)

    async def all(self, statement: Any) -> list[Any]:
        async with self.database.read() as session:
            return list(await session.scalars(statement))

    async def comments(self, ticket_id: int) -> list[TicketComment]:
        wanted = select(TicketComment).where(TicketComment.ticket_id == ticket_id).order_by(TicketComment.id)
        return await self.all(wanted)

    async def answers(self) -> list[Delivery]:
        return await self.all(select(Delivery).where(Delivery.kind.like("mail.%")).order_by(Delivery.id))

    async def code(self, who: str, ticket_id: int, **more: Any) -> str:
        user_id = (await self.all(select(User.id).where(User.username == who)))[0]
        return matching.reply_address(BOX, ticket_id, user_id, finding.reply_key(), **more)


@pytest.fixture
async def post(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MAIL_FROM", f"Waypost <no-reply@{DOMAIN}>")
    get_settings.cache_clear()
    yield await Post(fresh_database).open()
    get_settings.cache_clear()


Who = Callable[[str], Awaitable[Api]]


async def support(api: Api, **more: Any) -> dict[str, Any]:
    body = {"title": "Slow laptop", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True, **more}
    return dict(await api.post("/tickets", body, expect=201))


# --- new requests -----------------------------------------------------------------------------------------------------


async def test_a_mail_becomes_a_request_of_its_mailboxs_type(post: Post, fresh_who: Who) -> None:
    mail = post.mail("employee", "It flickers.\n\nSince Monday.", subject="Fwd: Re: Broken screen")
    mail.add_attachment(b"%PDF-1.7 hello", maintype="application", subtype="pdf", filename="photo.pdf")
    row = await post.take(mail)
    assert (row.outcome, row.reason) == ("TICKET", None)
    employee = await fresh_who("employee")
    ticket = await employee.get(f"/tickets/{row.ticket_id}")
    assert (ticket["title"], ticket["ticket_type"]) == ("Broken screen", "IT_SUPPORT")
    assert ticket["description"] == "It flickers.\n\nSince Monday."
    assert ticket["requester"]["username"] == "employee"
    assert ticket["status"] != "DRAFT"
    (file,) = (await employee.get(f"/tickets/{row.ticket_id}/attachments"))["items"]
    assert (file["filename"], file["content_type"]) == ("photo.pdf", "application/pdf")
    got = await employee.get(f"/attachments/{file['id']}", expect=None)
    assert got.content == b"%PDF-1.7 hello"
    events = await post.all(
        select(EventRow.channel).where(EventRow.object_type == "ticket", EventRow.object_id == row.ticket_id,
                                       EventRow.type.in_(("ticket.created", "attachment.added")))
    )  # fmt: skip
    assert events == ["email", "email"]
    (answer,) = await post.answers()
    assert (answer.kind, answer.recipient) == (answering.TAKEN, post.addresses["employee"])
    assert answer.headers["Auto-Submitted"] == "auto-replied"
    assert answer.headers["In-Reply-To"] == mail["Message-ID"]
    # what answers it is about the same request
    assert (
        await post.take(post.mail("employee", "And it is warm", to=answer.headers["Reply-To"]))
    ).ticket_id == ticket["id"]


async def test_a_form_a_mail_cannot_fill_makes_a_draft(post: Post, fresh_who: Who) -> None:
    kind = (await post.all(select(TicketType.id).where(TicketType.key == "IT_HARDWARE")))[0]
    await post.change(ticket_type_id=kind)
    row = await post.take(post.mail("employee"))
    assert row.outcome == "TICKET"
    ticket = await (await fresh_who("employee")).get(f"/tickets/{row.ticket_id}")
    assert ticket["status"] == "DRAFT"
    (answer,) = await post.answers()
    assert answer.kind == answering.TO_COMPLETE
    assert answer.words["link"].endswith(f"/tickets/{row.ticket_id}")


async def test_a_mailbox_may_be_a_teams(post: Post) -> None:
    team = (await post.all(text("SELECT max(id) FROM teams")))[0]
    await post.change(team_id=team)
    row = await post.take(post.mail("employee", subject=""))
    ticket = (await post.all(select(Ticket).where(Ticket.id == row.ticket_id)))[0]
    assert (ticket.team_id, ticket.title) == (team, "The screen is broken")


@pytest.mark.parametrize(("policy", "outcome"), [("QUARANTINE", "QUARANTINED"), ("REFUSE", "REFUSED")])
async def test_strangers(post: Post, policy: str, outcome: str) -> None:
    await post.change(unknown_senders=policy)
    first = await post.take(post.mail("stranger@elsewhere.test"))
    second = await post.take(post.mail("stranger@elsewhere.test"))
    assert (first.outcome, second.outcome) == (outcome, outcome)
    answers = await post.answers()
    assert [a.recipient for a in answers] == (["stranger@elsewhere.test"] if policy == "REFUSE" else [])
    assert await post.all(select(func.count()).select_from(TicketComment).where(TicketComment.channel == "email")) == [
        0
    ]


async def test_a_refusal_goes_out_marked_as_an_answer(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setitem(CHANNELS, "email", wire)
    await post.change(unknown_senders="REFUSE")
    mail = post.mail("stranger@elsewhere.test", subject="Broken")
    await post.take(mail.as_bytes().replace(b"Broken", b"=?utf-8?Q?Help=0D=0ABcc:_x@y.test?="))
    await send_due(post.database)
    (sent,) = [m for m in wire.taken if m.recipient == "stranger@elsewhere.test"]
    written = mail_message(sent)
    assert (written["Auto-Submitted"], written["In-Reply-To"]) == ("auto-replied", mail["Message-ID"])
    assert written["Subject"] == "Your mail was not taken: Help Bcc: x@y.test"
    assert (written["Bcc"], written["Reply-To"]) == (None, None)
    body = written.get_body(("plain",))
    assert body is not None
    assert "Nobody here is known" in body.get_content()
    assert (await post.answers())[0].status == "SENT"


async def test_strangers_are_taken_in_somebodys_name(post: Post, fresh_who: Who) -> None:
    agent = await fresh_who("agent")
    await post.change(unknown_senders="ACCEPT", accept_as_user_id=agent.id)
    mail = post.mail("Sam <stranger@elsewhere.test>")
    row = await post.take(mail)
    ticket = await agent.get(f"/tickets/{row.ticket_id}")
    assert ticket["requester"]["username"] == "agent"
    assert ticket["description"].startswith("From: Sam <stranger@elsewhere.test>")
    again = await post.take(post.mail("stranger@elsewhere.test", "More", In_Reply_To=mail["Message-ID"]))
    assert (again.outcome, again.ticket_id) == ("COMMENT", row.ticket_id)
    other = await post.take(post.mail("other@elsewhere.test", "Mine?", In_Reply_To=mail["Message-ID"]))
    assert other.outcome == "TICKET"
    code = await post.code("employee", row.ticket_id or 0)
    assert (await post.take(post.mail("third@elsewhere.test", to=code))).outcome == "TICKET"
    assert await post.answers() == []


async def test_people_who_left_are_strangers(post: Post) -> None:
    async with post.database.transaction() as session:
        await session.execute(update(User).where(User.username == "colleague").values(is_active=False))
    assert (await post.take(post.mail("colleague"))).outcome == "QUARANTINED"


async def test_who_may_not_ask_is_refused_as_on_the_web(post: Post) -> None:
    row = await post.take(post.mail("auditor"))
    assert row.outcome == "REFUSED"
    (answer,) = await post.answers()
    assert "permission" in answer.words["body"]


# --- replies ----------------------------------------------------------------------------------------------------------


async def test_a_reply_becomes_a_comment(post: Post, fresh_who: Who) -> None:
    employee = await fresh_who("employee")
    ticket = await support(employee)
    code = await post.code("employee", ticket["id"])
    words = f"It is the fan, @agent.\n\nOn Mon, 2 Mar 2026 at 10:00, Waypost <{code}> wrote:\n> {MARKER}\n> old words"
    row = await post.take(post.mail("employee", words, to=code.upper()))
    assert (row.outcome, row.ticket_id) == ("COMMENT", ticket["id"])
    (comment,) = (await employee.get(f"/tickets/{ticket['id']}/comments"))["items"]
    assert (comment["id"], comment["body"], comment["visibility"]) == (
        row.comment_id,
        "It is the fan, @agent.",
        "PUBLIC",
    )
    assert (comment["channel"], comment["author"]["username"]) == ("email", "employee")
    events = await post.all(select(EventRow.channel).where(EventRow.type == "comment.created",
                                                            EventRow.object_id == ticket["id"]))  # fmt: skip
    assert events == ["email"]


async def _told(post: Post, who: str, ticket_id: int) -> Delivery:
    await relay.drain(post.database)
    user_id = (await post.all(select(User.id).where(User.username == who)))[0]
    wanted = select(Delivery).where(
        Delivery.user_id == user_id,
        Delivery.channel == "email",
        Delivery.words["ticket_id"].as_integer() == ticket_id,
    )
    return (await post.all(wanted.order_by(Delivery.id.desc())))[0]


async def test_a_reply_is_known_by_the_mail_it_answers(post: Post, fresh_who: Who) -> None:
    employee, agent = await fresh_who("employee"), await fresh_who("agent")
    ticket = await support(employee)
    await agent.post(f"/tickets/{ticket['id']}/comments", {"body": "Which model?"}, expect=201)
    told = await _told(post, "employee", ticket["id"])
    row = await post.take(post.mail("employee", "A T14", References=f"<ticket.{ticket['id']}@x> {told.message_id}"))
    assert (row.outcome, row.ticket_id) == ("COMMENT", ticket["id"])
    # and by mails that were taken before
    again = await post.take(post.mail("employee", "Gen 3", In_Reply_To=row.message_id or ""))
    assert (again.outcome, again.ticket_id) == ("COMMENT", ticket["id"])
    # somebody else's mail from us says nothing for who did not get it
    other = await post.take(post.mail("outsider", "Hello", In_Reply_To=told.message_id))
    assert other.outcome == "TICKET"


async def test_a_number_or_a_thread_is_enough_only_for_who_has_a_part_in_it(post: Post, fresh_who: Who) -> None:
    ticket = await support(await fresh_who("employee"))
    number = f"Re: {ticket['ticket_number']} is slow"
    thread = f"<ticket.{ticket['id']}@{DOMAIN}>"
    assert (await post.take(post.mail("employee", subject=number))).ticket_id == ticket["id"]
    assert (await post.take(post.mail("employee", References=thread))).ticket_id == ticket["id"]
    for mail in (post.mail("outsider", subject=number), post.mail("agent2", References=thread)):
        row = await post.take(mail)
        assert row.outcome == "TICKET"
        assert row.ticket_id != ticket["id"]
    # what is passed on is something new, whatever it bears
    code = await post.code("employee", ticket["id"])
    row = await post.take(post.mail("employee", subject=f"Fwd: {ticket['ticket_number']}", to=code))
    assert (row.outcome, row.ticket_id == ticket["id"]) == ("TICKET", False)


async def test_whoever_may_not_see_it_is_told_there_is_none(post: Post, fresh_who: Who) -> None:
    ticket = await support(await fresh_who("employee"))
    code = await post.code("outsider", ticket["id"])
    rows = [await post.take(post.mail("outsider", to=code)) for _ in range(2)]
    none = await post.take(post.mail("outsider", to=await post.code("outsider", 999_999)))
    assert [r.outcome for r in (*rows, none)] == ["REFUSED"] * 3
    assert {r.ticket_id for r in (*rows, none)} == {None}
    (answer,) = await post.answers()  # once a day
    assert answer.words["body"].startswith(taking.UNSEEN)
    assert await post.comments(ticket["id"]) == []


async def test_somebody_elses_reply_address_gives_no_ones_rights(post: Post, fresh_who: Who) -> None:
    ticket = await support(await fresh_who("employee"))
    code = await post.code("employee", ticket["id"])
    assert (await post.take(post.mail("outsider", to=code))).outcome == "REFUSED"
    row = await post.take(post.mail("agent", "Restart it", to=code))  # they see it, so they speak as themselves
    assert row.outcome == "COMMENT"
    (comment,) = await post.comments(ticket["id"])
    assert comment.author_id == (await fresh_who("agent")).id


async def test_what_answers_internal_words_stays_internal(post: Post, fresh_who: Who) -> None:
    ticket = await support(await fresh_who("employee"))
    code = await post.code("agent", ticket["id"], is_internal=True)
    assert (await post.take(post.mail("agent", "She is on leave", to=code))).outcome == "COMMENT"
    (comment,) = await post.comments(ticket["id"])
    assert comment.visibility == "INTERNAL"
    first = (await post.all(select(IncomingMail).where(IncomingMail.comment_id == comment.id)))[0]
    await post.take(post.mail("agent2", "Oh", In_Reply_To=first.message_id or ""))
    assert [c.visibility for c in await post.comments(ticket["id"])] == ["INTERNAL", "INTERNAL"]
    # who may not write internally says nothing at all, rather than something everybody reads
    forged = await post.code("employee", ticket["id"], is_internal=True)
    assert (await post.take(post.mail("employee", "What?", to=forged))).outcome == "REFUSED"
    assert len(await post.comments(ticket["id"])) == 2


async def test_an_internal_notice_by_mail_is_answered_internally(post: Post, fresh_who: Who) -> None:
    employee, agent, other = [await fresh_who(n) for n in ("employee", "agent", "agent2")]
    ticket = await support(employee)
    await agent.post(
        f"/tickets/{ticket['id']}/comments", {"body": "@agent2 look", "visibility": "INTERNAL"}, expect=201
    )
    told = await _told(post, "agent2", ticket["id"])
    await post.take(post.mail("agent2", "Will do", In_Reply_To=told.message_id))
    assert [(c.author_id, c.visibility) for c in await post.comments(ticket["id"])][-1] == (other.id, "INTERNAL")


async def test_agents_answer_internally_where_that_is_the_rule(post: Post, fresh_who: Who) -> None:
    await post.change(agents_reply="INTERNAL")
    ticket = await support(await fresh_who("employee"))
    for who in ("agent", "employee"):
        await post.take(post.mail(who, "words", to=await post.code(who, ticket["id"])))
    assert [c.visibility for c in await post.comments(ticket["id"])] == ["INTERNAL", "PUBLIC"]


async def test_the_requester_answers_the_approvers_question(
    post: Post, fresh_who: Who, hardware: Any, find_step: Any
) -> None:
    employee, manager = await fresh_who("employee"), await fresh_who("manager")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    step = await find_step(manager, ticket["id"])
    asked = {"comments": "Which one?", "version": step["version"]}
    await manager.post(f"/approvals/{step['id']}/request-info", asked)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "PENDING_INFO"
    code = await post.code("employee", ticket["id"])
    row = await post.take(post.mail("employee", "The blue one", to=code))
    assert row.outcome == "COMMENT"
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW"


async def test_nobody_approves_by_mail(post: Post, fresh_who: Who, hardware: Any, find_step: Any) -> None:
    employee, manager = await fresh_who("employee"), await fresh_who("manager")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    row = await post.take(post.mail("manager", "approve", to=await post.code("manager", ticket["id"])))
    assert row.outcome == "COMMENT"
    assert (await find_step(manager, ticket["id"]))["status"] == "PENDING"


async def _completed(fresh_who: Who) -> tuple[Api, Api, dict[str, Any]]:
    employee, agent = await fresh_who("employee"), await fresh_who("agent")
    ticket = await support(employee)
    await agent.post(f"/tickets/{ticket['id']}/transitions", {"to": "IN_PROGRESS"})
    await agent.post(f"/tickets/{ticket['id']}/transitions", {"to": "COMPLETED", "comment": "done"})
    return employee, agent, ticket


async def test_the_requester_re_opens_what_is_complete_but_not_by_thanks_nor_without_end(
    post: Post, fresh_who: Who
) -> None:
    employee, agent, ticket = await _completed(fresh_who)
    code = await post.code("employee", ticket["id"])
    await post.take(post.mail("employee", "Great, thank you very much!", to=code))
    await post.take(post.mail("agent", "It still hums", to=await post.code("agent", ticket["id"])))
    assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == "COMPLETED"
    for n in range(taking.MOST_REOPENED + 1):
        row = await post.take(post.mail("employee", f"Still broken {n}", to=code))
        assert (row.outcome, row.comment_id is not None) == ("COMMENT", True)
        is_open = n < taking.MOST_REOPENED
        status = "IN_PROGRESS" if is_open else "COMPLETED"
        assert (await employee.get(f"/tickets/{ticket['id']}"))["status"] == status
        if is_open:
            await agent.post(f"/tickets/{ticket['id']}/transitions", {"to": "COMPLETED", "comment": "again"})


async def test_a_closed_request_is_followed_by_a_new_one_linked_to_it(post: Post, fresh_who: Who) -> None:
    employee, _, ticket = await _completed(fresh_who)
    await employee.post(f"/tickets/{ticket['id']}/transitions", {"to": "CLOSED"})
    row = await post.take(post.mail("employee", "It is back", to=await post.code("employee", ticket["id"])))
    assert (row.outcome, row.ticket_id == ticket["id"]) == ("TICKET", False)
    links = await post.all(text(f"SELECT kind FROM ticket_links WHERE {row.ticket_id} IN (from_id, to_id)"))
    assert links == ["RELATES"]


async def test_the_link_that_decides_is_not_passed_on(post: Post, fresh_who: Who) -> None:
    ticket = await support(await fresh_who("employee"))
    secret = f"wpd_{'ab12' * 16}"
    words = f"> Decide: http://localhost:8000/decide/{secret}\n\nWhat is this?\n\n> more\n\nAnd {secret}?"
    await post.take(post.mail("agent", words, to=await post.code("agent", ticket["id"])))
    (comment,) = await post.comments(ticket["id"])
    assert "wpd_" not in comment.body
    assert "What is this?" in comment.body


async def test_the_original_is_there_for_whoever_reads_the_comment(post: Post, fresh_who: Who) -> None:
    employee, agent, outsider = [await fresh_who(n) for n in ("employee", "agent", "outsider")]
    ticket = await support(employee)
    code = await post.code("employee", ticket["id"])
    words = f"The fan.\n\nOn Mon, 2 Mar 2026 at 10:00, Waypost <{code}> wrote:\n> http://x.test/decide/wpd_{'ab' * 32}"
    row = await post.take(post.mail("employee", words, to=code, subject="Re: Slow laptop"))
    path = f"/tickets/{ticket['id']}/comments/{row.comment_id}"
    shown = await agent.get(f"{path}/original")
    assert (shown["sender"]["email"], shown["subject"]) == (post.addresses["employee"], "Re: Slow laptop")
    assert shown["recipients"] == [BOX]
    assert shown["text"].startswith("The fan.\n\nOn Mon, 2 Mar 2026")
    assert "wpd_" not in shown["text"]
    assert "+" not in shown["text"]
    await outsider.get(f"{path}/original", expect=404)
    plain = await employee.post(f"/tickets/{ticket['id']}/comments", {"body": "By hand"}, expect=201)
    assert plain["channel"] is None
    await employee.get(f"/tickets/{ticket['id']}/comments/{plain['id']}/original", expect=404)
    # of internal words it is the team's, of words taken back nobody's
    row = await post.take(post.mail("agent", "Odd", to=await post.code("agent", ticket["id"], is_internal=True)))
    inner = f"/tickets/{ticket['id']}/comments/{row.comment_id}/original"
    assert (await agent.get(inner))["text"].strip() == "Odd"
    await employee.get(inner, expect=404)
    await employee.delete(path)
    await agent.get(f"{path}/original", expect=404)
    history = (await employee.get(f"/tickets/{ticket['id']}/history"))["items"]
    assert [h["summary"] for h in history if h["type"] == "comment.created"] == ["commented, by mail", "commented"]


async def test_an_original_that_is_kept_no_longer(post: Post, fresh_who: Who) -> None:
    employee = await fresh_who("employee")
    ticket = await support(employee)
    row = await post.take(post.mail("employee", "x", to=await post.code("employee", ticket["id"])))
    async with post.database.transaction() as session:
        await session.execute(update(IncomingMail).values(raw_name=None))
    await employee.get(f"/tickets/{ticket['id']}/comments/{row.comment_id}/original", expect=404)


async def test_what_is_held_back_shows_no_secrets_and_keeps_its_original(post: Post, fresh_who: Who) -> None:
    admin, employee = await fresh_who("admin"), await fresh_who("employee")
    ticket = await support(employee)
    code = await post.code("employee", ticket["id"])
    words = f"Yes.\n\n> http://x.test/decide/wpd_{'ab' * 32}"
    row = await post.take(post.mail("stranger@elsewhere.test", words, to=code))
    assert row.outcome == "QUARANTINED"
    looked = await admin.get(f"/incoming-mails/{row.id}")
    assert "wpd_" not in str(looked)
    assert code not in str(looked)
    await admin.post(f"/incoming-mails/{row.id}/put-on-ticket", {"ticket": str(ticket["id"])})
    (comment,) = (await employee.get(f"/tickets/{ticket['id']}/comments"))["items"]
    assert comment["channel"] == "email"
    shown = await employee.get(f"/tickets/{ticket['id']}/comments/{comment['id']}/original")
    assert shown["sender"]["email"] == "stranger@elsewhere.test"


# --- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Auto_Submitted": "auto-replied"}, "AUTO_REPLY"),
        ({"Precedence": "bulk"}, "IGNORED"),
        ({"List_Id": "<a.b>"}, "IGNORED"),
        ({"Return_Path": "<>"}, "IGNORED"),
        ({"X_Loop": f"no-reply@{DOMAIN}"}, "IGNORED"),
    ],
)
async def test_programs_are_filed_and_change_nothing(
    post: Post, fresh_who: Who, headers: dict[str, str], outcome: str
) -> None:
    employee, _, ticket = await _completed(fresh_who)
    before = await employee.get(f"/tickets/{ticket['id']}")
    row = await post.take(post.mail("employee", "I am away", to=await post.code("employee", ticket["id"]), **headers))
    assert row.outcome == outcome
    assert await employee.get(f"/tickets/{ticket['id']}") == before
    assert await post.answers() == []


async def test_our_own_mail_ends_its_loop_at_once(post: Post, fresh_who: Who) -> None:
    """Every mail we send, put back into the mailbox, and what it leads to put back again: nothing, ever."""
    await post.change(unknown_senders="REFUSE")
    employee, agent = await fresh_who("employee"), await fresh_who("agent")
    ticket = await support(employee)
    await agent.post(f"/tickets/{ticket['id']}/comments", {"body": "Which model?"}, expect=201)
    await post.take(post.mail("stranger@elsewhere.test"))
    await post.take(post.mail("employee"))
    await relay.drain(post.database)
    sent = await post.all(select(Delivery).where(Delivery.channel == "email"))
    assert len(sent) >= 3
    tickets = await post.all(select(func.count()).select_from(Ticket))
    from waypost.notifications.sending import _letter

    for delivery in sent:
        ours = mail_message(_letter([delivery]).message)
        for sender in (ours["From"], post.addresses["employee"], "robot@elsewhere.test"):
            del ours["From"]
            ours["From"] = sender
            assert (await post.take(ours.as_bytes())).outcome in ("IGNORED", "AUTO_REPLY")
    await relay.drain(post.database)
    assert len(await post.all(select(Delivery).where(Delivery.channel == "email"))) == len(sent)
    assert await post.all(select(func.count()).select_from(Ticket)) == tickets
    assert CHANNELS["email"] is not None


async def test_so_many_an_hour_and_no_more(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_AN_HOUR", 2)
    rows = [await post.take(post.mail("employee")) for _ in range(3)]
    assert [r.outcome for r in rows] == ["TICKET", "TICKET", "QUARANTINED"]


# --- delivery reports -------------------------------------------------------------------------------------------------


def report(delivery: Delivery, code: str, *returned: str) -> bytes:
    given_back = "\r\n".join((f"Message-ID: {delivery.message_id}", *returned))
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.com\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {delivery.recipient}\r\nAction: failed\r\nStatus: {code}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{given_back}\r\n\r\n--b--\r\n"
    ).encode()


async def _sent_to(post: Post, fresh_who: Who, who: str = "employee") -> Delivery:
    ticket = await support(await fresh_who(who))
    await (await fresh_who("agent")).post(f"/tickets/{ticket['id']}/comments", {"body": "Which?"}, expect=201)
    told = await _told(post, who, ticket["id"])
    async with post.database.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == told.id).values(status="SENT", sent_at=now()))
    return told


async def _given_up(post: Post) -> list[ContactPoint]:
    wanted = select(ContactPoint).where(ContactPoint.channel == "email", ContactPoint.stopped_at.is_not(None))
    return await post.all(wanted)


async def test_an_address_that_is_no_more_gets_nothing_until_it_works_again(post: Post, fresh_who: Who) -> None:
    told = await _sent_to(post, fresh_who)
    ticket_id = told.words["ticket_id"]
    code = await post.code("employee", ticket_id)
    row = await post.take(report(told, "5.1.1", f"Reply-To: Waypost <{code}>"))
    assert (row.outcome, row.ticket_id) == ("BOUNCE", ticket_id)
    (failed,) = await post.all(select(Delivery).where(Delivery.id == told.id))
    assert failed.status == "FAILED"
    assert "5.1.1" in (failed.last_error or "")
    assert len(await _given_up(post)) == 1
    agent, admin = await fresh_who("agent"), await fresh_who("admin")
    await agent.post(f"/tickets/{ticket_id}/comments", {"body": "Hello?"}, expect=201)
    next_one = await _told(post, "employee", ticket_id)
    assert next_one.status == "FAILED"
    shown = await admin.get(f"/notification-deliveries/{next_one.id}")
    assert "come back" in shown["last_error"]
    # an administrator sends it again
    await admin.post(f"/notification-deliveries/{next_one.id}/send-again", expect=None)
    assert await _given_up(post) == []
    # or they write themselves
    await post.take(report(told, "5.1.1", f"Reply-To: {code}"))
    assert len(await _given_up(post)) == 1
    await post.take(post.mail("employee", "I am here", to=code))
    assert await _given_up(post) == []


@pytest.mark.parametrize(("code", "status"), [("4.4.7", "SENT"), ("5.7.1", "FAILED"), ("5.1.1", "FAILED")])
async def test_reports_that_say_less_or_prove_nothing(post: Post, fresh_who: Who, code: str, status: str) -> None:
    told = await _sent_to(post, fresh_who)
    others = await post.code("manager", told.words["ticket_id"])
    row = await post.take(report(told, code, f"Reply-To: {others}"))
    assert row.outcome == "BOUNCE"
    assert [d.status for d in await post.all(select(Delivery).where(Delivery.id == told.id))] == [status]
    assert await _given_up(post) == []


async def test_a_report_about_no_mail_of_ours(post: Post, fresh_who: Who) -> None:
    told = await _sent_to(post, fresh_who)
    told.message_id = "<1.1@elsewhere.test>"
    row = await post.take(report(told, "5.1.1"))
    assert (row.outcome, row.reason) == ("BOUNCE", "it names no mail of ours")


# --- once, and whole --------------------------------------------------------------------------------------------------


async def test_the_same_mail_by_two_ways_is_taken_once(post: Post) -> None:
    mail = post.mail("employee")
    mail.add_attachment(b"%PDF-1.7 data", maintype="application", subtype="pdf", filename="a.pdf")
    raw = mail.as_bytes()
    ids = [await post.put(raw), await post.put(b"Received: from b by a; Mon, 02 Mar 2026 10:00:00 +0000\r\n" + raw)]
    await asyncio.gather(*(taking.take(post.database, i) for i in ids * 3))
    rows = [await post.row(i) for i in ids]
    assert sorted(r.outcome for r in rows) == ["IGNORED", "TICKET"]
    assert rows[0].ticket_id == rows[1].ticket_id
    assert len(await post.all(select(Attachment).where(Attachment.ticket_id == rows[0].ticket_id))) == 1


async def test_another_mail_with_a_known_message_id_is_another_mail(post: Post) -> None:
    first = await post.take(post.mail("employee", message_id="<same@x.test>"))
    second = await post.take(post.mail("employee", "Something else", message_id="<same@x.test>"))
    other = await post.take(post.mail("colleague", message_id="<same@x.test>"))
    assert [r.outcome for r in (first, second, other)] == ["TICKET"] * 3
    assert len({r.ticket_id for r in (first, second, other)}) == 3


async def test_what_breaks_off_leaves_nothing_and_is_done_at_the_next_try(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = post.mail("employee")
    mail.add_attachment(b"%PDF-1.7 data", maintype="application", subtype="pdf", filename="a.pdf")
    mail_id = await post.put(mail)
    before = await post.all(select(func.count()).select_from(Ticket))

    async def breaks(*_: Any, **__: Any) -> Any:
        raise ConnectionError("the power is out")

    with monkeypatch.context() as patched:
        patched.setattr(answering, "answer", breaks)
        with pytest.raises(ConnectionError):
            await taking.take(post.database, mail_id)
    assert await post.all(select(func.count()).select_from(Ticket)) == before
    assert (await post.row(mail_id)).outcome == "PENDING"
    await taking.take(post.database, mail_id)
    row = await post.row(mail_id)
    assert row.outcome == "TICKET"
    assert len(await post.all(select(Attachment).where(Attachment.ticket_id == row.ticket_id))) == 1
    assert await taking.take(post.database, mail_id) is None


async def test_files_that_are_not_kept_are_named(post: Post, fresh_who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTACHMENT_MAX_BYTES", "5000")
    get_settings.cache_clear()
    ticket = await support(await fresh_who("employee"))
    code = await post.code("employee", ticket["id"])
    for _ in range(2):
        mail = post.mail("employee", "See these", to=code)
        mail.add_attachment(b"x" * 6000, maintype="application", subtype="zip", filename="big.zip")
        mail.add_attachment(b"%PDF-1.7 small", maintype="application", subtype="pdf", filename="small.pdf")
        mail.add_attachment(
            b"\x89PNG\r\n\x1a\n logo", maintype="image", subtype="png", filename="logo.png", disposition="inline"
        )
        await post.take(mail)
    comment, _ = await post.comments(ticket["id"])
    assert comment.body.startswith("See these\n\nNot kept of this mail: big.zip: a file holds at most")
    kept = [a.filename for a in await post.all(select(Attachment).where(Attachment.ticket_id == ticket["id"]))]
    assert sorted(kept) == ["logo.png", "small.pdf", "small.pdf"]  # a signature's picture is kept once


# --- attacks ----------------------------------------------------------------------------------------------------------


async def test_who_says_they_are_somebody_must_be_found_to_be_where_that_is_asked(post: Post) -> None:
    await post.change(authserv_id="mx.example.com")
    domain = post.addresses["employee"].partition("@")[2]
    forged = post.mail("employee", Authentication_Results=f"mx.evil.test; dmarc=pass header.from={domain}")
    real = post.mail("employee", Authentication_Results=f"mx.example.com; dmarc=pass header.from={domain}")
    assert [(await post.take(m)).outcome for m in (forged, post.mail("employee"), real)] == [
        "QUARANTINED",
        "QUARANTINED",
        "TICKET",
    ]
    assert len(await post.answers()) == 1


async def test_hostile_mails_end_somewhere_and_bring_nothing_in(post: Post) -> None:
    who = post.addresses["employee"]
    part = b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\nx%d\r\n"
    head = f"From: {who}\r\nTo: {BOX}\r\n".encode()
    many = head + b"Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    many += b"".join(part % n for n in range(10_000)) + b"--b--"
    row = await post.take(many)
    assert row.outcome == "TICKET"
    ticket = (await post.all(select(Ticket).where(Ticket.id == row.ticket_id)))[0]
    assert "9900 more parts" in ticket.description
    assert len(await post.all(select(Attachment.id).where(Attachment.ticket_id == row.ticket_id))) == 100
    for raw, outcome in (
        (head + b"Subject: " + b"x" * 1_000_000 + b"\r\n\r\nwords", "TICKET"),
        (head + b"Subject: =?utf-8?Q?a=0D=0ABcc:_evil@x.test=00?=\r\n\r\nwo\x00rds", "TICKET"),
        (head + b"Subject: \xe2\x80\xae=?utf-8?Q?=E2=80=AE?=\r\n\r\n", "TICKET"),
        (b"From: a@b.test, " + who.encode() + b"\r\n\r\nx", "QUARANTINED"),
        (head + f"From: {who}\r\n\r\nx".encode(), "QUARANTINED"),
        (b"\x00" * 1000, "QUARANTINED"),
        (b"", "QUARANTINED"),
    ):
        row = await post.take(raw)
        assert row.outcome == outcome, raw[:80]
        if row.ticket_id:
            ticket = (await post.all(select(Ticket).where(Ticket.id == row.ticket_id)))[0]
            assert 0 < len(ticket.title) <= 200
            assert not any(c in ticket.title + ticket.description for c in "\x00\r\u202e")
    for answer in await post.answers():
        assert all("\n" not in str(v) and "\r" not in str(v) for v in (answer.subject, *answer.headers.values()))
