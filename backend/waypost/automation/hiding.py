"""An answer became sensitive: what rules wrote down of it goes."""

from __future__ import annotations

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.automation.models import AutomationCall, AutomationDue, AutomationRuleVersion, AutomationRun
from waypost.automation.rules import OF_DATES, without
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.events import Doer
from waypost.tickets.events import SensitiveAnswersSealed

_OF_DATES = sorted(on.value for on in OF_DATES)
_HIDDEN = "hidden:"


async def on_answers_sealed(session: AsyncSession, event: SensitiveAnswersSealed, actor: Doer) -> None:
    """Take the answers, and the moments counted from them, out of what rules did, wait for and call."""
    if not event.sealed:
        return
    fields = {f"{CUSTOM}{key}" for key in event.sealed}
    of_ticket = AutomationRun.ticket_id == event.ticket_id
    for run in await session.scalars(select(AutomationRun).where(of_ticket).with_for_update()):
        if (told := without(run.why, fields, event.titles)) != run.why:
            run.why = told
    await session.flush()
    await _forget_moments(session, event.ticket_id, fields)


async def _forget_moments(session: AsyncSession, ticket_id: int, fields: set[str]) -> None:
    """What is counted from a date that is hidden now: what is due, and by which moment a rule was asked."""
    run, version, call = AutomationRun, AutomationRuleVersion, AutomationCall
    is_beside = version.document["trigger"]["date_field"].astext.in_(sorted(fields))
    rules = select(version.rule_id).where(is_beside)
    due = delete(AutomationDue).where(AutomationDue.ticket_id == ticket_id, AutomationDue.rule_id.in_(rules))
    await session.execute(due)
    asked = (version.rule_id == run.rule_id, version.version == run.rule_version)
    # of a rule that is gone nobody knows beside which date it stood
    told = or_(exists().where(*asked, is_beside), ~exists().where(*asked))
    runs = update(run).where(run.ticket_id == ticket_id, run.trigger.in_(_OF_DATES), told)
    await session.execute(runs.values(cause=func.concat(_HIDDEN, run.id)))
    calls = update(call).where(call.ticket_id == ticket_id, call.rule_id.in_(rules))
    calls = calls.where(or_(*(call.body["cause"].astext.startswith(f"time:{on}:") for on in _OF_DATES)))
    await session.execute(calls.values(body=call.body.op("||")(func.jsonb_build_object("cause", _HIDDEN))))
