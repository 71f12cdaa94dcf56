"""Who hears of what: the one file that knows both sides.

`HANDLERS` run in the transaction that records the event, in this order. `CONSUMERS` run afterwards through the relay;
`SUBSCRIPTIONS` says which events each gets.
"""

from __future__ import annotations

from typing import Any

import waypost.migrations.tables  # noqa: F401 - whoever copies or erases what is held about people asks every table
from waypost.access import events as access
from waypost.access import personal as access_personal
from waypost.access import role_events as roles
from waypost.access import service_accounts
from waypost.access.events import SessionClosed
from waypost.access.importing.events import PersonInvited
from waypost.access.privacy.events import PersonErased
from waypost.access.providers.events import (
    DirectoryFailed,
    DirectoryStopped,
    IdentityLinked,
    ProviderGroupsSet,
    ProviderRolesChanged,
    UsernameFollowed,
)
from waypost.access.providers.ldap import applying as directory_people
from waypost.access.role_uses import use_role_finders
from waypost.access.scim import people as scim_people
from waypost.access.scim import roles as scim_roles
from waypost.access.scim.events import ProvisioningStopped
from waypost.access.token_events import TokenMade
from waypost.approvals import definitions, delegating, leaving, reviews, role_mentions
from waypost.approvals import deputy_events as deputies
from waypost.approvals import events as approvals
from waypost.approvals import person_mentions as approval_mentions
from waypost.approvals import personal as approvals_personal
from waypost.approvals import places_closing as asked_places
from waypost.approvals import review_events as glass
from waypost.approvals.subject import use_subject_rooms
from waypost.approvals.working import use_working_hours
from waypost.audit import erasing
from waypost.audit import personal as audit_personal
from waypost.automation import facts, running
from waypost.automation import foreseeing as rules_ahead
from waypost.automation import hiding as automation_hiding
from waypost.automation import mentions as automation_mentions
from waypost.automation import personal as automation_personal
from waypost.catalog import personal as catalog_personal
from waypost.catalog import teams_closing as types_of_teams
from waypost.catalog.events import TicketTypeUpdated
from waypost.catalog.uses import use_finders
from waypost.directory import personal as directory_personal
from waypost.directory.events import (
    AbsenceRemoved,
    DepartmentDeleted,
    TeamDeleted,
    UserDeactivated,
    UserEmailChanged,
    UserReactivated,
)
from waypost.directory.mentions import use_mention_finders
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.enclosures import use_openers
from waypost.kernel.events import Event, Wiring
from waypost.kernel.notices import NoticeAsked
from waypost.kernel.personal import use_personal
from waypost.notifications import announcing, subscribing
from waypost.notifications import consumer as notifications
from waypost.notifications import personal as notifications_personal
from waypost.notifications.events import ChannelFailed, PhoneProved, ReplyCodesVoided
from waypost.notifications.incoming import teams_closing as mailboxes_of_teams
from waypost.notifications.incoming.events import MailboxFailed, MailHeldBack
from waypost.reports import export_telling as files_of_exports
from waypost.reports import list_fields
from waypost.reports import personal as reports_personal
from waypost.reports import scheduling as scheduled_exports
from waypost.search import alerts, list_words
from waypost.search import personal as search_personal
from waypost.search import teams_closing as views_of_teams
from waypost.search.field_uses import views_naming
from waypost.search.person_mentions import views_naming_person
from waypost.sla import clock_events, policy_mentions, working_hours
from waypost.sla import personal as sla_personal
from waypost.tickets import (
    clocking,
    dispatching,
    field_uses,
    person_mentions,
    resealing,
    reviewing,
)
from waypost.tickets import events as tickets
from waypost.tickets import personal as tickets_personal
from waypost.tickets import places_closing as work_of_places
from waypost.tickets.fields import use_counted_fields
from waypost.tickets.foreseeing import use_rules_ahead
from waypost.tickets.views_matched import ViewMatched, use_view_names
from waypost.tickets.wording import use_wording

HANDLERS: dict[type[Event], tuple[Any, ...]] = {
    approvals.ApprovalDecided: (reviewing.on_decision,),
    approvals.InfoRequested: (reviewing.on_info_requested,),
    approvals.InfoAnswered: (reviewing.on_info_answered,),
    glass.ReviewObjected: (reviewing.on_review_objected,),
    tickets.TicketApproved: (dispatching.on_approved, clocking.on_change),
    AbsenceRemoved: (delegating.on_absence_removed,),
    TeamDeleted: (
        types_of_teams.on_team_deleted,
        asked_places.on_team_deleted,
        work_of_places.on_team_deleted,
        policy_mentions.on_team_deleted,
        mailboxes_of_teams.on_team_deleted,
        views_of_teams.on_team_deleted,
        automation_mentions.on_team_deleted,
    ),
    DepartmentDeleted: (
        asked_places.on_department_deleted,
        work_of_places.on_department_deleted,
        automation_mentions.on_department_deleted,
    ),
    PersonErased: (erasing.on_person_erased,),
    TicketTypeUpdated: (resealing.on_type_updated,),
    tickets.SensitiveAnswersSealed: (erasing.on_answers_sealed, automation_hiding.on_answers_sealed),
    SessionClosed: (subscribing.on_session_closed,),
    UserDeactivated: (
        leaving.on_user_deactivated,
        reviews.on_user_deactivated,
        scim_people.on_user_deactivated,
        service_accounts.on_user_deactivated,
        scheduled_exports.on_user_deactivated,
    ),
    UserReactivated: (scim_people.on_user_reactivated, directory_people.on_user_reactivated),
    **{event: (clocking.on_change,) for event in clocking.CHANGES if event is not tickets.TicketApproved},
}

CONSUMERS = {
    "notifications": notifications.notify,
    "team_rooms": announcing.announce,
    "pushed_roles": scim_roles.follow_map,
    running.CONSUMER: running.follow,
}

SUBSCRIPTIONS: dict[type[Event], tuple[str, ...]] = {
    approvals.ApprovalRequested: ("notifications",),
    approvals.ApprovalApproved: ("notifications",),
    approvals.ApprovalRejected: ("notifications",),
    approvals.ApprovalReminded: ("notifications",),
    approvals.ApprovalEscalated: ("notifications",),
    approvals.ApproverAdded: ("notifications",),
    approvals.InfoRequested: ("notifications",),
    approvals.InfoAnswered: ("notifications",),
    # nobody is told, but messages that asked for a decision are settled
    approvals.ApprovalDelegated: ("notifications",),
    approvals.ApprovalRerouted: ("notifications",),
    approvals.StageReopened: ("notifications",),
    approvals.StageDropped: ("notifications",),
    approvals.ApprovalOverridden: ("notifications",),
    approvals.ApprovalCancelled: ("notifications",),
    approvals.ApprovalDecided: ("notifications",),
    glass.GlassBroken: ("notifications",),
    glass.ReviewReminded: ("notifications",),
    glass.ReviewClimbed: ("notifications",),
    glass.ReviewConfirmed: ("notifications",),
    glass.ReviewObjected: ("notifications",),
    deputies.DelegationCreated: ("notifications",),
    deputies.DelegationBegun: ("notifications",),
    deputies.DelegationChanged: ("notifications",),
    deputies.DelegationCancelled: ("notifications",),
    access.PasswordSet: ("notifications",),
    access.FactorAdded: ("notifications",),
    access.FactorRemoved: ("notifications",),
    access.RecoveryCodesMade: ("notifications",),
    access.RecoveryCodeUsed: ("notifications",),
    access.FactorsReset: ("notifications",),
    access.NewDevice: ("notifications",),
    SessionClosed: ("notifications",),
    access.PasswordResetAsked: ("notifications",),
    PersonInvited: ("notifications",),
    TokenMade: ("notifications",),
    IdentityLinked: ("notifications",),
    UsernameFollowed: ("notifications",),
    access.RolesGranted: ("notifications",),
    roles.RoleTaken: ("notifications",),
    ProviderRolesChanged: ("notifications",),
    roles.GrantEnding: ("notifications",),
    roles.GrantExpired: ("notifications",),
    roles.RoleChangeAsked: ("notifications",),
    roles.RoleChangeConfirmed: ("notifications",),
    roles.RoleChangeRefused: ("notifications",),
    roles.RoleChangeExpired: ("notifications",),
    ChannelFailed: ("notifications",),
    PhoneProved: ("notifications",),
    UserEmailChanged: ("notifications",),
    ReplyCodesVoided: ("notifications",),
    MailboxFailed: ("notifications",),
    MailHeldBack: ("notifications",),
    ProvisioningStopped: ("notifications",),
    ProviderGroupsSet: ("pushed_roles",),
    DirectoryStopped: ("notifications",),
    DirectoryFailed: ("notifications",),
    AlarmRaised: ("notifications",),
    NoticeAsked: ("notifications",),
    tickets.TicketSubmitted: ("notifications", "team_rooms"),
    tickets.TicketApproved: ("notifications",),
    tickets.TicketRejected: ("notifications",),
    tickets.TicketAssigned: ("notifications", "team_rooms"),
    tickets.TicketCompleted: ("notifications",),
    clock_events.SlaWarned: ("notifications",),
    clock_events.SlaBreached: ("notifications",),
    tickets.TicketDueSoon: ("notifications",),
    tickets.TicketOverdue: ("notifications",),
    tickets.TicketReopened: ("notifications",),
    tickets.CommentAdded: ("notifications",),
    tickets.CommentEdited: ("notifications",),
    tickets.WatcherAdded: ("notifications",),
    tickets.TicketUpdated: ("notifications",),
    tickets.TicketMerged: ("notifications",),
    tickets.TicketToldByRule: ("notifications",),
    ViewMatched: ("notifications",),
}
# the rules hear of all that happens to tickets
SUBSCRIPTIONS |= {kind: (*SUBSCRIPTIONS.get(kind, ()), running.CONSUMER) for kind in facts.FOLLOWED}


def build_wiring() -> Wiring:
    """The table in force, and the rooms whose subjects approvals judge."""
    use_finders(
        (
            definitions.definitions_naming,
            field_uses.rules_naming,
            views_naming,
            automation_mentions.rules_naming_field,
            field_uses.tickets_with,
        ),
    )
    use_mention_finders(
        (
            person_mentions.tickets_naming_person,
            approval_mentions.workflows_naming_person,
            approval_mentions.delegations_naming_person,
            person_mentions.rules_naming_person,
            policy_mentions.policies_naming_person,
            person_mentions.replies_of_person,
            views_naming_person,
            automation_mentions.rules_naming_person,
        ),
    )
    use_view_names(alerts.name_of_view)
    use_rules_ahead(rules_ahead.when_sent)
    use_counted_fields(list_fields.COUNTED)
    use_wording(list_words.read_words, list_words.matching)
    use_role_finders((role_mentions.workflows_naming_role, automation_mentions.rules_naming_role))
    use_personal(
        (
            *directory_personal.PERSONAL,
            *access_personal.PERSONAL,
            *tickets_personal.PERSONAL,
            *approvals_personal.PERSONAL,
            *sla_personal.PERSONAL,
            *notifications_personal.PERSONAL,
            *search_personal.PERSONAL,
            *catalog_personal.PERSONAL,
            *audit_personal.PERSONAL,
            *reports_personal.PERSONAL,
            *automation_personal.PERSONAL,
        ),
        (*notifications_personal.TOLD, *automation_personal.TOLD),
        (tickets_personal.files_written,),
    )
    use_openers({files_of_exports.WHAT: files_of_exports.open_files})
    use_subject_rooms({reviewing.TICKET: reviewing.TicketRoom()})
    use_working_hours(working_hours.hours_of)
    return Wiring(handlers=HANDLERS, consumers=CONSUMERS, subscriptions=SUBSCRIPTIONS)
