"""Every table there is, for migrations and for the test that compares them with the models."""

from __future__ import annotations

import waypost.access.importing.models
import waypost.access.models
import waypost.access.people_job_models
import waypost.access.privacy.models
import waypost.access.providers.ldap.models
import waypost.access.providers.models
import waypost.access.providers.saml.models
import waypost.access.scim.models
import waypost.access.service_models
import waypost.access.session_models
import waypost.access.token_models
import waypost.approvals.deputy_models
import waypost.approvals.link_models
import waypost.approvals.models
import waypost.approvals.review_models
import waypost.approvals.signature_models
import waypost.audit.models
import waypost.audit.retention.models
import waypost.audit.streams.models
import waypost.automation.models
import waypost.catalog.models
import waypost.directory.models
import waypost.kernel.events
import waypost.kernel.idempotency
import waypost.kernel.relay
import waypost.notifications.incoming.models
import waypost.notifications.models
import waypost.notifications.sms_models
import waypost.reports.export_models
import waypost.reports.models
import waypost.reports.saved_models
import waypost.reports.schedule_models
import waypost.search.index_models
import waypost.search.models
import waypost.sla.clock_models
import waypost.sla.models
import waypost.tickets.import_models
import waypost.tickets.level_run_models
import waypost.tickets.models
import waypost.tickets.reading_log
import waypost.tickets.routing_models
import waypost.tickets.sealed_models
import waypost.tickets.talk_models
import waypost.tickets.working_models  # noqa: F401
from waypost.kernel.db import Base

metadata = Base.metadata
