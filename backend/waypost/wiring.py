"""Who hears of what: the one file that knows both sides.

`HANDLERS` run in the transaction that records the event, in this order. `CONSUMERS` run afterwards through the relay;
`SUBSCRIPTIONS` says which events each gets. `TASKS` are what the worker can be asked to do and `SCHEDULE` says when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from waypost.access.service import forget_old_sessions
from waypost.approvals import events as approvals
from waypost.kernel import relay
from waypost.kernel.db import Database
from waypost.kernel.events import Event, Wiring
from waypost.kernel.idempotency import forget_old_keys
from waypost.notifications import sending
from waypost.notifications import service as notifications
from waypost.tickets import events as tickets
from waypost.tickets import reviewing

Task = Callable[[Database], Awaitable[object]]
