"""Writing rules down: what an administrator saves, in which order rules are asked, and taking one away.

A rule that calls another system tells it of requests from then on, so whoever saves one confirms by step-up that it is them.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.models import Role
from waypost.access.permissions import Permission
from waypost.approvals.named import names_of
from waypost.automation import facts, policy
from waypost.automation.errors import OrderIsOld, RuleNameTaken, RuleNotFound, TooManyRules
from waypost.automation.events import RuleChanged, RuleCreated, RuleRemoved, RulesOrdered
from waypost.automation.models import AutomationDue, AutomationRule, AutomationRuleVersion
from waypost.automation.rules import TIMED, Do, Rule, faults, host_of, read
from waypost.directory.models import Team, User
from waypost.kernel.clock import now
from waypost.kernel.conditions.tree import InvalidCondition, leaves
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.outgoing import NotAllowed, check_url
from waypost.tickets import tagging
from waypost.tickets.canned_words import faults as word_faults

Document = dict[str, Any]
MOST_RULES = 100
_LOCK = 1635087471  # rules are written one after the other: their order is one


async def check(session: AsyncSession, document: Document) -> tuple[Rule, dict[str, Any]]:
    """The rule a draft stands for, and what its custom fields mean. Raises everything that is wrong, each at its place."""
    fields = await facts.fields_of_rules(session)
    wrong = faults(document, fields)
    for n, action in enumerate(document["actions"]):
        wrong += _wrong_words(f"/actions/{n}", action)
    wrong += await _missing(session, document["actions"])
    try:
        rule = read(document, fields, id=0, version=0, name="")
    except InvalidCondition as mistake:
        raise Invalid(errors=(*wrong, *mistake.errors)) from mistake
    if wrong:
        raise Invalid(errors=tuple(wrong))
    return rule, facts.kinds_of([leaf.field for leaf in leaves(rule.condition)])


def _wrong_words(at: str, action: Document) -> list[FieldError]:
    wrong = []
    do = Do(action["do"])
    if do in (Do.COMMENT, Do.NOTIFY):
        key = "body" if do is Do.COMMENT else "message"
        found = word_faults(action[key])
        if "{{ me." in action[key] or "{{me." in action[key]:
            found.append("a rule is nobody: “me” means nothing here")
        wrong += [FieldError(f"{at}/{key}", sentence) for sentence in found]
    if do in (Do.ADD_TAGS, Do.REMOVE_TAGS):
        try:
            action["tags"] = tagging.checked(action["tags"], f"{at}/tags")
        except Invalid as refused:
            wrong += refused.errors
    if do is Do.WEBHOOK:
        try:
            check_url(action["url"])
        except NotAllowed as refused:
            wrong.append(FieldError(f"{at}/url", str(refused)))
    return wrong


async def _missing(session: AsyncSession, actions: Sequence[Document]) -> list[FieldError]:
    """What the actions name and is not there, or not in force."""
    named: dict[str, list[tuple[str, int]]] = {"person": [], "team": [], "role": []}
    for n, action in enumerate(actions):
        if action.get("user_id"):
            named["person"].append((f"/actions/{n}/user_id", action["user_id"]))
        if action.get("team_id"):
            named["team"].append((f"/actions/{n}/team_id", action["team_id"]))
        if action["do"] == Do.NOTIFY:
            for m, to in enumerate(action["to"]):
                if to["kind"] in ("PERSON", "ROLE") and to.get("id"):
                    named[to["kind"].lower()].append((f"/actions/{n}/to/{m}/id", to["id"]))
    there = {
        "person": select(User.id).where(User.is_active),
        "team": select(Team.id),
        "role": select(Role.id),
    }
    columns = {"person": User.id, "team": Team.id, "role": Role.id}
    wrong = await _workflows_missing(session, actions)
    for kind, places in named.items():
        if places:
            rows = await session.scalars(there[kind].where(columns[kind].in_({i for _, i in places})))
            known = set(rows)
            wrong += [FieldError(at, f"there is no such {kind}") for at, i in places if i not in known]
    return wrong


async def _workflows_missing(session: AsyncSession, actions: Sequence[Document]) -> list[FieldError]:
    named = [(n, a["workflow_id"]) for n, a in enumerate(actions) if a.get("workflow_id")]
    if not named:
        return []
    ids = [workflow_id for _, workflow_id in named]
    there, in_force = await names_of(session, ids), await names_of(session, ids, in_force=True)
    return [
        FieldError(f"/actions/{n}/workflow_id", "is not in force" if i in there else "there is no such workflow")
        for n, i in named
        if i not in in_force
    ]


async def broken(session: AsyncSession, actions: Sequence[Document]) -> list[str]:
    """What a kept rule names and is not there any more, in words."""
    return [f"{e.pointer.split('/')[-1].removesuffix('_id')}: {e.message}" for e in await _missing(session, actions)]


async def create(
    session: AsyncSession, actor: Actor, *, name: str, is_active: bool, document: Document
) -> AutomationRule:
    """Write a rule, behind the others.

    Raises `MoreThanYours`, `StepUpNeeded`, `Invalid`, `RuleNameTaken`, `TooManyRules`.
    """
    actor.require(Permission.AUTOMATION_CONFIGURE)
    policy.check_may_save(actor, document["actions"])
    await _prove(session, actor, document)
    rule, kinds = await check(session, document)
    await _alone(session)
    await _check_name(session, name, None)
    count, last = (
        await session.execute(select(func.count(), func.coalesce(func.max(AutomationRule.position), 0)))
    ).one()
    if count >= MOST_RULES:
        raise TooManyRules
    at = now()
    row = AutomationRule(
        name=name,
        position=last + 1,
        is_active=is_active,
        document=document,
        field_kinds=kinds,
        reaches_confidential=policy.reaches_confidential(actor),
        secret=secrets.token_urlsafe(32),
        version=1,
        author_id=actor.user_id,
        since=at,
        planned_to=_to_plan(rule, is_active),
        created_at=at,
        updated_at=at,
    )
    session.add(row)
    await session.flush()
    await _keep(session, actor, row)
    created = RuleCreated(rule_id=row.id, name=name, after=_told(row))
    await record(session, created, actor=actor, at=at)
    return row


async def change(
    session: AsyncSession,
    actor: Actor,
    rule_id: int,
    *,
    version: int,
    name: str,
    is_active: bool,
    document: Document,
) -> AutomationRule:
    """Change a rule, or switch it.

    Raises `RuleNotFound`, `MoreThanYours`, `StepUpNeeded`, `Invalid`, `RuleNameTaken`, `StaleVersion`.

    To switch one off is anybody's who configures rules, whatever it may do.
    """
    actor.require(Permission.AUTOMATION_CONFIGURE)
    await find(session, rule_id)
    await _alone(session)
    row = await _locked(session, rule_id)
    is_same = (name, document) == (row.name, row.document)
    kinds, rule = row.field_kinds, None
    if not is_same or is_active:
        policy.check_may_save(actor, document["actions"])
        await _prove(session, actor, document)
        rule, kinds = await check(session, document)
    await _check_name(session, name, rule_id)
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    if is_same and is_active == row.is_active:
        return row
    before, was = _told(row), (row.is_active, row.document["trigger"])
    at = now()
    row.name, row.is_active, row.document, row.field_kinds = name, is_active, document, kinds
    row.author_id, row.updated_at, row.alarmed_at = actor.user_id, at, None
    row.version += 1
    if rule is not None:
        row.reaches_confidential = policy.reaches_confidential(actor)
    if was != (is_active, document["trigger"]):
        # what it counted is counted anew: moments before now are not its business
        await session.execute(delete(AutomationDue).where(AutomationDue.rule_id == row.id))
        row.since, row.planned_to = at, _to_plan(rule, is_active)
    await session.flush()
    await _keep(session, actor, row)
    after = _told(row)
    parts = [part for part in after if before[part] != after[part]]
    changed = RuleChanged(
        rule_id=row.id,
        name=row.name,
        rule_version=row.version,
        before={p: before[p] for p in parts},
        after={p: after[p] for p in parts},
    )
    await record(session, changed, actor=actor, at=at)
    return row


async def new_secret(session: AsyncSession, actor: Actor, rule_id: int) -> str:
    """A new secret by which a rule signs its calls; from now on it is the only one.

    Raises `RuleNotFound`, `MoreThanYours`, `StepUpNeeded`.
    """
    actor.require(Permission.AUTOMATION_CONFIGURE)
    row = await _locked(session, rule_id)
    policy.check_may_save(actor, row.document["actions"])
    await step_up.require(session, actor)
    row.secret = secrets.token_urlsafe(32)
    await session.flush()
    changed = RuleChanged(
        rule_id=row.id,
        name=row.name,
        rule_version=row.version,
        before={"secret": "(set)"},
        after={"secret": "(another)"},
    )
    await record(session, changed, actor=actor)
    return row.secret


async def order(session: AsyncSession, actor: Actor, rule_ids: Sequence[int]) -> None:
    """Ask the rules in this order from now on. Raises `OrderIsOld` when it is not all of them."""
    actor.require(Permission.AUTOMATION_CONFIGURE)
    await _alone(session)
    in_order = select(AutomationRule.id, AutomationRule.name).order_by(AutomationRule.position, AutomationRule.id)
    names = {row.id: row.name for row in await session.execute(in_order)}
    if sorted(names) != sorted(rule_ids):
        raise OrderIsOld
    if list(names) == list(rule_ids):
        return
    for n, rule_id in enumerate(rule_ids):
        await session.execute(
            update(AutomationRule)
            .where(AutomationRule.id == rule_id)
            .values(position=n + 1)
            .execution_options(synchronize_session=False)
        )
    ordered = RulesOrdered(before=list(names.values()), after=[names[i] for i in rule_ids])
    await record(session, ordered, actor=actor)


async def remove(session: AsyncSession, actor: Actor, rule_id: int) -> None:
    """Take a rule away; what it did stays in its log. Raises `RuleNotFound`."""
    actor.require(Permission.AUTOMATION_CONFIGURE)
    row = await _locked(session, rule_id)
    removed = RuleRemoved(rule_id=row.id, name=row.name, before=_told(row))
    await session.delete(row)
    await session.flush()
    await record(session, removed, actor=actor)


async def _prove(session: AsyncSession, actor: Actor, document: Document) -> None:
    """Raises `StepUpNeeded` for a rule that calls another system, unless its writer has just shown that it is them."""
    if any(action["do"] == Do.WEBHOOK for action in document["actions"]):
        await step_up.require(session, actor)


async def find(session: AsyncSession, rule_id: int) -> AutomationRule:
    """A rule. Raises `RuleNotFound`."""
    row = await session.get(AutomationRule, rule_id)
    if row is None:
        raise RuleNotFound
    return row


async def _locked(session: AsyncSession, rule_id: int) -> AutomationRule:
    row = await session.get(AutomationRule, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise RuleNotFound
    return row


async def _alone(session: AsyncSession) -> None:
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def _check_name(session: AsyncSession, name: str, own_id: int | None) -> None:
    same = await session.scalar(select(AutomationRule.id).where(AutomationRule.name == name))
    if same is not None and same != own_id:
        raise RuleNameTaken(errors=(FieldError("/name", "is taken already"),))


def _to_plan(rule: Rule | None, is_active: bool) -> int | None:
    return 0 if rule is not None and is_active and rule.trigger.on in TIMED else None


async def _keep(session: AsyncSession, actor: Actor, row: AutomationRule) -> None:
    session.add(
        AutomationRuleVersion(
            rule_id=row.id,
            version=row.version,
            name=row.name,
            is_active=row.is_active,
            document=without_tokens(row.document),
            changed_by_id=actor.user_id,
            changed_at=row.updated_at,
        )
    )
    await session.flush()


def without_tokens(document: Document) -> Document:
    """A rule as its versions and the trail keep it: of an address only the host, since tokens stand behind it."""
    actions = [a | {"url": host_of(a["url"])} if a["do"] == Do.WEBHOOK else a for a in document["actions"]]
    return {**document, "actions": actions}


def _told(row: AutomationRule) -> dict[str, Any]:
    """A rule as the trail tells it."""
    return {"name": row.name, "is_active": row.is_active, **without_tokens(row.document)}
