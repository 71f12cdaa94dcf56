"""The web door: builds the FastAPI application and decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from waypost import __version__
from waypost.access import absence_router as absences
from waypost.access import (
    api_token_router,
    directory_router,
    leaving_router,
    oauth_router,
    organising_router,
    passkey_router,
    password_router,
    people_job_router,
    people_router,
    role_router,
    second_factor_router,
    service_account_router,
    session_router,
    step_up_router,
)
from waypost.access import router as access
from waypost.access.denials import note_denied
from waypost.access.deps import authenticate
from waypost.access.importing import router as people_imports
from waypost.access.privacy import router as privacy
from waypost.access.providers import oidc_router, sign_in_router
from waypost.access.providers import router as providers
from waypost.access.providers.ldap import router as directory_runs
from waypost.access.providers.saml import bounded as saml_judging
from waypost.access.providers.saml import router as saml
from waypost.access.scim import door as scim
from waypost.access.scim import router as provisioning
from waypost.approvals import definitions_router as workflows
from waypost.approvals import deputy_router as deputies
from waypost.approvals import link_router as decision_links
from waypost.approvals import queue_router as approval_queue
from waypost.approvals import review_router as approval_reviews
from waypost.approvals import router as approvals
from waypost.approvals import signing_router as signing
from waypost.audit import evidence_router
from waypost.audit import router as audit
from waypost.audit.retention import router as audit_retention
from waypost.audit.streams import router as audit_streams
from waypost.automation import router as automation
from waypost.catalog import categories_router as categories
from waypost.catalog import forms_router as forms
from waypost.catalog import router as catalog
from waypost.kernel import health, hints, http, limits, logs, memory, openapi, queue, webapp
from waypost.kernel.cautions import cautions
from waypost.kernel.db import Database, use_database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.live import presence_router as presence
from waypost.live import router as live
from waypost.notifications import delivery_router as deliveries
from waypost.notifications import preferring_router as preferring
from waypost.notifications import proof_router as proof
from waypost.notifications import reaching_router as reaching
from waypost.notifications import router as notifications
from waypost.notifications import slack_router as slack
from waypost.notifications import sms_router as sms
from waypost.notifications import teams_router as teams
from waypost.notifications import templating_router as templating
from waypost.notifications.incoming import mailbox_router as mailboxes
from waypost.notifications.incoming import original_router as originals
from waypost.notifications.incoming import standing
from waypost.reports import export_router as report_exports
from waypost.reports import router as reports
from waypost.reports import saved_router as saved_reports
from waypost.reports import schedule_router as export_schedules
from waypost.search import finding_router
from waypost.search import router as search
from waypost.sla import calendar_file_router as calendar_files
from waypost.sla import calendar_router as calendars
from waypost.sla import policy_router as service_levels
from waypost.sla import working_router as working_calendars
from waypost.tickets import access_router as ticket_access
from waypost.tickets import asking_router as asking
from waypost.tickets import attachment_router as attachments
from waypost.tickets import bulk_router as bulk
from waypost.tickets import canned_router as canned
from waypost.tickets import count_router as counts
from waypost.tickets import draft_router as drafts
from waypost.tickets import export_router as exports
from waypost.tickets import fields_router as ticket_fields
from waypost.tickets import import_router as imports
from waypost.tickets import level_replay_router as level_replays
from waypost.tickets import level_run_router as level_runs
from waypost.tickets import path_router as paths
from waypost.tickets import queue_router as queues
from waypost.tickets import router as tickets
from waypost.tickets import routing_router as routing
from waypost.tickets import sealed_router as sensitive_answers
from waypost.tickets import sla_router as ticket_sla
from waypost.tickets import tag_router as tags
from waypost.tickets import talk_router as talk
from waypost.tickets import trying_router as trying
from waypost.tickets import working_router as working
from waypost.wiring import build_wiring

log = logs.get_logger(__name__)
API = "/api/v1"
ROOMS = (
    access,
    role_router,
    second_factor_router,
    passkey_router,
    password_router,
    session_router,
    step_up_router,
    providers,
    saml,
    api_token_router,
    sign_in_router,
    oidc_router,
    provisioning,
    oauth_router,
    service_account_router,
    directory_runs,
    directory_router,
    people_job_router,
    people_imports,
    people_router,
    organising_router,
    privacy,
    leaving_router,
    absences,
    categories,
    forms,
    catalog,
    bulk,
    counts,
    automation,
    exports,
    imports,
    tickets,
    ticket_sla,
    sensitive_answers,
    attachments,
    drafts,
    paths,
    ticket_fields,
    ticket_access,
    asking,
    talk,
    originals,
    canned,
    tags,
    working,
    queues,
    routing,
    calendar_files,
    calendars,
    service_levels,
    working_calendars,
    approval_queue,
    approval_reviews,
    trying,
    level_replays,
    level_runs,
    workflows,
    deputies,
    decision_links,
    signing,
    approvals,
    proof,
    deliveries,
    preferring,
    reaching,
    templating,
    notifications,
    mailboxes,
    slack,
    sms,
    teams,
    reports,
    report_exports,
    export_schedules,
    saved_reports,
    audit,
    audit_streams,
    audit_retention,
    evidence_router,
    finding_router,
    search,
    presence,
    live,
)
WEB = Path(__file__).parents[2] / "frontend" / "dist"


def operation_id(route: APIRoute) -> str:
    """Names the generated client's functions: the function's own name."""
    return route.name


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open this process's pools, follow the log, tell the relay of commits; close all in order."""
    settings = get_settings()
    for name, why in cautions(settings).items():
        log.warning("caution", name=name, why=why)
        health.caution_set.labels(name).set(1)
    hints.wake = queue.waker(queue.build(settings))
    database = Database.connect(settings)
    use_database(database)
    async with hints.running(settings, database) as valkey:
        app.state.valkey = valkey
        async with limits.shared(valkey), live.following(database, valkey):
            yield
    await saml_judging.close()
    await database.dispose()
    use_database(None)


def create_app() -> FastAPI:
    """The application with every room's routes below `/api/v1`, and the web app on everything else."""
    logs.configure(get_settings())
    use_wiring(build_wiring())
    app = FastAPI(
        title="Waypost",
        version=__version__,
        summary="Internal requests, approvals and fulfilment.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        separate_input_output_schemas=False,
    )
    http.install(app, note=note_denied, authenticate=authenticate)
    for room in ROOMS:
        app.include_router(room.router, prefix=API)
    health.checks["mailboxes"] = standing.check
    app.include_router(health.router, prefix=API)
    openapi.complete(app)
    app.add_route(oauth_router.METADATA, oauth_router.metadata, methods=["GET"], include_in_schema=False)
    app.add_route("/metrics", health.metrics, methods=["GET"], include_in_schema=False)
    app.mount(scim.PREFIX, scim.Door())
    webapp.serve(app, WEB, api=API)
    return app


app = create_app()
memory.keep_what_is_there()
