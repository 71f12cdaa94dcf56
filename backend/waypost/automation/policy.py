"""What a rule may be given by whom.

A rule runs as Waypost itself and reaches every ticket. So whoever saves one must have, for all tickets, each permission
its actions would ask of a person; to let it look at confidential requests they must read those themselves. What is checked
is who saves, when they save: a rule goes on when its author moves on, and its author stands with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.automation.errors import MoreThanYours
from waypost.automation.rules import Do
from waypost.kernel.errors import FieldError

P = Permission
NEEDED: dict[Do, tuple[Permission, ...]] = {
    Do.ASSIGN: (P.TICKETS_ASSIGN,),
    Do.SET_PRIORITY: (P.TICKETS_WORK,),
    Do.SET_DUE: (P.TICKETS_WORK,),
    Do.ADD_TAGS: (P.TICKETS_WORK,),
    Do.REMOVE_TAGS: (P.TICKETS_WORK,),
    Do.SET_FIELD: (P.TICKETS_WORK, P.TICKETS_UPDATE),
    Do.TRANSITION: (P.TICKETS_WORK,),
    Do.COMMENT: (P.TICKETS_COMMENT,),
    Do.NOTIFY: (P.TICKETS_READ,),
    Do.ESCALATE: (P.TICKETS_WORK,),
    Do.WEBHOOK: (P.TICKETS_READ, P.TOKENS_CONFIGURE),
    Do.START_APPROVAL: (P.APPROVALS_CONFIGURE,),  # by which workflow a request is judged is theirs to say
}


def lacking(actor: Actor, actions: Sequence[dict[str, Any]]) -> list[FieldError]:
    """The actions this person may not give a rule, each with the permission that is missing."""
    wrong = []
    for n, action in enumerate(actions):
        needed = NEEDED[Do(action["do"])]
        if action["do"] == Do.COMMENT and action["visibility"] == "INTERNAL":
            needed = (P.TICKETS_COMMENT_INTERNAL,)
        missing = [p.value for p in needed if actor.scope(p) is not Scope.ALL]
        if missing:
            words = " and ".join(missing)
            wrong.append(FieldError(f"/actions/{n}", f"needs {words} for all tickets, which you do not have"))
    return wrong


def check_may_save(actor: Actor, actions: Sequence[dict[str, Any]]) -> None:
    """Raises `MoreThanYours`, naming the actions."""
    if wrong := lacking(actor, actions):
        raise MoreThanYours(errors=tuple(wrong))


def reaches_confidential(actor: Actor) -> bool:
    """Whether what they save looks at confidential requests."""
    return actor.scope(P.TICKETS_READ_CONFIDENTIAL) is Scope.ALL
