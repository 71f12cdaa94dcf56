"""Who works at the demo company, what can be asked for there, and who must say yes: the contract's demo company."""

from __future__ import annotations

from typing import Any

PASSWORD = "demo-Passw0rd-2026"  # noqa: S105 - the contract's, for demo accounts only
ZONE = "Europe/Berlin"
# username: first name, last name, department, manager, job title, roles besides `employee`
PEOPLE: dict[str, tuple[str, str, str, str | None, str, list[str]]] = {
    "executive": (
        "Elena",
        "Fischer",
        "Executive Office",
        None,
        "Chief operating officer",
        ["executive", "manager", "department_head"],
    ),
    "head": ("Henrik", "Lindqvist", "Marketing", "executive", "Head of Marketing", ["manager", "department_head"]),
    "manager": ("Mike", "Okafor", "Marketing", "head", "Marketing manager", ["manager"]),
    "employee": ("Jane", "Doe", "Marketing", "manager", "Marketing specialist", []),
    "colleague": ("Carlos", "Reyes", "Marketing", "manager", "Marketing specialist", []),
    "finance1": (
        "Farah",
        "Haddad",
        "Finance",
        "executive",
        "Head of Finance",
        ["manager", "department_head", "finance_committee"],
    ),
    "finance2": ("Felix", "Moreau", "Finance", "finance1", "Controller", ["finance_committee"]),
    "finance3": ("Fiona", "Walsh", "Finance", "finance1", "Treasurer", ["finance_committee"]),
    "financeagent": ("Nadia", "Petrova", "Finance", "finance1", "Accounts payable", ["agent"]),
    "ithead": ("Ingrid", "Solberg", "IT", "executive", "Head of IT", ["manager", "department_head"]),
    "agent": ("Amir", "Novak", "IT", "ithead", "IT support agent", ["agent"]),
    "agent2": ("Aiko", "Tanaka", "IT", "ithead", "IT support agent", ["agent"]),
    "hragent": ("Hannah", "Berg", "HR", "executive", "HR partner", ["agent"]),
    "facilityagent": (
        "Fatou",
        "Diallo",
        "Facilities",
        "executive",
        "Facilities coordinator",
        ["agent", "department_head"],
    ),
    "outsider": ("Oscar", "Silva", "Facilities", "facilityagent", "Building technician", []),
    "auditor": ("Astrid", "Keller", "Executive Office", "executive", "Internal auditor", ["auditor"]),
    "admin": ("Ada", "Brandt", "IT", "ithead", "System administrator", ["admin"]),
}
HEADS = {
    "Executive Office": "executive",
    "Marketing": "head",
    "Finance": "finance1",
    "IT": "ithead",
    "HR": "hragent",
    "Facilities": "facilityagent",
}
HOURS = "Berlin office hours"
HOLIDAYS = {
    (1, 1): "New Year’s Day",
    (5, 1): "Labour Day",
    (10, 3): "German Unity Day",
    (12, 25): "Christmas Day",
    (12, 26): "Boxing Day",
}
# What the IT desk promises; everything else goes by the policy for all requests.
SUPPORT: dict[str, Any] = {
    "condition": {"field": "ticket_type", "op": "eq", "value": "IT_SUPPORT"},
    "targets": {
        "FIRST_RESPONSE": {
            "CRITICAL": {"amount": 15, "unit": "MINUTES"},
            "HIGH": {"amount": 1, "unit": "HOURS"},
            "MEDIUM": {"amount": 4, "unit": "HOURS"},
            "LOW": {"amount": 1, "unit": "DAYS"},
        },
        "RESOLUTION": {
            "CRITICAL": {"amount": 4, "unit": "HOURS"},
            "HIGH": {"amount": 1, "unit": "DAYS"},
            "MEDIUM": {"amount": 3, "unit": "DAYS"},
            "LOW": {"amount": 5, "unit": "DAYS"},
        },
    },
    "paused": ["PENDING_INFO"],
    "warnings": [50, 75],
    "actions": [
        {"on": "WARNING", "do": "TELL_ASSIGNEE", "percent": 75},
        {"on": "BREACH", "do": "TELL_ASSIGNEE"},
        {"on": "BREACH", "do": "TELL_LEADS"},
    ],
}
TEAMS = {
    "IT Support": ("Laptops, accounts, software, outages", ["agent", "agent2"]),
    "HR Services": ("Contracts, letters, leave, benefits", ["hragent"]),
    "Finance Operations": ("Payments, reimbursements, purchase orders", ["financeagent"]),
    "Facilities": ("Rooms, keys, furniture, repairs", ["facilityagent"]),
}
NOT_EMPLOYEES = {"auditor"}  # reads everything, changes nothing: not even a request of their own


def _text(title: str, **more: Any) -> dict[str, Any]:
    return {"x-kind": "text", "title": title, "maxLength": 200, **more}


def _area(title: str, **more: Any) -> dict[str, Any]:
    return {"x-kind": "long_text", "title": title, "maxLength": 4000, **more}


def _choice(title: str, *words: str, **more: Any) -> dict[str, Any]:
    return {"x-kind": "choice", "title": title, "enum": list(words), **more}


def _field(kind: str, title: str, **more: Any) -> dict[str, Any]:
    return {"x-kind": kind, "title": title, **more}


def _when(field: str, op: str, value: Any) -> dict[str, Any]:
    asked = {"field": field, "op": op} | ({} if value is None else {"value": value})
    return {"x-show-when": {"all": [asked]}}


def _form(*required: str, **fields: dict[str, Any]) -> dict[str, Any]:
    ordered = {key: {**schema, "x-order": n} for n, (key, schema) in enumerate(fields.items(), 1)}
    return {"type": "object", "properties": ordered, "required": list(required), "additionalProperties": False}


TYPES: list[dict[str, Any]] = [
    {
        "key": "IT_SUPPORT",
        "name": "IT support",
        "prefix": "ITS",
        "category": "IT",
        "icon": "life-buoy",
        "keywords": [
            "computer",
            "broken",
            "defect",
            "crash",
            "error",
            "help desk",
            "email",
            "wifi",
            "internet",
            "vpn",
            "printer",
            "password",
            "login",
            "screen",
            "slow",
        ],
        "description": "Something does not work: laptop, network, printer, password, software",
        "team": "IT Support",
        "requires_approval": False,
        "form": _form(
            device=_text("Device or program", description="What is affected, for example its inventory number."),
            impact=_choice("Who is affected", "Only me", "My team", "Everybody"),
            workaround=_text("How they work meanwhile", **_when("custom.impact", "in", ["My team", "Everybody"])),
            since=_text("Since when", maxLength=100),
        ),
    },
    {
        "key": "IT_HARDWARE",
        "name": "IT hardware",
        "prefix": "ITH",
        "category": "IT",
        "icon": "laptop",
        "keywords": [
            "notebook",
            "macbook",
            "computer",
            "pc",
            "docking station",
            "mobile",
            "monitor",
            "screen",
            "phone",
            "headset",
            "keyboard",
            "mouse",
        ],
        "description": "A new laptop, monitor, phone, headset or other equipment",
        "team": "IT Support",
        "has_amount": True,
        "form": _form(
            "budget_code",
            "justification",
            budget_code=_text("Budget code", maxLength=40, description="The cost centre or project that pays."),
            justification=_area("Justification", description="Why it is needed."),
            needed_by=_field("date", "Needed by"),
            replaces=_field("checkbox", "It replaces a device I have"),
            old_device=_text(
                "Which one", description="Its inventory number.", **_when("custom.replaces", "eq", value=True)
            ),
            quotes=_field(
                "file", "Quotes", description="From 1,000 on, offers to compare.", **_when("amount", "gte", "1000")
            ),
        ),
    },
    {
        "key": "HR",
        "name": "HR request",
        "prefix": "HR",
        "category": "HR",
        "icon": "users",
        "keywords": [
            "days off",
            "time off",
            "holiday",
            "vacation",
            "sick",
            "parental leave",
            "salary",
            "payslip",
            "reference",
            "certificate",
            "onboarding",
        ],
        "description": "Contracts, certificates, leave, benefits, personal data",
        "team": "HR Services",
        "form": _form(
            topic=_choice("Topic", "Certificate", "Contract", "Leave", "Benefits", "Other"),
            first_day=_field("date", "First day", **_when("custom.topic", "eq", "Leave")),
            last_day=_field("date", "Last day", **_when("custom.topic", "eq", "Leave")),
            cover=_field("person", "Who covers for you", **_when("custom.topic", "eq", "Leave")),
            details=_area("Details"),
        ),
    },
    {
        "key": "FINANCE",
        "name": "Finance request",
        "prefix": "FIN",
        "category": "Finance",
        "icon": "banknote",
        "keywords": [
            "invoice",
            "refund",
            "bill",
            "expenses",
            "travel costs",
            "credit card",
            "reimbursement",
            "budget",
            "purchase order",
            "payment",
            "supplier",
        ],
        "description": "Reimbursements, invoices, purchase orders, budget changes",
        "team": "Finance Operations",
        "has_amount": True,
        "form": _form(
            cost_center=_text("Cost centre", maxLength=40),
            purpose=_area("Purpose"),
            vendor=_text("Vendor"),
            tax=_field("money", "Tax in it", **_when("custom.vendor", "is_not_empty", None)),
            charged=_field("department", "Charged to", description="When it is not your own department."),
        ),
    },
    {
        "key": "FACILITY",
        "name": "Facility request",
        "prefix": "FAC",
        "category": "Facilities",
        "icon": "building",
        "keywords": [
            "room",
            "desk",
            "chair",
            "key",
            "badge",
            "access card",
            "door",
            "office",
            "move",
            "toilet",
            "heating",
            "light",
            "cleaning",
            "parking",
        ],
        "description": "Rooms, keys, furniture, heating, repairs, moves",
        "team": "Facilities",
        "form": _form(
            location=_text("Location", description="Building, floor, room."),
            affected=_field(
                "multi_choice",
                "What is affected",
                items={"enum": ["Furniture", "Heating or cooling", "Light or power", "Door or key", "Something else"]},
            ),
            details=_area("Details"),
        ),
    },
]


def _stage(
    name: str, condition: dict[str, Any] | None, *approvers: dict[str, Any], quorum: Any = "ANY"
) -> dict[str, Any]:
    return {
        "name": name,
        "condition": condition,
        "approvers": list(approvers),
        "mode": "PARALLEL",
        "quorum": quorum,
        "due_in_minutes": 2880,
        "escalation": None,
    }


def _amount(op: str, value: str) -> dict[str, Any]:
    return {"field": "amount", "op": op, "value": value}


# The specification's flowchart: below 1,000 the manager, to 5,000 the department head, above the Finance Committee.
PURCHASES: dict[str, Any] = {
    "name": "Purchases by amount",
    "condition": {"any": [{"field": "ticket_type", "op": "in", "value": ["IT_HARDWARE", "FINANCE"]}]},
    "stages": [
        _stage(
            "Manager",
            {"any": [_amount("lt", "1000"), {"field": "amount", "op": "is_empty"}]},
            {"kind": "REQUESTER_MANAGER"},
        ),
        _stage(
            "Department head", {"all": [_amount("gte", "1000"), _amount("lte", "5000")]}, {"kind": "DEPARTMENT_HEAD"}
        ),
        _stage(
            "Finance Committee",
            {"all": [_amount("gt", "5000")]},
            {"kind": "ROLE", "role": "finance_committee"},
            quorum=2,
        ),
    ],
}

# team: its canned replies, name and words
REPLIES: dict[str, tuple[tuple[str, str], ...]] = {
    "IT Support": (
        (
            "Which model?",
            "Hello {{ requester.first_name }},\n\nthank you for {{ ticket.number }}. Which model do you need, and by when?",
        ),
        (
            "Ready to be picked up",
            "Hello {{ requester.first_name }},\n\n“{{ ticket.title }}” is ready. Please come to the IT desk, ground floor, "
            "between 9:00 and 16:00.\n\n{{ me.name }}",
        ),
        (
            "Did a restart help?",
            "Hello {{ requester.first_name }},\n\nplease restart the device once and tell us whether that helped.",
        ),
    ),
}
