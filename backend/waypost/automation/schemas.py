"""What crosses HTTP about automation rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Said, Strict, Version
from waypost.tickets.schemas import PriorityWord, StatusWord

OnWord = Literal[
    "CREATED",
    "SUBMITTED",
    "UPDATED",
    "STATUS_CHANGED",
    "ASSIGNED",
    "COMMENTED",
    "APPROVAL_DECIDED",
    "DUE_SOON",
    "OVERDUE",
    "SLA_WARNED",
    "SLA_BREACHED",
    "IN_STATUS",
    "QUIET",
    "BEFORE_DATE",
    "AFTER_DATE",
]
UnitWord = Literal["MINUTES", "HOURS", "DAYS", "WORKING_HOURS", "WORKING_DAYS"]
ByWord = Literal["REQUESTER", "TEAM", "OTHER", "WAYPOST"]
VisibilityWord = Literal["PUBLIC", "INTERNAL"]
OutcomeWord = Literal["DONE", "REFUSED", "NOT_HELD", "STOPPED", "FAILED"]
FieldName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$", examples=["priority"])]
Amount = Annotated[int, Field(ge=0, le=100_000, strict=True, examples=[3])]


class TriggerBody(Strict):
    """When the rule is asked. What is left out narrows nothing; each kind reads what it needs.

    `UPDATED` reads `fields`, `STATUS_CHANGED` and `IN_STATUS` read `statuses`, `COMMENTED` reads `visibility`,
    `APPROVAL_DECIDED` reads `outcome`, all but those over time read `by`. Over time: `amount` and `unit`, and
    `date_field` beside a date.
    """

    on: Annotated[OnWord, Field(examples=["SUBMITTED"])]
    fields: Annotated[list[FieldName], Field(max_length=50, examples=[[]])] = []
    statuses: Annotated[list[StatusWord], Field(max_length=9, examples=[[]])] = []
    visibility: Annotated[VisibilityWord | None, Field(examples=[None])] = None
    by: Annotated[ByWord | None, Field(examples=[None])] = None
    outcome: Annotated[Literal["APPROVED", "REJECTED"] | None, Field(examples=[None])] = None
    amount: Amount = 0
    unit: Annotated[UnitWord, Field(examples=["WORKING_HOURS"])] = "HOURS"
    date_field: Annotated[FieldName | None, Field(examples=[None])] = None


class AssignAction(Strict):
    """Give it to a person, to a team, to whose turn it is in the team (its own, or `team_id`), or to nobody."""

    do: Literal["ASSIGN"]
    to: Annotated[Literal["PERSON", "TEAM", "ROUND_ROBIN", "LEAST_LOADED", "NOBODY"], Field(examples=["ROUND_ROBIN"])]
    user_id: Annotated[Id | None, Field(examples=[None])] = None
    team_id: Annotated[Id | None, Field(examples=[1])] = None


class PriorityAction(Strict):
    do: Literal["SET_PRIORITY"]
    priority: PriorityWord


class DueAction(Strict):
    """Due so long from then on; with 0 the due date goes away."""

    do: Literal["SET_DUE"]
    amount: Amount
    unit: Annotated[UnitWord, Field(examples=["WORKING_DAYS"])] = "HOURS"


class TagsAction(Strict):
    do: Literal["ADD_TAGS", "REMOVE_TAGS"]
    tags: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=20, examples=[["vip"]])]


class FieldAction(Strict):
    """Fill in a field of the form; null empties it. As long as it is being decided on."""

    do: Literal["SET_FIELD"]
    field: Annotated[FieldName, Field(examples=["custom.budget_code"])]
    value: Annotated[Any, Field(examples=["MKT-1"])] = None


class TransitionAction(Strict):
    do: Literal["TRANSITION"]
    to: StatusWord


class CommentAction(Strict):
    """`body` is Markdown with the blanks of canned replies: `{{ requester.first_name }}`."""

    do: Literal["COMMENT"]
    visibility: VisibilityWord
    body: Annotated[Said, Field(max_length=10_000, examples=["Urgent: please look at {{ ticket.number }} at once."])]


class ToldBody(Strict):
    kind: Annotated[
        Literal["PERSON", "ROLE", "REQUESTER", "ASSIGNEE", "TEAM", "TEAM_LEADS", "WATCHERS"],
        Field(examples=["TEAM_LEADS"]),
    ]
    id: Annotated[Id | None, Field(description="Of a person or a role.", examples=[None])] = None


class NotifyAction(Strict):
    """Tell people, each as they like to be told, and only who sees the ticket."""

    do: Literal["NOTIFY"]
    to: Annotated[list[ToldBody], Field(min_length=1, max_length=20)]
    message: Annotated[Said, Field(max_length=2_000, examples=["{{ ticket.number }} waits for you."])]


class EscalateAction(Strict):
    """Raise the priority by one, or let a manager in and tell them."""

    do: Literal["ESCALATE"]
    how: Annotated[
        Literal["RAISE_PRIORITY", "ASSIGNEES_MANAGER", "REQUESTERS_MANAGER"], Field(examples=["ASSIGNEES_MANAGER"])
    ]


class WebhookAction(Strict):
    """Call another system, signed. Internal comments and answers of forms are not in it."""

    do: Literal["WEBHOOK"]
    url: Annotated[Line, Field(max_length=1_000, examples=["https://hooks.example.com/waypost"])]


class StartApprovalAction(Strict):
    """Have it judged by this workflow, which is in force. Where that is not possible the log says so of this action,
    and the others are done nevertheless."""

    do: Literal["START_APPROVAL"]
    workflow_id: Annotated[Id | None, Field(examples=[3])] = None


ActionBody = Annotated[
    AssignAction
    | PriorityAction
    | DueAction
    | TagsAction
    | FieldAction
    | TransitionAction
    | CommentAction
    | NotifyAction
    | EscalateAction
    | WebhookAction
    | StartApprovalAction,
    Field(discriminator="do"),
]


class RuleDraft(Strict):
    """What a rule is, without its name."""

    trigger: TriggerBody
    condition: Annotated[
        dict[str, Any] | None,
        Field(
            description="A condition over `GET /automation/fields`; null holds always.",
            examples=[{"all": [{"field": "priority", "op": "eq", "value": "HIGH"}]}],
        ),
    ] = None
    actions: Annotated[
        list[ActionBody],
        Field(
            min_length=1,
            max_length=20,
            examples=[[{"do": "COMMENT", "visibility": "INTERNAL", "body": "Please look at it at once."}]],
        ),
    ]
    stops: Annotated[bool, Field(strict=True, description="Rules below are not asked when it held.")] = False

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return self.model_dump(include={"trigger", "condition", "actions", "stops"})


class RuleWrite(RuleDraft):
    name: Annotated[Line, Field(max_length=100, examples=["Urgent ones to the desk"])]
    is_active: Annotated[bool, Field(strict=True, examples=[True])] = True


class RuleChange(RuleWrite):
    version: Annotated[Version | None, Field(description="The version you read; or `If-Match`.")] = None


class RuleTrial(RuleDraft):
    """With `ticket_id` it is tried on that ticket and taken back; without, on what happened of late."""

    ticket_id: Annotated[Id | None, Field(examples=[None])] = None


class RuleOrder(Strict):
    rule_ids: Annotated[list[Id], Field(max_length=100, description="All rules.", examples=[[2, 1, 3]])]


class AutomationRuleRead(BaseModel):
    """A rule. `when` and `then` say it in words; `broken` what it names and is not there any more."""

    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Urgent ones to the desk"])]
    position: Annotated[int, Field(examples=[1])]
    is_active: bool
    trigger: TriggerBody
    condition: dict[str, Any] | None
    actions: list[ActionBody]
    stops: bool
    when: Annotated[str, Field(examples=["priority is HIGH"])]
    then: Annotated[list[str], Field(examples=[["comment internally"]])]
    version: Annotated[int, Field(examples=[1])]
    author: PersonRef | None
    updated_at: datetime
    reaches_confidential: Annotated[
        bool, Field(description="Whether it looks at confidential requests: whoever saved it reads them.")
    ]
    broken: Annotated[list[str], Field(examples=[[]])]
    last_fired_at: datetime | None
    fired: Annotated[int, Field(description="Within a week.", examples=[12])]
    failed: Annotated[int, Field(description="Refused or failed within a week.", examples=[0])]
    stopped: Annotated[int, Field(description="Ended as a loop within a week.", examples=[0])]
    allowed_actions: Annotated[
        list[Literal["edit", "switch_on", "switch_off", "remove", "new_secret"]], Field(examples=[["edit"]])
    ]


class AutomationRulePage(BaseModel):
    items: list[AutomationRuleRead]
    next_cursor: str | None


class AutomationVersion(BaseModel):
    """A rule as it once was."""

    version: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Urgent ones to the desk"])]
    is_active: bool
    trigger: TriggerBody
    condition: dict[str, Any] | None
    actions: list[ActionBody]
    stops: bool
    changed_by: PersonRef | None
    changed_at: datetime


class AutomationVersionPage(BaseModel):
    items: list[AutomationVersion]
    next_cursor: str | None


class Why(BaseModel):
    """A part of the condition: a comparison (`IS`) with what the ticket had, or `ALL`, `ANY`, `NOT` of its parts."""

    kind: Literal["IS", "ALL", "ANY", "NOT"]
    held: bool
    text: Annotated[str, Field(examples=["priority is HIGH"])]
    value: Annotated[str | None, Field(examples=["HIGH"])]
    parts: list[Why]


class ActionTold(BaseModel):
    """`wrong` says why it was not done; in a run that is DONE, that it was not possible for this request."""

    text: Annotated[str, Field(examples=["comment internally"])]
    done: bool
    wrong: Annotated[str | None, Field(examples=[None])] = None


class AskedRule(BaseModel):
    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Urgent ones to the desk"])]
    version: Annotated[int, Field(examples=[1])]


class AskedTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    status: StatusWord


class RuleRun(BaseModel):
    """A rule was asked about a ticket. REFUSED: nothing of it was done, and `reason` says why."""

    id: Annotated[int, Field(examples=[3])]
    rule: AskedRule
    ticket: AskedTicket
    at: datetime
    trigger: OnWord
    event_id: Annotated[int | None, Field(examples=[801])]
    outcome: OutcomeWord
    reason: Annotated[str, Field(examples=[""])]
    why: Why
    actions: list[ActionTold]
    chain: Annotated[list[int], Field(description="The rules that led to it, the first one first.", examples=[[]])]
    took_ms: Annotated[int, Field(examples=[14])]


class RuleRunPage(BaseModel):
    items: list[RuleRun]
    next_cursor: str | None


class RuleCall(BaseModel):
    """A call of another system."""

    id: Annotated[int, Field(examples=[3])]
    status: Literal["WAITING", "DONE", "FAILED"]
    attempts: Annotated[int, Field(examples=[1])]
    last_error: Annotated[str | None, Field(examples=[None])]
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None


class RuleCallPage(BaseModel):
    items: list[RuleCall]
    next_cursor: str | None


class TriedItem(BaseModel):
    ticket: AskedTicket
    at: datetime
    event_id: Annotated[int | None, Field(examples=[801])]
    held: bool
    why: Why
    actions: list[ActionTold]
    reason: Annotated[str, Field(examples=[""])]


class TriedRule(BaseModel):
    """`looked_at` events or tickets; `matched` are what the rule waits for, `would_fire` those for which it held."""

    looked_at: Annotated[int, Field(examples=[500])]
    matched: Annotated[int, Field(examples=[40])]
    would_fire: Annotated[int, Field(examples=[12])]
    items: Annotated[list[TriedItem], Field(description="At most 100, those that would fire first.")]
    is_cut: bool


class RuleSecret(BaseModel):
    secret: Annotated[str, Field(description="Shown this once.", examples=["p3Zt…"])]
