"""The command line's door: `python -m waypost.cli …`. Names what there is, and decides nothing."""

from __future__ import annotations

import typer

from waypost.audit import commands as audit_commands
from waypost.commands import ground, running, serving, tending
from waypost.reports import commands as reports_commands
from waypost.search import commands as search_commands

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Waypost: requests, approvals, fulfilment.",
)
# In the order people meet them.
for _command in (
    running.run,
    serving.serve_api,
    serving.mail_catcher,
    serving.mail_in,
    tending.migrate,
    tending.database_grants,
    tending.seed_demo,
    tending.lock_demo,
    tending.admin,
    tending.rotate_keys,
    tending.openapi,
):
    app.command()(_command)
app.add_typer(tending.sla, name="sla")
for _name, _room in (("audit", audit_commands), ("reports", reports_commands), ("search", search_commands)):
    _room.use_servers(lambda: ground.servers(ground.settings_now()))
    app.add_typer(_room.app, name=_name)

if __name__ == "__main__":
    app()
