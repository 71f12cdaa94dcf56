"""Refusals about tickets."""

from __future__ import annotations

from waypost.kernel.crypto import Damaged
from waypost.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Kind, NotFound, Refusal


class TicketNotFound(NotFound):
    """There is no such ticket, or you may not see it."""

    code = "ticket_not_found"


class NotYours(Forbidden):
    """You may see this ticket, but this is not yours to do."""

    code = "not_yours"


class ImpossibleTransition(Conflict):
    """The ticket cannot move there from where it stands."""

    code = "impossible_transition"


class ReopenTooLate(Conflict):
    """This was completed too long ago to re-open it. Please make a new request."""

    code = "reopen_too_late"


class TicketIsClosed(Conflict):
    """Nothing more can be done with this ticket in its status."""

    code = "ticket_closed"


class ApprovedFacts(Conflict):
    """What was approved cannot be changed afterwards. Please make a new request."""

    code = "approved_facts"


class CommentNeeded(Invalid):
    """Please say a few words."""

    code = "comment_needed"

    def __init__(self) -> None:
        super().__init__(errors=(FieldError("/comment", "is needed for this step"),))


class NotInTeam(Invalid):
    """The assignee must be an active member of the ticket's team."""

    code = "not_in_team"

    def __init__(self) -> None:
        super().__init__(errors=(FieldError("/assignee_id", "must be an active member of the ticket's team"),))


class NobodyFound(Conflict):
    """Nobody of the team is there to take it."""

    code = "nobody_found"


class CommentNotFound(NotFound):
    """There is no such comment, or you may not see it."""

    code = "comment_not_found"


class EditWindowOver(Conflict):
    """A comment can be changed for a short while only. Please write another one."""

    code = "edit_window_over"


class CommentIsRemoved(Conflict):
    """This comment was removed."""

    code = "comment_removed"


class NewerReply(Conflict):
    """Somebody answered while you were writing. Read it, and send yours anyway if it still fits."""

    code, title = "newer_reply", "A newer reply"


class CannotMention(Invalid):
    """Somebody you mention would not see this comment."""

    code = "cannot_mention"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, errors=(FieldError("/body", sentence),))


class ReplyNotFound(NotFound):
    """There is no such canned reply, or it is not for you to see."""

    code = "canned_reply_not_found"


class AttachmentNotFound(NotFound):
    """There is no such file, or you may not see it."""

    code = "attachment_not_found"


class AttachmentIsAnswer(Conflict):
    """This file answers a question of the request. Take it out of the answer first."""

    code = "attachment_is_answer"


class AttachmentWasJudged(Conflict):
    """Somebody decided while this file was there: what they looked at stays."""

    code = "attachment_was_judged"


class AttachmentTooLarge(Refusal):
    """This file is larger than an attachment may be."""

    code, kind, title = "attachment_too_large", Kind.TOO_LARGE, "Too large"


class FileContradictsEnding(Invalid):
    """The ending of this file's name and its content do not agree."""

    code = "file_contradicts_ending"

    def __init__(self, fault: str) -> None:
        words = f"The file {fault}. Give it the ending of what it is, or choose the right file."
        super().__init__(words, errors=(FieldError("/file", fault),))


class TooManyAttachments(Conflict):
    """This ticket has as many files as a ticket may have."""

    code = "too_many_attachments"


class AttachmentNotReady(Conflict):
    """This file is still being looked at by the virus scanner. Please try again shortly."""

    code = "attachment_not_ready"


class AttachmentInfected(Conflict):
    """The virus scanner found something in this file; it is not given out."""

    code = "attachment_infected"


class RangeNotInFile(Refusal):
    """That part lies outside of the file."""

    code, kind, title = "range_not_satisfiable", Kind.RANGE, "Not in the file"


class JobNotFound(NotFound):
    """There is no such job of yours."""

    code = "job_not_found"


class ChangedSince(Conflict):
    """Somebody changed this ticket since; it stays as it is now."""

    code = "changed_since"


class NothingToUndo(Conflict):
    """This cannot be undone, or not any more."""

    code = "nothing_to_undo"


class NotYoursToAskFor(Forbidden):
    """You may not make requests for this person."""

    code = "not_yours_to_ask_for"


class DraftNotFound(NotFound):
    """There is no such draft of yours."""

    code = "draft_not_found"


class DraftExists(Conflict):
    """This draft is kept already. Read it, and change the version you read."""

    code = "draft_exists"


class TooManyDrafts(Conflict):
    """You have as many drafts as one person may keep. Discard one you do not need any more."""

    code = "too_many_drafts"


class DraftTooLarge(Refusal):
    """This draft holds more than a draft may hold."""

    code, kind, title = "draft_too_large", Kind.TOO_LARGE, "Too large"


class NoSuchPerson(NotFound):
    """There is no such person, or they may not use tickets."""

    code = "no_such_person"


class TooManyWatchers(Conflict):
    """As many people watch this ticket as may."""

    code = "too_many_watchers"


class NoSuchRules(NotFound):
    """There is no such version of the routing rules."""

    code = "routing_version_not_found"


class AlreadyTaken(Conflict):
    """Somebody else has it."""

    code = "already_taken"


class NotInItsTeam(Conflict):
    """Only a member of the ticket's team can claim it."""

    code = "not_in_its_team"


class NothingToClaim(Conflict):
    """Nothing in this queue waits for somebody."""

    code = "nothing_to_claim"


class NotWithYou(Conflict):
    """This ticket is not with you, so you cannot give it back."""

    code = "not_with_you"


class ChecklistFull(Conflict):
    """This checklist holds as many items as it may."""

    code = "checklist_full"


class NoSuchItem(NotFound):
    """There is no such item on this ticket's checklist."""

    code = "no_such_item"


class NoSuchLink(NotFound):
    """There is no such link of this ticket."""

    code = "no_such_link"


class LinkExists(Conflict):
    """These tickets are linked like that already."""

    code = "link_exists"


class WouldBeCircle(Conflict):
    """A ticket cannot be its own parent, nor its parents' parent."""

    code = "would_be_circle"


class TooManyLinks(Conflict):
    """This ticket has as many links as a ticket may have."""

    code = "too_many_links"


class MergeNeedsConsent(Conflict):
    """Merging these would show things to people who do not see them now. Look at the preview, and agree to what it warns of."""

    code = "merge_needs_consent"


class MergeChanged(Conflict):
    """Merging these would do something else by now than the preview said. Look at it again."""

    code = "merge_changed"


class RehearsalRunning(Conflict):
    """A dry run is under way. Please try again in a moment."""

    code = "rehearsal_running"


class TooManyMatching(Invalid):
    """More tickets match than one job takes. Narrow the list first."""

    code = "too_many_matching"


class NothingToScan(Conflict):
    """The virus scanner has judged this file, or is about to."""

    code = "nothing_to_scan"


class AnswerDamaged(Conflict, Damaged):
    """A hidden answer of this request cannot be opened any more. Please tell an administrator."""

    code, title = "answer_damaged", "An answer cannot be opened"


class DraftDamaged(Conflict, Damaged):
    """This draft cannot be opened any more. Discard it and write it anew."""

    code, title = "draft_damaged", "The draft cannot be opened"


class TooManyPaths(Refusal):
    """You ask where requests would go very often. Please wait a moment."""

    code, kind, title = "too_many_paths", Kind.THROTTLED, "Please wait"


class LevelRunNotFound(NotFound):
    """There is no such run of this service level."""

    code = "sla_run_not_found"


class LevelRunGoesOn(Conflict):
    """This service level is being applied to running requests already. Wait for that run, or stop it."""

    code = "sla_run_goes_on"


class LevelRunIsOver(Conflict):
    """This run is over already: there is nothing to stop."""

    code = "sla_run_is_over"


class LevelNotInUse(Conflict):
    """This service level is not in use, so no request goes by it. Put it in use first."""

    code = "sla_policy_not_in_use"
