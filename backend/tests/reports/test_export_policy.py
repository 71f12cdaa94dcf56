"""Who may be sent what: a report that is shared with them, a dashboard that is made for who they are."""

from __future__ import annotations

from typing import Any

import pytest

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.reports import export_policy
from waypost.reports.dashboards import Kind
from waypost.reports.export_models import ReportExport
from waypost.reports.saved_models import SavedReport
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import BoardSource

P = Permission


def actor(user_id: int = 1, roles: tuple[str, ...] = (), teams: frozenset[int] = frozenset(), **scopes: Scope) -> Actor:
    """Somebody with these permissions and no others."""
    permissions = {P[name]: scope for name, scope in scopes.items()}
    return Actor(user_id, "somebody", None, permissions, team_ids=teams, report_ids=frozenset({9}), roles=roles)


def report(**shared: Any) -> SavedReport:
    """A report of person 7."""
    return SavedReport(owner_id=7, **{"person_ids": [], "team_ids": [], "roles": [], **shared})


@pytest.mark.parametrize(
    ("person", "shared", "may"),
    [
        (actor(7), {}, True),
        (actor(1), {}, False),
        (actor(1), {"person_ids": [2, 1]}, True),
        (actor(1), {"person_ids": [2]}, False),
        (actor(1, teams=frozenset({4})), {"team_ids": [3, 4]}, True),
        (actor(1, teams=frozenset({5})), {"team_ids": [3, 4]}, False),
        (actor(1, roles=("agent",)), {"roles": ["agent"]}, True),
        (actor(1, roles=("employee",)), {"roles": ["agent"]}, False),
    ],
)
def test_a_report_goes_to_those_it_is_shared_with_who_may_read_reports(
    person: Actor, shared: dict[str, Any], may: bool
) -> None:
    assert not export_policy.may_get(person, report(**shared)), "without the permission nobody, its owner neither"
    person.permissions[P.REPORTS_READ] = Scope.OWN
    assert export_policy.may_get(person, report(**shared)) is may


def test_a_dashboard_goes_to_those_it_is_made_for() -> None:
    """By how far reports and tickets reach, the nearer of both; a team's needs a team and its work."""

    def kinds(**more: Any) -> set[Kind]:
        return {kind for kind in Kind if export_policy.may_get(actor(**more), BoardSource(kind, 30))}

    own, team, line, everything = Scope.OWN, Scope.TEAM, Scope.LINE, Scope.ALL
    assert kinds() == set()
    assert kinds(REPORTS_READ=everything) == kinds(TICKETS_READ=everything) == set()
    assert kinds(REPORTS_READ=own, TICKETS_READ=everything) == {Kind.EMPLOYEE}
    assert kinds(REPORTS_READ=everything, TICKETS_READ=line) == {Kind.EMPLOYEE, Kind.MANAGER}
    assert kinds(REPORTS_READ=everything, TICKETS_READ=everything) == {Kind.EMPLOYEE, Kind.EXECUTIVE}
    works = {"TICKETS_WORK": team, "REPORTS_READ": team, "TICKETS_READ": team}
    assert kinds(**works) == {Kind.EMPLOYEE, Kind.MANAGER}, "somebody reports to them"
    assert kinds(**works, teams=frozenset({4})) == {Kind.EMPLOYEE, Kind.MANAGER, Kind.AGENT}


def test_exports_and_schedules_are_theirs_and_administrators_of_views() -> None:
    one, other, admin = actor(1), actor(2), actor(3, VIEWS_CONFIGURE=Scope.ALL)
    assert [export_policy.may_cancel(a, ReportExport(asked_by_id=1)) for a in (one, other, admin)] == [
        True,
        False,
        True,
    ]
    schedule = ExportSchedule(owner_id=1)
    assert [export_policy.may_see_schedule(a, schedule) for a in (one, other, admin)] == [True, False, True]
    assert [export_policy.may_see_all(a) for a in (one, other, admin)] == [False, False, True]
