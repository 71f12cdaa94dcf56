"""Refusals of the approvals."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class StepNotFound(NotFound):
    """There is no such approval step, or you may not see it."""

    code = "step_not_found"


class WorkflowNotFound(NotFound):
    """There is no such approval, or you may not see it."""

    code = "approval_not_found"


class DefinitionNotFound(NotFound):
    """There is no such approval workflow."""

    code = "workflow_not_found"


class BadDefinition(Invalid):
    """This workflow cannot work as written."""

    code = "bad_definition"


class VersionNotFound(NotFound):
    """There is no such version of this workflow."""

    code = "workflow_version_not_found"


class NoDraft(Conflict):
    """There is no draft of this workflow."""

    code = "no_draft"


class DraftInTheWay(Conflict):
    """Somebody is writing on this workflow already; say that their draft may be replaced."""

    code = "draft_in_the_way"


class SameName(Conflict):
    """Several workflows have this name; which one is meant?"""

    code = "same_name"


class NotPublished(Conflict):
    """This workflow was never published."""

    code = "not_published"


class NotInForce(Conflict):
    """This workflow is not in force."""

    code = "workflow_not_in_force"


class NoStageFits(Conflict):
    """No stage of this workflow applies to this request."""

    code = "no_stage_applies"


class JudgedAlready(Conflict):
    """The approval of this request has its workflow already."""

    code = "judged_already"


class BegunAlready(Conflict):
    """Somebody has acted on the running approval already."""

    code = "approval_begun"


class NotAsked(Forbidden):
    """You may see this step, but you are not the one who is asked."""

    code = "not_asked"


class SelfApproval(Forbidden):
    """Nobody approves what they asked for, wrote or changed themselves."""

    code = "self_approval"


class StepDecided(Conflict):
    """This step is decided, or not needed any more."""

    code = "step_decided"


class StepNotOpen(Conflict):
    """This step is not open for that."""

    code = "step_not_open"


class OneByOne(Conflict):
    """This one is decided on its own: it is an emergency, or worth more than may be decided together with others."""

    code = "one_by_one"


class NobodyAbove(Conflict):
    """There is nobody further up who could decide this."""

    code = "nobody_above"


class NobodyToAsk(Conflict):
    """Nobody could be found who may decide this. Please tell an administrator."""

    code = "nobody_to_ask"


class CommentNeeded(Invalid):
    """Please give a reason."""

    code = "comment_needed"

    def __init__(self) -> None:
        super().__init__("Please give a reason.", errors=(FieldError("/comments", "is needed for this"),))


class BadDelegate(Invalid):
    """This person cannot decide it for you."""

    code = "bad_delegate"

    def __init__(self, why: str) -> None:
        super().__init__(f"This person cannot decide it: {why}.", errors=(FieldError("/delegate_to", why),))
