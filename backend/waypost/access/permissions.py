"""The words of permission, `room:action`, and how far each reaches. Alphabetical; a role grants words with a scope."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Scope(IntEnum):
    """How far a permission reaches. What each means for a table is said in that room's `policy.py`."""

    OWN = 1  # what is about oneself
    LINE = 2  # and what is about people who report to one, directly or through others
    TEAM = 3  # and what is one's teams' work
    DEPARTMENT = 4  # and what is about departments one heads, with everything below
    ALL = 9


class Permission(StrEnum):
    """Every permission there is. A route names one; a test fails when it does not."""

    ABSENCES_SET = "absences:set"
    APPROVALS_BREAK_GLASS = "approvals:break_glass"
    APPROVALS_CONFIGURE = "approvals:configure"
    APPROVALS_DECIDE = "approvals:decide"
    APPROVALS_DELEGATE_FOR = "approvals:delegate_for"
    APPROVALS_OVERRIDE = "approvals:override"
    APPROVALS_READ_DEFINITIONS = "approvals:read_definitions"
    AUDIT_CONFIGURE = "audit:configure"
    AUDIT_READ = "audit:read"
    AUTOMATION_CONFIGURE = "automation:configure"
    CATALOG_CONFIGURE = "catalog:configure"
    CATALOG_READ = "catalog:read"
    DIRECTORY_CONFIGURE = "directory:configure"
    DIRECTORY_LOOK_UP = "directory:look_up"
    DIRECTORY_READ = "directory:read"
    IDENTITY_CONFIGURE = "identity:configure"
    NOTIFICATIONS_CONFIGURE = "notifications:configure"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_READ_DELIVERIES = "notifications:read_deliveries"
    PRIVACY_HANDLE = "privacy:handle"
    REPORTS_READ = "reports:read"
    ROLES_CONFIGURE = "roles:configure"
    ROLES_READ = "roles:read"
    ROUTING_CONFIGURE = "routing:configure"
    SESSIONS_MANAGE = "sessions:manage"
    SESSIONS_OWN = "sessions:own"
    SLA_CONFIGURE = "sla:configure"
    SLA_READ = "sla:read"
    TICKETS_ASSIGN = "tickets:assign"
    TICKETS_COMMENT = "tickets:comment"
    TICKETS_COMMENT_INTERNAL = "tickets:comment_internal"
    TICKETS_CREATE = "tickets:create"
    TICKETS_IMPORT = "tickets:import"
    TICKETS_MANAGE_REPLIES = "tickets:manage_replies"
    TICKETS_READ = "tickets:read"
    TICKETS_READ_CONFIDENTIAL = "tickets:read_confidential"
    TICKETS_READ_INTERNAL = "tickets:read_internal"
    TICKETS_UPDATE = "tickets:update"
    TICKETS_WORK = "tickets:work"
    TOKENS_CONFIGURE = "tokens:configure"
    TOKENS_OWN = "tokens:own"
    VIEWS_CONFIGURE = "views:configure"


P = Permission
_EVERYONE = {
    P.ABSENCES_SET: Scope.OWN,
    P.APPROVALS_DECIDE: Scope.OWN,
    P.CATALOG_READ: Scope.ALL,
    P.DIRECTORY_LOOK_UP: Scope.ALL,
    P.NOTIFICATIONS_READ: Scope.OWN,
    P.REPORTS_READ: Scope.OWN,
    P.SESSIONS_OWN: Scope.OWN,
    P.TICKETS_COMMENT: Scope.OWN,
    P.TICKETS_CREATE: Scope.OWN,
    P.TICKETS_READ: Scope.OWN,
    P.TICKETS_UPDATE: Scope.OWN,
    P.TOKENS_OWN: Scope.OWN,
}
# The roles every installation starts with. An administrator may add others; these keep their keys.
SYSTEM_ROLES: dict[str, tuple[str, dict[Permission, Scope]]] = {
    "employee": ("Employee", _EVERYONE),
    "manager": (
        "Manager",
        {
            P.TICKETS_CREATE: Scope.LINE,
            P.TICKETS_READ: Scope.LINE,
            P.REPORTS_READ: Scope.LINE,
            P.TICKETS_COMMENT: Scope.LINE,
        },
    ),
    "department_head": (
        "Department head",
        {
            P.APPROVALS_BREAK_GLASS: Scope.DEPARTMENT,
            P.TICKETS_CREATE: Scope.DEPARTMENT,
            P.TICKETS_READ: Scope.DEPARTMENT,
            P.REPORTS_READ: Scope.DEPARTMENT,
            P.TICKETS_COMMENT: Scope.DEPARTMENT,
        },
    ),
    "finance_committee": ("Finance Committee", {}),
    "agent": (
        "Agent",
        {
            P.TICKETS_ASSIGN: Scope.TEAM,
            P.TICKETS_COMMENT: Scope.TEAM,
            P.TICKETS_COMMENT_INTERNAL: Scope.TEAM,
            P.TICKETS_CREATE: Scope.ALL,
            P.TICKETS_READ: Scope.TEAM,
            P.TICKETS_READ_INTERNAL: Scope.TEAM,
            P.TICKETS_UPDATE: Scope.TEAM,
            P.TICKETS_WORK: Scope.TEAM,
            P.REPORTS_READ: Scope.TEAM,
        },
    ),
    "executive": (
        "Executive",
        {P.APPROVALS_BREAK_GLASS: Scope.ALL, P.TICKETS_READ: Scope.ALL, P.REPORTS_READ: Scope.ALL},
    ),
    "auditor": (
        "Auditor",
        {
            P.APPROVALS_READ_DEFINITIONS: Scope.ALL,
            P.AUDIT_READ: Scope.ALL,
            P.CATALOG_READ: Scope.ALL,
            P.DIRECTORY_LOOK_UP: Scope.ALL,
            P.DIRECTORY_READ: Scope.ALL,
            P.NOTIFICATIONS_READ: Scope.OWN,
            P.REPORTS_READ: Scope.ALL,
            P.ROLES_READ: Scope.ALL,
            P.SESSIONS_OWN: Scope.OWN,
            P.SLA_READ: Scope.ALL,
            P.TICKETS_READ: Scope.ALL,
            P.TICKETS_READ_CONFIDENTIAL: Scope.ALL,
            P.TICKETS_READ_INTERNAL: Scope.ALL,
            P.TOKENS_OWN: Scope.OWN,
        },
    ),
    "admin": ("Administrator", dict.fromkeys(Permission, Scope.ALL)),
}
