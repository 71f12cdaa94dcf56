"""A ticket's history, read from the event log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.factors import PASSKEY, TOTP
from waypost.access.step_up import PASSWORD
from waypost.approvals.events import BY_LINK
from waypost.approvals.signature_queries import signed_events
from waypost.catalog.answers import differing, ids_named, with_names
from waypost.catalog.kinds import FieldKind
from waypost.catalog.sensitive import HIDDEN_TEXT
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import BY_RULES, EventRow, log_columns
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.tickets import policy
from waypost.tickets.linking import seen_numbers
from waypost.tickets.models import Ticket
from waypost.tickets.queries import find_ticket

# What each line says after the actor's name.
_WORDS = {
    "ticket.created": "wrote the request {ticket_number}",
    "ticket.updated": "changed {fields}",
    "ticket.sensitive_answers_sealed": "kept the answers to sensitive fields as the form says now",
    "ticket.submitted": "submitted the request",
    "ticket.review_started": "asked the approvers",
    "ticket.approved": "approved the request",
    "ticket.rejected": "rejected the request",
    "ticket.info_requested": "asked for more information",
    "ticket.info_provided": "answered the question",
    "ticket.work_started": "started to work on it",
    "ticket.completed": "completed the work",
    "ticket.due_soon": "said that its due date comes near",
    "ticket.overdue": "said that it is late",
    "sla.warned": "said that {percent}% of the time for {target} are over",
    "sla.breached": "said that the time for {target} is over",
    "ticket.reopened": "re-opened it",
    "ticket.closed": "closed it",
    "ticket.withdrawn": "withdrew the request",
    "ticket.assigned": "assigned it to {assignee}",
    "ticket.watched": "added {person} to those who watch it",
    "ticket.unwatched": "took {person} off those who watch it",
    "ticket.told_by_rule": "told {told}",
    "ticket.left_in_queue": "left it in the team's queue: the rule “{rule}” found nobody, because {reason}",
    "ticket.merged": "merged it into {other}",
    "ticket.absorbed": "merged {other} into it",
    "ticket.split": "made a request of its own of a part of it: {other}",
    "ticket.linked": "linked it: {link} {other}",
    "ticket.unlinked": "took a link away: {link} {other}",
    "checklist.added": "put on the checklist: {text}",
    "checklist.ticked": "ticked off: {text}",
    "checklist.changed": "changed on the checklist: {text}",
    "checklist.removed": "took off the checklist: {text}",
    "comment.created": "commented",
    "comment.edited": "changed a comment",
    "comment.removed": "removed a comment",
    "attachment.added": "added the file {filename}",
    "attachment.removed": "took away the file {filename}",
    "attachment.scan_asked": "let the scanner look at the file {filename} once more",
    "attachment.scanned": "scanned the file {filename}: {result}",
    "approval.started": "started the approval “{workflow_name}”",
    "approval.requested": "asked {approver} to decide",
    "approval.approved": "approved a step",
    "approval.rejected": "rejected a step",
    "approval.signed": "signed {deed} with ",
    "approval.delegated": "handed the decision to {approver}",
    "approval.escalated": "escalated the decision to {approver}",
    "approval.approver_added": "had one more person decide: {approver}",
    "approval.rerouted": "asked {approver} instead of {former}, who cannot decide any more",
    "approval.reminded": "reminded {approver} to decide",
    "approval.reopened": "asked “{stage_name}” again, because {reason}",
    "approval.dropped": "made “{stage_name}” unnecessary, because {reason}",
    "approval.overridden": "overrode the approvers",
    "approval.glass_broken": "broke the glass: approved it without being asked",
    "approval.review_reminded": "reminded the reviewers to look at the broken glass",
    "approval.review_climbed": "told the administrators that nobody has reviewed the broken glass",
    "approval.review_confirmed": "reviewed the broken glass and found it right",
    "approval.review_objected": "reviewed the broken glass and objected",
    "approval.cancelled": "cancelled the approval: {reason}",
    "approval.decided": "ended the approval: {status}",
}

# Of a link to a ticket that is not to be seen, not even that there is one.
_LINKING = ("ticket.linked", "ticket.unlinked")

# The ticket's own event follows at once and says the same.
# Who saw it when stands in the proof of each rung.
_SAID_ELSEWHERE = (
    "approval.decided",
    "approval.info_requested",
    "approval.info_answered",
    "approval.seen",
    "ticket.read",
    "ticket.sensitive_answers_read",
)


async def ticket_history(
    session: AsyncSession, actor: Actor, ticket_id: int, *, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What happened to a ticket, oldest first: `{items, next_cursor}`. Internal words only for those who may read them."""
    found = await find_ticket(session, actor, ticket_id)
    statement = (
        select(*log_columns)
        .where(EventRow.object_type == "ticket", EventRow.object_id == ticket_id, EventRow.type.not_in(_SAID_ELSEWHERE))
        .order_by(EventRow.id)
        .limit(limit + 1)
    )
    if found.facts.requester_id != actor.user_id:  # what was written before it was sent is nobody else's
        statement = statement.where(EventRow.data["was_draft"].as_boolean().is_not(True))
    if not policy.may_see_internal(actor, found.facts):
        visibility = EventRow.data["visibility"].astext
        statement = statement.where(or_(visibility.is_(None), visibility != "INTERNAL"))
    other = EventRow.data["other_ticket_id"].astext.cast(BigInteger)
    seen = select(Ticket.id).where(Ticket.id == other, policy.visible_to(actor)).correlate(EventRow).exists()
    statement = statement.where(or_(EventRow.type.not_in(_LINKING), seen))
    if cursor:
        (last,) = decode_cursor(cursor, "history", int)
        statement = statement.where(EventRow.id > last)
    rows = (await session.execute(statement, policy.values(actor))).all()
    page = rows[:limit]
    filled = {r.id: _filled(found.form, r.data) for r in page if r.type == "ticket.updated"}
    said = [answer for pairs in filled.values() for pair in pairs for answer in pair if answer]
    mentioned = [i for r in page for i in (r.actor_id, r.on_behalf_of_id, *_people_in(r.data))]
    people = await names.people(session, [*mentioned, *ids_named(said, FieldKind.PERSON)])
    departments = await names.departments(session, ids_named(said, FieldKind.DEPARTMENT))
    moved = [r.data.get(k) for r in page for k in ("old_team_id", "new_team_id")]
    teams = await names.teams(session, moved)
    signed = await signed_events(session, actor, [r.id for r in page if r.type == "approval.signed"])
    numbers = await seen_numbers(session, actor, [i for r in page if (i := _other_ticket(r.data))])
    items = [
        {
            "id": r.id,
            "type": r.type,
            "at": rfc3339(r.at),
            "actor": people.get(r.actor_id),
            "on_behalf_of": people.get(r.on_behalf_of_id),
            "summary": _summary(r.type, r.data, people, r.actor_id, numbers.get(_other_ticket(r.data) or 0))
            + _confirmed(r.type, r.data, signed.get(r.id))
            + _BY.get(r.channel, "")
            + _by_rule(r.data),
            "changes": _changes(r.type, r.data, people, teams)
            + [_answered(*pair, people, departments) for pair in filled.get(r.id, ())],
            "comment": r.data.get("comment") or r.data.get("comments") or None,
            "comment_id": r.data.get("comment_id"),
            "visibility": r.data.get("visibility") or "PUBLIC",
        }
        for r in page
    ]
    following = encode_cursor("history", page[-1].id) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


_DEEDS = {
    "APPROVE": "the approval",
    "REJECT": "the rejection",
    "DELEGATE": "handing it on",
    "ADD_APPROVER": "having one more person decide",
    "OVERRIDE_APPROVE": "overriding the approvers",
    "OVERRIDE_REJECT": "overriding the approvers",
    "BREAK_GLASS": "breaking the glass",
}


def _confirmed(type_: str, data: dict[str, Any], signed: dict[str, Any] | None) -> str:
    """With what a decision was confirmed, and whether a signature is still right."""
    if type_ == "approval.signed":
        if signed is None:
            return "; WHAT WAS SIGNED IS NOT THERE ANY MORE"
        passkey = f"the passkey “{signed['passkey']}”" if signed["passkey"] else "a passkey"
        together = f", together with {signed['together'] - 1} more" if signed["together"] > 1 else ""
        verdict = "verified" if signed["is_right"] else f"NOT RIGHT: {signed['why']}"
        return f"{passkey}{together}; {verdict}"
    by = data.get("confirmed_by")
    if not by or by == PASSKEY:
        return ""
    ways = str(by).split("+")
    return f", confirmed by {'code' if TOTP in ways else 'password' if PASSWORD in ways else 'signing in'}"


def _by_rule(data: dict[str, Any]) -> str:
    """The automation rule that did it, by the name it had then."""
    rules = data.get(BY_RULES)
    return f", by the rule “{rules[-1]['name']}”" if rules else ""


BY_THE_LINK = ", by the link from the mail"
_BY = {BY_LINK: BY_THE_LINK, "email": ", by mail"}
_LABELS = {"is_confidential": "who may see it"}
_PEOPLE = ("user_id", "old_assignee_id", "new_assignee_id", "approver_id", "to_id", "from_id")


def _people_in(data: dict[str, Any]) -> list[int]:
    return [*(data[k] for k in _PEOPLE if data.get(k)), *data.get("told_ids", ())]


def _other_ticket(data: dict[str, Any]) -> int | None:
    return data.get("other_ticket_id") or data.get("into_ticket_id")


_LINKS = {
    "PARENT_OF": "it is the parent of",
    "CHILD_OF": "it is a child of",
    "DUPLICATE_OF": "it is a duplicate of",
    "DUPLICATED_BY": "its duplicate is",
    "BLOCKS": "it blocks",
    "BLOCKED_BY": "it is blocked by",
    "RELATES_TO": "it relates to",
}


def _summary(
    type_: str,
    data: dict[str, Any],
    people: dict[int | None, dict[str, Any]],
    actor_id: int | None,
    other_number: str | None = None,
) -> str:
    def name(*keys: str) -> str:
        for key in keys:
            if data.get(key) in people:
                return str(people[data[key]]["name"])
        return "nobody"

    if type_ == "ticket.approved" and data.get("by_rule"):
        return "approved by rule: nobody needs to be asked"
    if type_ in ("ticket.watched", "ticket.unwatched") and data["user_id"] == actor_id:
        return "started to watch it" if type_ == "ticket.watched" else "stopped watching it"
    if type_ == "ticket.updated" and list(data["changes"]) == ["is_confidential"]:
        return "made it confidential" if data["changes"]["is_confidential"][1] else "made it confidential no more"
    if type_ == "ticket.created" and data.get("is_confidential"):
        return f"wrote the confidential request {data['ticket_number']}"
    if type_ == "ticket.routed":
        return _routed(data)
    if type_ == "sla.attached":
        return _attached(data)
    if type_ == "sla.escalated":
        return _escalated(data)
    if type_ == "ticket.assigned" and data.get("how") in ("claimed", "released"):
        return "claimed it" if data["how"] == "claimed" else "gave it back to the team"
    pattern = _WORDS.get(type_)
    if pattern is None:
        return type_.replace(".", " ").replace("_", " ")
    facts = {
        "fields": ", ".join(_LABELS.get(f, f.replace("_", " ")) for f in data.get("changes", {})),
        "assignee": name("new_assignee_id"),
        "person": name("user_id"),
        "approver": name("to_id", "approver_id"),
        "former": name("approver_id"),
        "ticket_number": data.get("ticket_number", ""),
        "workflow_name": data.get("workflow_name", ""),
        "stage_name": data.get("stage_name", ""),
        "status": str(data.get("status", "")).lower(),
        "filename": data.get("filename", ""),
        "result": str(data.get("result", "")).lower(),
        "rule": data.get("rule", ""),
        "told": ", ".join(str(people[i]["name"]) for i in data.get("told_ids", ()) if i in people) or "nobody",
        "reason": data.get("reason", ""),
        "text": data.get("text", ""),
        "other": other_number or "another request",
        "link": _LINKS.get(str(data.get("word")), ""),
        "percent": data.get("percent", ""),
        "target": _TARGETS.get(str(data.get("metric")), ""),
        "deed": _DEEDS.get(str(data.get("decision")), "the decision"),
    }
    if type_ == "checklist.ticked" and not data["is_done"]:
        pattern = "ticked no more: {text}"
    words = pattern.format(**facts)
    if type_ == "ticket.assigned" and data.get("why"):
        words += f", {data['why']}"
    if data.get("restarts_approval"):
        words += "; the approval starts again, because what is judged has changed"
    return words


_TARGETS = {
    "FIRST_RESPONSE": "the first response",
    "NEXT_UPDATE": "the next update",
    "RESOLUTION": "its resolution",
    "OWN_TIME": "the team's own part",
}


def _attached(data: dict[str, Any]) -> str:
    """Which service level holds from now on."""
    if data["policy_id"] is None:
        return "found that no service level holds for it any more"
    words = f"put it under the service level “{data['policy_name']}”"
    return f"{words}, version {data['policy_version']}: {data['why']}" if data.get("why") else words


def _escalated(data: dict[str, Any]) -> str:
    """What a service level did because time ran short or is over, and what it could not."""
    over = "is over" if data["percent"] == 100 else f"is over to {data['percent']}%"
    words = [f"because the time for {_TARGETS[data['metric']]} {over}, {did}" for did in data["done"]]
    words += [f"would have {left}" for left in data["left_out"]]
    return "; ".join(words)


def _routed(data: dict[str, Any]) -> str:
    """Which rules held and why, and which were left out."""
    words = []
    for fired in data["fired"]:
        rule = f"the rule “{fired['rule']}” held: {fired['because']}"
        words.append(f"{rule}; {_WAYS[fired['way']]}" if fired.get("way") else rule)
    words += [f"the rule “{left['rule']}” was left out: {left['reason']}" for left in data["skipped"]]
    if not data["fired"] and (data["old_team_id"], data["old_priority"]) != (
        data["new_team_id"],
        data["new_priority"],
    ):
        words.append("what the rules had set before was taken back")
    return "routed it: " + "; ".join(words)


_WAYS = {
    "PERSON": "it goes to a person once it is approved",
    "ROUND_ROBIN": "once approved, it goes to the next in turn",
    "LEAST_LOADED": "once approved, it goes to who has the fewest open tickets",
    "NOBODY": "it waits in the team's queue",
}


def _changes(
    type_: str,
    data: dict[str, Any],
    people: dict[int | None, dict[str, Any]],
    teams: dict[int | None, dict[str, Any]],
) -> list[dict[str, Any]]:
    if type_ == "ticket.updated":
        return [{"field": f, "old": o, "new": n} for f, (o, n) in data["changes"].items() if f != "custom_fields"]
    if "new_status" in data:
        return [{"field": "status", "old": data["old_status"], "new": data["new_status"]}]
    if type_ == "ticket.assigned":
        return [_moved(data, "assignee", people), *_if_moved(data, "team", teams)]
    if type_ == "ticket.routed":
        priority = {"field": "priority", "old": data["old_priority"], "new": data["new_priority"]}
        return _if_moved(data, "team", teams) + ([priority] if priority["old"] != priority["new"] else [])
    return []


_Answer = dict[str, Any] | None


def _filled(form: dict[str, Any], data: dict[str, Any]) -> list[tuple[_Answer, _Answer]]:
    """What an edit changed in the form, field by field."""
    old, new = data["changes"].get("custom_fields", ({}, {}))
    return differing(form, old or {}, new or {})


def _answered(
    old: _Answer,
    new: _Answer,
    people: dict[int | None, dict[str, Any]],
    departments: dict[int | None, dict[str, Any]],
) -> dict[str, Any]:
    texts = [with_names([a], people, departments)[0]["text"] if a else None for a in (old, new)]
    known = new or old or {}
    if texts == [HIDDEN_TEXT, HIDDEN_TEXT]:  # one sees that it changed, and no more
        texts[1] = f"{HIDDEN_TEXT}, not the same"
    return {"field": f"custom_fields.{known['key']}", "label": known["title"], "old": texts[0], "new": texts[1]}


def _moved(data: dict[str, Any], what: str, known: dict[int | None, dict[str, Any]]) -> dict[str, Any]:
    old, new = (known.get(data[f"{when}_{what}_id"]) for when in ("old", "new"))
    return {"field": what, "old": old and old["name"], "new": new and new["name"]}


def _if_moved(data: dict[str, Any], what: str, known: dict[int | None, dict[str, Any]]) -> list[dict[str, Any]]:
    return [_moved(data, what, known)] if data[f"old_{what}_id"] != data[f"new_{what}_id"] else []
