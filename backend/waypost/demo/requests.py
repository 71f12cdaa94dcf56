"""What people of the demo company asked for lately, oldest first: enough to see lists, queues and numbers that live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

End = Literal["draft", "review", "asked", "approved", "working", "completed", "closed", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `ago` days before the loading it was written; `hours` after approval its work was done.

    `talk` are comments: (who, words), in order; a name with a trailing `*` writes to the team only. `due` counts days
    from the writing.
    """

    ago: float
    who: str
    type: str
    title: str
    words: str
    end: End
    amount: str | None = None
    priority: str = "MEDIUM"
    fields: dict[str, Any] = field(default_factory=dict)
    due: float | None = None
    hours: float = 6
    talk: tuple[tuple[str, str], ...] = ()


def _it(ago: float, who: str, title: str, words: str, end: End = "closed", **more: Any) -> Request:
    return Request(ago, who, "IT_SUPPORT", title, words, end, **more)


def _hardware(ago: float, who: str, title: str, why: str, amount: str, end: End = "closed", **more: Any) -> Request:
    fields = {"budget_code": more.pop("budget", "MKT-2026-01"), "justification": why}
    return Request(ago, who, "IT_HARDWARE", title, more.pop("words", ""), end, amount, fields=fields, **more)


def _money(ago: float, who: str, title: str, purpose: str, amount: str, end: End = "closed", **more: Any) -> Request:
    fields = {"cost_center": more.pop("centre", "MKT-CONTENT"), "purpose": purpose}
    if vendor := more.pop("vendor", ""):
        fields["vendor"] = vendor
    return Request(ago, who, "FINANCE", title, more.pop("words", ""), end, amount, fields=fields, **more)


def _hr(ago: float, who: str, title: str, topic: str, details: str, end: End = "closed", **more: Any) -> Request:
    return Request(ago, who, "HR", title, "", end, fields={"topic": topic, "details": details}, **more)


def _room(ago: float, who: str, title: str, words: str, where: str, end: End = "closed", **more: Any) -> Request:
    return Request(ago, who, "FACILITY", title, words, end, fields={"location": where}, **more)


REQUESTS: tuple[Request, ...] = (
    _hardware(58, "employee", "Docking station", "Desk sharing", "210.00", due=6, hours=50),
    _it(55, "colleague", "Password reset for the travel portal", "Locked after my holiday.", hours=1, due=1),
    _money(52, "manager", "Agency retainer, third quarter", "Creative work", "4800.00", vendor="Studio Blau", hours=70),
    _room(50, "outsider", "Light in stairwell B flickers", "Third floor.", "Building B, stairwell", hours=28, due=3),
    _it(47, "finance2", "Spreadsheet add-in is missing", "After the update.", hours=4, due=2, priority="HIGH"),
    _hr(44, "colleague", "Parental leave dates", "Leave", "From 1 March, three months", hours=30),
    _hardware(41, "finance3", "Second screen", "Reconciliation side by side", "310.00", budget="FIN-2026-02", hours=90),
    _it(38, "employee", "Shared drive is read-only", "Campaign folder.", hours=3, due=1, priority="HIGH"),
    _money(36, "employee", "Stock photos", "Autumn landing page", "260.00", hours=20, vendor="Bildwerk"),
    _it(33, "outsider", "Badge does not open gate B", "Since Monday.", hours=8, due=1),
    _hardware(31, "head", "Phone", "Screen broken", "640.00", budget="MKT-2026-02", hours=60, due=7),
    _room(29, "employee", "Whiteboard for room Bergen", "The old one stains.", "Building A, room Bergen", hours=100),
    _it(27, "manager", "Mailing list for the launch", "Press and partners.", hours=5, due=4),
    _hr(26, "employee", "Salary statement in English", "Certificate", "For the landlord", hours=12),
    _money(24, "colleague", "Trade fair tickets", "Team of four", "920.00", hours=16, centre="MKT-FAIR"),
    _it(22, "finance1", "Two-step sign-in on a new phone", "", hours=2, due=1, priority="HIGH"),
    _hardware(20, "colleague", "Drawing tablet", "Sketches", "1190.00", "rejected", words="For storyboards."),
    _it(18, "employee", "Printer on floor 2 out of toner", "", hours=26, due=1),
    _it(17, "agent2", "Wireless slow in the canteen", "Noon to one.", hours=44, due=1.5),
    _room(15, "manager", "Desk for a new colleague", "Starts next month.", "Building A, 3.14", hours=72, due=10),
    _money(13, "employee", "Courier for samples", "Agency shoot", "85.40", hours=9, vendor="Stadtbote"),
    _hardware(12, "employee", "Headphones", "Open-plan office", "120.00", "withdrawn"),
    _it(11, "colleague", "Colour profile lost after update", "Prints too dark.", hours=14, due=2),
    _hr(9, "finance2", "Change of address", "Other", "Moved on the first", hours=3),
    _it(8, "outsider", "Ticket app on the work phone", "", hours=6, due=3),
    _room(7, "colleague", "Meeting room booking panel", "Room Oslo.", "Building A, room Oslo", "rejected"),
    _it(
        6,
        "manager",
        "Shared mailbox for press enquiries",
        "Access for the whole team.",
        "completed",
        priority="LOW",
        fields={"impact": "My team"},
        due=5,
        hours=30,
    ),
    _money(5, "finance3", "Audit software licence", "Yearly", "2400.00", "completed", centre="FIN-OPS", hours=22),
    _hardware(4, "outsider", "Rugged tablet", "Rounds in the plant", "780.00", "working", budget="FAC-2026", due=9),
    _room(
        3,
        "outsider",
        "Replace ceiling lamps in the workshop",
        "Two of six are broken.",
        "Building B, workshop",
        "approved",
        due=9,
    ),
    _it(
        2.2,
        "outsider",
        "New badge reader shows offline",
        "Gate B.",
        "working",
        priority="HIGH",
        fields={"device": "GATE-B", "impact": "Everybody"},
        due=3,
        talk=(
            ("agent", "I can see it in the network; the reader answers, the door server does not."),
            ("agent*", "Same firmware as gate A last month. Rolling back tonight after the shift."),
        ),
    ),
    _it(
        1.4,
        "colleague",
        "VPN drops every hour",
        "Since the last update.",
        "working",
        priority="HIGH",
        fields={"device": "LT-2207", "impact": "Only me"},
        due=2,
        talk=(
            ("agent", "Could you tell me the version under **Help → About**?"),
            ("colleague", "It says 5.2.1. At home and in the office alike."),
        ),
    ),
    _money(
        1.3,
        "colleague",
        "Trade fair stand deposit",
        "Stand deposit, spring fair",
        "7800.00",
        "review",
        words="Deposit for the spring fair, due this week.",
        priority="HIGH",
        centre="MKT-FAIR",
        vendor="Messe Nord",
        due=4,
    ),
    _hardware(
        1.2,
        "employee",
        "Laptop for the autumn campaign",
        "Video editing for the campaign",
        "1450.00",
        "review",
        words="The current one is five years old; video export takes hours.",
        priority="HIGH",
        budget="MKT-2026-04",
        due=7,
        talk=(
            ("manager", "Fine with me; the export times do hold the whole team up."),
            ("employee", "Thank you. The quote from the framework supplier is valid until Friday."),
        ),
    ),
    _it(
        0.9,
        "employee",
        "Cannot print on floor 3",
        "The queue shows an error since this morning.",
        "approved",
        fields={"device": "PRN-3-02", "impact": "My team"},
        due=2,
    ),
    _hardware(
        0.8,
        "colleague",
        "Headset with noise cancelling",
        "Calls with agencies",
        "180.00",
        "review",
        words="Open-plan office, many calls.",
        priority="LOW",
    ),
    _money(
        0.7, "employee", "Photo shoot reimbursement", "Product photos", "240.50", "review", words="Travel and props."
    ),
    _hardware(
        0.5,
        "employee",
        "Second monitor",
        "Layout work side by side",
        "320.00",
        "review",
        words="27 inch, for layout work.",
        due=14,
    ),
    _hr(
        0.3,
        "employee",
        "Certificate of employment",
        "Certificate",
        "In English, for the bank",
        "review",
        priority="LOW",
    ),
    _money(
        0.25,
        "employee",
        "Translation of the brochure",
        "Four languages",
        "610.00",
        "asked",
        words="Spring brochure, 24 pages.",
    ),
    _it(0.1, "employee", "Licence for the design program", "", "draft"),
)
