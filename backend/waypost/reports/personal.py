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
    Held(
        "report_exports",
        "asked_by_id",
        "Reports they had exported",
        Then.KEPT,
        "says who had what exported; leaves the history after 90 days",
        shown=("report_name", "kind", "formats", "created_at"),
    ),
    Held(
        "export_schedules",
        "owner_id",
        "Reports they have sent by themselves",
        Then.KEPT,
        "waits from when they leave",
        shown=("subject", "formats", "every", "at_time", "zone", "created_at"),
    ),
    Held(
        "report_export_parts",
        "user_id",
        "Exports of reports they got",
        Then.KEPT,
        "says who got what; the files are removed after 14 days",
        shown=("status", "rows", "size", "finished_at"),
    ),
    Held(
        "report_readers", "user_id", "Numbers kept for them", Then.KEPT, "made anew from requests; removed when unread"
    ),
    Held("report_decisions", "approver_id", "Decisions as they are counted", Then.KEPT, _WHY),
)
