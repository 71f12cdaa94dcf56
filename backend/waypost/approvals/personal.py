"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

_PROOF = "proof of who decided, by number"
_TRACE = "who did it, by number"
PERSONAL = (
    Held("approval_definition_versions", "created_by_id", "Workflows they published", Then.KEPT, _TRACE),
    Held("approval_definitions", "draft_by_id", "Drafts of workflows", Then.KEPT, _TRACE),
    Held(
        "approval_steps",
        "approver_id",
        "Decisions asked of them",
        Then.KEPT,
        _PROOF,
        shown=("subject_type", "subject_id", "status", "requested_at", "due_at", "decided_at"),
    ),
    Held(
        "approval_steps",
        "decided_by_id",
        "Decisions they made",
        Then.KEPT,
        _PROOF,
        shown=("subject_type", "subject_id", "status", "decided_at", "comments"),
    ),
    Held(
        "approval_steps",
        "on_behalf_of_id",
        "Decisions made for them",
        Then.KEPT,
        _PROOF,
        shown=("subject_type", "subject_id", "status", "decided_at"),
    ),
    Held(
        "approval_signatures",
        "user_id",
        "Decisions they signed with a passkey",
        Then.BLANKED,
        "what is signed names them by number only, so it can be checked as before",
        shown=("subject_type", "subject_id", "decision", "passkey", "statement", "at"),
        blanks={"passkey": "''"},
    ),
    Held(
        "approval_workflows",
        "overridden_by_id",
        "Decisions they overrode",
        Then.KEPT,
        _PROOF,
        shown=("subject_type", "subject_id", "override_reason", "ended_at"),
    ),
    Held(
        "approval_delegations",
        "delegator_id",
        "Who decided for them",
        Then.BLANKED,
        shown=("delegate_id", "starts_at", "ends_at", "reason", "created_at", "cancelled_at"),
        blanks={"reason": "''"},
    ),
    Held(
        "approval_delegations",
        "delegate_id",
        "For whom they decided",
        Then.KEPT,
        _PROOF,
        shown=("delegator_id", "starts_at", "ends_at", "created_at", "cancelled_at"),
    ),
    Held("approval_delegations", "created_by_id", "Delegations they entered", Then.KEPT, _TRACE),
    Held(
        "approval_deputies",
        "approver_id",
        "Who stands in for them",
        Then.DELETED,
        shown=("deputy_id", "starts_at", "ends_at"),
    ),
    Held(
        "approval_deputies",
        "deputy_id",
        "For whom they stand in",
        Then.DELETED,
        shown=("approver_id", "starts_at", "ends_at"),
    ),
    Held("approval_links", "user_id", "Links to decide by", Then.DELETED, "opens a decision: never given away"),
    Held("approval_reviewers", "user_id", "Reviews asked of them", Then.KEPT, _PROOF, shown=("review_id",)),
    Held(
        "approval_reviews",
        "requester_id",
        "Reviews of their requests",
        Then.KEPT,
        _PROOF,
        shown=("subject_id", "state", "opened_at"),
    ),
    Held(
        "approval_reviews",
        "broken_by_id",
        "Emergencies they approved",
        Then.KEPT,
        _PROOF,
        shown=("subject_id", "reason", "state", "opened_at"),
    ),
    Held(
        "approval_reviews",
        "decided_by_id",
        "Reviews they did",
        Then.KEPT,
        _PROOF,
        shown=("subject_id", "state", "comments", "decided_at"),
    ),
)
