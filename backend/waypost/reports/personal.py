"""What this room keeps about people (`kernel/personal.py`): copies of what requests and approvals say of them."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

_WHY = "counts who had to do with requests; what it says of them stands with the request"
PERSONAL = (
    Held("report_facts", "requester_id", "Requests as they are counted", Then.KEPT, _WHY),
    Held("report_facts", "created_by_id", "Requests as they are counted", Then.KEPT, _WHY),
    Held("report_facts", "assignee_id", "Requests as they are counted", Then.KEPT, _WHY),
    Held(
        "saved_reports",
        "owner_id",
        "Reports they made",
        Then.KEPT,
        "others work with them",
        shown=("name", "created_at"),
    ),
    Held("report_decisions", "approver_id", "Decisions as they are counted", Then.KEPT, _WHY),
)
