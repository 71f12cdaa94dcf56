"""A company's years of work as lines for COPY: requests as they come, are decided, worked on and talked about. Pure.

Texts are of four languages, their words as frequent as words are (Zipf). Requests come over three years; nine of ten are
over. Some people ask often, some teams have much to do, a third of the requests is decided by somebody first.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

COMMENTS, EVENTS = 3, 10  # of a ticket; some have a few events more
PEOPLE, TEAMS = 2_000, 12
TEAM_PEOPLE = 6  # who work in a team
VOCABULARY = 30_000
TEXTS = 20_000  # different ones: with more tickets, each word is found that much more often
YEARS = 3
OWN_PLACE = 9_000  # where in a ticket's words its number and its people stand, behind all texts
TXID = 3  # of everything that is loaded: long before what the index and the reports have followed
BASE = {
    "en": "the laptop printer screen is not working please help with my password account network access and office door for",
    "de": "der drucker ist kaputt bitte hilfe mit dem passwort konto netzwerk zugang und die tastatur für das büro nicht",
    "fr": "le la imprimante ne marche pas merci mot de passe compte réseau accès et écran pour les bureau une demande",
    "es": "la impresora no funciona por favor ayuda con contraseña cuenta red acceso y pantalla para el oficina una",
}
SYLLABLES = (
    "ba ce di fo gu ha ke li mo nu pa re si to vu wa xe yo zi sta tri plo gra nde rti son mel kar ver lun".split()
)
# what stands in which column, in the order of the lines
TABLES: dict[str, str] = {
    "tickets": "id ticket_number title description ticket_type_id ticket_type form_version status priority amount currency"
    " requester_id created_by_id assignee_id team_id department_id due_date sla_due_at sla_state custom_fields tags"
    " is_confidential version comment_count internal_comment_count created_at updated_at submitted_at completed_at closed_at",
    "ticket_comments": "id ticket_id author_id body visibility created_at",
    "events": "txid type version object_type object_id data actor_id channel at",
    "search_documents": "ticket_id is_inner is_fullest language words marks",
    "notifications": "user_id event_id kind title body ticket_id link created_at read_at",
    "approval_workflows": "id name reason subject_type subject_id subject subject_version round status barred_ids started_at"
    " ended_at",
    "approval_stages": "id workflow_id position name mode needed first_answer_counts due_in_minutes status",
    "approval_steps": "id workflow_id stage_id subject_type subject_id urgency seat step_order approver_id status requested_at"
    " due_at decided_at decided_by_id",
}
# (status, share of all, share of the newest twentieth)
_STATUSES = (
    ("CLOSED", 83, 5), ("COMPLETED", 3, 10), ("REJECTED", 3, 3), ("IN_PROGRESS", 5, 35),
    ("APPROVED", 3, 25), ("IN_REVIEW", 1, 12), ("PENDING_INFO", 1, 6), ("DRAFT", 1, 4),
)  # fmt: skip
_WAY = {  # the steps a ticket has behind it
    "DRAFT": (),
    "IN_REVIEW": ("submitted", "review_started"),
    "REJECTED": ("submitted", "review_started", "rejected"),
    "APPROVED": ("submitted", "approved", "assigned"),
    "IN_PROGRESS": ("submitted", "approved", "assigned", "work_started"),
    "PENDING_INFO": ("submitted", "approved", "assigned", "work_started", "info_requested"),
    "COMPLETED": ("submitted", "approved", "assigned", "work_started", "completed"),
    "CLOSED": ("submitted", "approved", "assigned", "work_started", "completed", "closed"),
}
_BECOMES = {
    "submitted": "SUBMITTED", "review_started": "IN_REVIEW", "rejected": "REJECTED", "approved": "APPROVED",
    "work_started": "IN_PROGRESS", "info_requested": "PENDING_INFO", "completed": "COMPLETED", "closed": "CLOSED",
}  # fmt: skip
RUNNING = {"APPROVED", "IN_PROGRESS"}


class Words:
    """Words of a language, the first ones often and the last ones hardly ever."""

    def __init__(self, language: str) -> None:
        chance = random.Random(language)
        made = dict.fromkeys(BASE[language].split())
        while len(made) < VOCABULARY:
            made["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4))))] = None
        self.words = list(made)
        self.steps = list(itertools.accumulate(1 / (n + 2.7) for n in range(len(self.words))))

    def some(self, chance: random.Random, n: int) -> list[str]:
        """So many of them, by how often each is said."""
        words, steps, end, draw = self.words, self.steps, self.steps[-1], chance.random
        return [words[bisect.bisect(steps, draw() * end)] for _ in range(n)]


@dataclass
class Facts:
    """What is there before: ids of people, teams and types, and where the new ones begin."""

    types: list[tuple[int, str, int]]
    people: list[int]
    workers: list[list[int]]  # of each team
    teams: list[int]
    departments: list[int]
    approvers: list[int]
    regular: int  # somebody who asks for one thing in a thousand
    ticket: int
    comment: int
    event: int
    workflow: int
    stage: int
    step: int
    total: int
    at: datetime


@dataclass
class Lines:
    """Lines of each table."""

    of: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in TABLES})

    def add(self, table: str, *values: object) -> None:
        """A row, in the order of `TABLES`; None is no value."""
        self.of[table].append("\t".join(map(_text, values)) + "\n")


@dataclass(frozen=True, slots=True)
class Text:
    """What is written in a ticket, and how the index holds it: for all, and with what the team says among itself."""

    language: str
    title: str
    description: str
    said: tuple[str, ...]
    has_inner: bool  # the last thing said is the team's own
    words: str
    inner_words: str


_TEXTS: list[Text] = []


def prepare(stems: dict[str, dict[str, tuple[str, ...]]]) -> None:
    """What `made` needs in its process: so many different texts, of which tickets are made."""
    chance = random.Random(7)
    languages = {language: Words(language) for language in BASE}
    spoken = chance.choices(tuple(BASE), (55, 20, 15, 10), k=TEXTS)
    _TEXTS.extend(_written(language, languages[language], stems.get(language, {}), chance) for language in spoken)


def _written(language: str, words: Words, stems: dict[str, tuple[str, ...]], chance: random.Random) -> Text:
    from waypost.search.vectors import DESCRIPTION, TALK, TITLE, Vector

    title = " ".join(words.some(chance, 6)).capitalize()
    description = " ".join(words.some(chance, 45))
    said = tuple(" ".join(words.some(chance, 18)) for _ in range(COMMENTS))
    has_inner = chance.random() < 0.15
    vector = Vector()
    vector.add(title, TITLE, stems)
    vector.add(description, DESCRIPTION, stems)
    for body in said[:-1] if has_inner else said:
        vector.add(body, TALK, stems)
    public = vector.text()
    if has_inner:
        vector.add(said[-1], TALK, stems)
    return Text(language, title, description, said, has_inner, public, vector.text() if has_inner else "")


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text.replace("\\", "\\\\") if "\\" in text else text


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


@dataclass
class _Ticket:
    n: int
    id: int
    number: str
    text: Text
    status: str
    priority: str
    kind: tuple[int, str, int]
    requester: int
    assignee: int | None
    team: int | None
    department: int
    created: datetime
    is_confidential: bool
    approver: int | None
    said: list[tuple[int, str, bool, datetime]]
    moments: list[tuple[str, datetime]]
    tags: list[str]

    def at(self, step: str) -> datetime | None:
        return next((at for name, at in self.moments if name == step), None)


def made(first: int, last: int, facts: Facts) -> dict[str, bytes]:
    """Tickets `first` to `last` (from 0) as lines of each table."""
    chance = random.Random(first)
    lines = Lines()
    for n in range(first, last):
        ticket = _ticket(n, facts, chance)
        _row(lines, ticket, facts, chance)
        _documents(lines, ticket)
        _log(lines, ticket, facts)
        _approval(lines, ticket, facts)
    return {name: "".join(rows).encode() for name, rows in lines.of.items()}


def _ticket(n: int, facts: Facts, chance: random.Random) -> _Ticket:
    text = _TEXTS[int(chance.random() * len(_TEXTS))]
    is_new = n > facts.total * 0.95
    status = chance.choices([s[0] for s in _STATUSES], [s[2 if is_new else 1] for s in _STATUSES])[0]
    place = min(int(chance.expovariate(0.35)), TEAMS - 1)
    created = facts.at - timedelta(seconds=(facts.total - n) * (YEARS * 31_536_000 / facts.total))
    requester = facts.regular if n % 1000 == 7 else facts.people[int(PEOPLE * chance.random() ** 2)]
    at, moments = created, []
    for step in _WAY[status]:
        at = min(at + timedelta(minutes=chance.expovariate(1 / 400)), facts.at)
        moments.append((step, at))
    takes_work = status not in ("DRAFT", "IN_REVIEW", "REJECTED")
    is_assigned = takes_work and (status != "APPROVED" or chance.random() < 0.5)
    assignee = chance.choice(facts.workers[place]) if is_assigned else None
    said = []
    for k, body in enumerate(text.said):
        author = requester if k == 1 or assignee is None else assignee
        when = min(created + timedelta(minutes=90 * (k + 1) + chance.random() * 60), facts.at)
        said.append((author, body, text.has_inner and k == COMMENTS - 1, when))
    is_decided = status in ("IN_REVIEW", "REJECTED") or (takes_work and n % 3 == 0)
    return _Ticket(
        n, facts.ticket + n, f"VOL-2026-{n:07d}", text, status,
        chance.choices(("LOW", "MEDIUM", "HIGH", "CRITICAL"), (30, 50, 16, 4))[0],
        chance.choices(facts.types, (50, 20, 10, 10, 10)[: len(facts.types)])[0],
        requester, assignee, facts.teams[place] if status != "DRAFT" else None,
        facts.departments[requester % len(facts.departments)], created, chance.random() < 0.01,
        facts.approvers[min(int(chance.expovariate(0.15)), len(facts.approvers) - 1)] if is_decided else None,
        said, moments, ["vpn"] if n % 200 == 0 else ["onboarding"] if n % 9 == 0 else [],
    )  # fmt: skip


def _row(lines: Lines, t: _Ticket, facts: Facts, chance: random.Random) -> None:
    runs = t.status in RUNNING
    sla_due = facts.at + timedelta(minutes=chance.random() * 40_320 + 5) if runs else None
    state = "RUNNING" if runs else "PAUSED" if t.status in ("IN_REVIEW", "PENDING_INFO") else None
    lines.add(
        "tickets",
        *(t.id, t.number, t.text.title, t.text.description, *t.kind, t.status, t.priority),
        *((f"{chance.random() * 9000:.2f}", "USD") if t.n % 4 == 0 else (None, None)),
        *(t.requester, t.requester, t.assignee, t.team, t.department),
        t.created + timedelta(days=chance.randint(2, 20)) if t.n % 5 < 3 else None,
        *(sla_due, state, _json({"budget_code": f"B-{t.n % 2000}"} if t.n % 2 else {}), _json(t.tags)),
        *(t.is_confidential, len(t.moments) + 1, COMMENTS - t.text.has_inner, int(t.text.has_inner), t.created),
        max([t.created, *(at for _, at in t.moments), *(s[3] for s in t.said)]),
        *(t.at("submitted"), t.at("completed"), t.at("closed")),
    )
    for k, (author, body, is_inner, at) in enumerate(t.said):
        visibility = "INTERNAL" if is_inner else "PUBLIC"
        lines.add("ticket_comments", facts.comment + t.n * COMMENTS + k, t.id, author, body, visibility, at)


def _documents(lines: Lines, t: _Ticket) -> None:
    from waypost.search.indexing import ASSIGNEE, DEPARTMENT, REQUESTER, TEAM, block_of, mark
    from waypost.search.vectors import quoted
    from waypost.search.words import words_of_number

    marks = {block_of(t.id), mark(REQUESTER, t.requester), mark(DEPARTMENT, t.department)}
    marks |= {mark(kind, i) for kind, i in ((ASSIGNEE, t.assignee), (TEAM, t.team)) if i is not None}
    listed = f"{{{','.join(map(str, sorted(marks)))}}}"
    own = [f"{quoted(word)}:{OWN_PLACE}A" for word in words_of_number(t.number)]
    own += [f"{quoted(word)}:{OWN_PLACE + 1}B" for word in (*t.tags, "person", f"person{t.requester}")]
    words = (t.text.words, t.text.inner_words) if t.text.has_inner else (t.text.words,)
    for is_inner, of in enumerate(words):
        is_fullest = is_inner == len(words) - 1
        lines.add("search_documents", t.id, bool(is_inner), is_fullest, t.text.language, " ".join((of, *own)), listed)


def _log(lines: Lines, t: _Ticket, facts: Facts) -> None:
    worker = t.assignee or t.approver or t.requester
    log: list[tuple[datetime, str, dict[str, Any], int]] = [(t.created, "ticket.created", {
        "title": t.text.title, "priority": t.priority, "ticket_id": t.id, "ticket_type": t.kind[1], "requester_id": t.requester,
        "created_by_id": t.requester, "ticket_number": t.number, "is_confidential": t.is_confidential,
    }, t.requester)]  # fmt: skip
    status, version = "DRAFT", 1
    for step, at in t.moments:
        version += 1
        if step == "assigned":
            if t.assignee:
                log.append((at, "ticket.assigned", {
                    "how": "", "why": "", "ticket_id": t.id, "new_team_id": t.team, "old_team_id": t.team,
                    "ticket_version": version, "new_assignee_id": t.assignee, "old_assignee_id": None,
                }, worker))  # fmt: skip
            continue
        data = {"comment": "", "ticket_id": t.id, "new_status": _BECOMES[step], "old_status": status}
        by = t.requester if step in ("submitted", "closed") else worker
        log.append((at, f"ticket.{step}", {**data, "ticket_version": version}, by))
        status = _BECOMES[step]
    for k, (author, _, is_inner, at) in enumerate(t.said):
        data = {"ticket_id": t.id, "comment_id": facts.comment + t.n * COMMENTS + k, "mentioned_ids": []}
        told = {"speaks_for": "team" if author == t.assignee else "requester"}
        visibility = "INTERNAL" if is_inner else "PUBLIC"
        log.append((at, "comment.created", {**data, **told, "visibility": visibility}, author))
    while len(log) < EVENTS:
        change = {"due_date": [None, (t.created + timedelta(days=len(log))).isoformat()]}
        data = {"ticket_id": t.id, "ticket_version": version, "changes": change, "was_draft": False}
        log.append((t.created, "ticket.updated", {**data, "restarts_approval": False}, t.requester))
    for at, kind, data, actor in sorted(log, key=lambda one: one[0]):
        lines.add("events", TXID, kind, 1, "ticket", t.id, _json(data), actor, "web", at)
    read = None if t.n > facts.total * 0.97 else t.said[0][3]
    lines.add(
        "notifications",
        *(
            t.requester,
            facts.event + t.n,
            "COMMENT",
            f"{t.number} {t.text.title}",
            "A new comment",
            t.id,
            f"/tickets/{t.id}",
        ),
        *(t.said[0][3], read),
    )


def _approval(lines: Lines, t: _Ticket, facts: Facts) -> None:
    if t.approver is None:
        return
    began = t.at("submitted") or t.created
    state = {"IN_REVIEW": "PENDING", "REJECTED": "REJECTED"}.get(t.status, "APPROVED")
    ended = None if state == "PENDING" else t.moments[-1][1] if state == "REJECTED" else t.at("approved")
    urgency = {"LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 4}[t.priority]
    over = "RUNNING" if state == "PENDING" else state
    subject = {
        "id": t.id,
        "title": t.text.title,
        "ticket_number": t.number,
        "ticket_type": t.kind[1],
        "priority": t.priority,
    }
    subject |= {"requester_id": t.requester, "department_id": t.department, "created_at": t.created.isoformat()}
    lines.add(
        "approval_workflows",
        *(facts.workflow + t.n, "Purchases by amount", "always", "ticket", t.id, _json(subject), 1, 1, over),
        *(f"{{{t.requester}}}", began, ended),
    )
    stage = "OPEN" if state == "PENDING" else state
    lines.add(
        "approval_stages", facts.stage + t.n, facts.workflow + t.n, 1, "Manager", "PARALLEL", 1, False, 2880, stage
    )
    lines.add(
        "approval_steps",
        *(facts.step + t.n, facts.workflow + t.n, facts.stage + t.n, "ticket", t.id, urgency, 1, 1, t.approver, state),
        *(began, began + timedelta(days=2), ended, t.approver if ended else None),
    )


def parts(total: int, size: int) -> Iterator[tuple[int, int]]:
    """`total` in parts of `size`."""
    return ((n, min(n + size, total)) for n in range(0, total, size))
