"""What a rule may be given by whom: each action asks of its author what it would ask of a person, for all tickets."""

from __future__ import annotations

from typing import Any

import pytest

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.automation.errors import MoreThanYours
from waypost.automation.policy import NEEDED, check_may_save, lacking, reaches_confidential
from waypost.automation.rules import Do
from waypost.kernel.errors import FieldError

P = Permission


def actor(**scopes: Scope) -> Actor:
    """Somebody with these permissions and no others."""
    return Actor(1, "somebody", None, {P[name]: scope for name, scope in scopes.items()})


def action(do: Do, **more: Any) -> dict[str, Any]:
    return {"do": do.value, **({"visibility": "PUBLIC"} if do is Do.COMMENT else {}), **more}


def everything(do: Do) -> dict[str, Scope]:
    return {p.name: Scope.ALL for p in NEEDED[do]}


def test_every_action_asks_for_something() -> None:
    assert set(NEEDED) == set(Do)
    assert all(NEEDED.values())


@pytest.mark.parametrize("do", list(Do))
def test_who_may_do_it_for_all_tickets_may_give_it_to_a_rule(do: Do) -> None:
    check_may_save(actor(**everything(do)), [action(do)])
    for name in everything(do):
        for less in (Scope.TEAM, None):
            scopes = {k: v for k, v in {**everything(do), name: less}.items() if v is not None}
            wrong = lacking(actor(**scopes), [action(Do.ADD_TAGS), action(do)])
            assert wrong[-1].pointer == "/actions/1"
            assert P[name].value in wrong[-1].message
            with pytest.raises(MoreThanYours) as refused:
                check_may_save(actor(**scopes), [action(do)])
            assert [e.pointer for e in refused.value.errors] == ["/actions/0"]


def test_an_internal_comment_asks_for_internal_words() -> None:
    inner = action(Do.COMMENT, visibility="INTERNAL")
    assert lacking(actor(TICKETS_COMMENT=Scope.ALL), [inner]) == [
        FieldError("/actions/0", "needs tickets:comment_internal for all tickets, which you do not have")
    ]
    assert lacking(actor(TICKETS_COMMENT_INTERNAL=Scope.ALL), [inner]) == []
    assert lacking(actor(TICKETS_COMMENT=Scope.ALL), [action(Do.COMMENT)]) == []


def test_several_missing_are_named_together() -> None:
    assert lacking(actor(), [action(Do.WEBHOOK)]) == [
        FieldError("/actions/0", "needs tickets:read and tokens:configure for all tickets, which you do not have")
    ]


def test_confidential_requests_are_reached_by_who_reads_them_all() -> None:
    assert reaches_confidential(actor(TICKETS_READ_CONFIDENTIAL=Scope.ALL))
    assert not reaches_confidential(actor(TICKETS_READ_CONFIDENTIAL=Scope.TEAM))
    assert not reaches_confidential(actor())
