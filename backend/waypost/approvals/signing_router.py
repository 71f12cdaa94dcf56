"""`/approvals/signing`: what a decision's signature is made of; the signature itself comes with the decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.errors import NoPasskeysHere
from waypost.access.passkey_schemas import Credential
from waypost.access.permissions import Permission
from waypost.access.signing import Offered
from waypost.approvals import offering
from waypost.approvals.errors import NotAsked, SelfApproval, StepNotFound, WorkflowNotFound
from waypost.approvals.signing_schemas import Signing, SigningAnswer
from waypost.kernel.db import WriteSession
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, tags=["Approvals"])


def offered(request: Request, credential: Credential | None) -> Offered | None:
    """A signature as it came with a decision."""
    if credential is None:
        return None
    return Offered(request.headers.get("origin"), credential.model_dump(exclude_none=True))


@router.post(
    "/approvals/signing",
    response_model=SigningAnswer,
    responses=problems(StepNotFound, WorkflowNotFound, NotAsked, SelfApproval, StaleVersion, NoPasskeysHere),
)
@costly
async def lay_before(
    request: Request, body: Signing, session: WriteSession, actor: Annotated[Actor, permit(Permission.TICKETS_READ)]
) -> Response:
    """What one is about to decide, as it is signed with a passkey; good for five minutes, once, and until one asks again.

    The signature is sent with the decision (`signature`), which must be the very same. Of several steps those that can not
    be decided now are left out.
    """
    if body.workflow_id is not None:
        laid = await offering.of_workflow(
            session, actor, body.decision, body.workflow_id, version=body.version, words=body.comments or ""
        )
    else:
        laid = await offering.of_steps(
            session,
            actor,
            body.decision,
            body.step_ids,
            versions={i: v for i in body.step_ids if (v := (body.versions or {}).get(str(i), body.version))},
            words=body.comments or "",
            to=body.to_id,
        )
    options = await offering.for_device(session, actor, request.headers.get("origin"), laid)
    return json_response({"statements": [offering.laid_json(one) for one in laid], "options": options})
