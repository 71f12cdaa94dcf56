"""What people are told about automation rules."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Kind, NotFound, Refusal


class RuleNotFound(NotFound):
    """There is no such rule."""

    code = "automation_rule_not_found"


class TooManyRules(Conflict):
    """There are as many rules as there can be. Remove one first."""

    code = "too_many_rules"


class RuleNameTaken(Conflict):
    """Another rule has this name."""

    code = "automation_name_taken"


class MoreThanYours(Forbidden):
    """A rule may do no more than whoever saves it."""

    code = "more_than_yours"


class OrderIsOld(Refusal):
    """Rules have come or gone since you read the list. Read it again and order it anew."""

    code, kind, title = "order_is_old", Kind.CONFLICT, "Changed in the meantime"


class TrialRunning(Conflict):
    """Another dry run is going on. Please try again in a moment."""

    code = "trial_running"


class NotNow(Conflict):
    """This is not possible for the ticket as it is."""

    code = "not_now"
