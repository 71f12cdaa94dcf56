"""Refusals of the directory."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound


class PersonNotFound(NotFound):
    """There is no such person."""

    code = "person_not_found"


class DepartmentNotFound(NotFound):
    """There is no such department."""

    code = "department_not_found"


class TeamNotFound(NotFound):
    """There is no such team."""

    code = "team_not_found"


class NameTaken(Conflict):
    """This name or address is taken already."""

    code = "name_taken"


class ManagerCircle(Conflict):
    """That would make this person their own manager, directly or through others."""

    code = "manager_circle"


class DepartmentCircle(Conflict):
    """That would put a department below itself."""

    code = "department_circle"


class DepartmentInUse(Conflict):
    """There are people, departments or requests in it: say where they go."""

    code = "department_in_use"


class TeamInUse(Conflict):
    """It has work, or something gives it work: say which team takes it."""

    code = "team_in_use"


class WasErased(Conflict):
    """What was known of this person was erased."""

    code = "was_erased"


class NotAMember(NotFound):
    """This person is not in this team."""

    code = "not_a_member"


class AbsenceNotFound(NotFound):
    """There is no such absence, or it is not yours to see."""

    code = "absence_not_found"


class AbsenceOverlaps(Conflict):
    """There is an absence in this time already."""

    code = "absence_overlaps"
