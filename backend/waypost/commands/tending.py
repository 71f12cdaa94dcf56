"""Looking after what is there: its database, its first administrator, its keys, its description."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from waypost.commands.ground import fail, note, seed, servers, settings_now
from waypost.kernel.supervisor import say


def migrate() -> None:
    """Bring the database up to date."""
    with servers(settings_now()):
        from waypost.migrations.run import migrate as run_migrations  # noqa: PLC0415

        run_migrations()
        asyncio.run(seed(settings_now().model_copy(update={"demo": False})))  # the roles of this release


def database_grants(
    role: Annotated[str | None, typer.Option(help="The application's role; default the one in DATABASE_URL.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Carry them out as DATABASE_OWNER_URL.")] = False,
) -> None:
    """Print what the application's own database role is granted: all it needs, and no change to the audit trail."""
    from waypost.migrations import grants  # noqa: PLC0415

    settings = settings_now()
    with servers(settings) if apply else nullcontext():
        settings = settings_now() if apply else settings
        name = role or grants.application_role(settings)
        if name is None:
            raise fail("Name the application's role with --role, or set DATABASE_URL.")
        if apply:
            if settings.database_owner_url is None:
                raise fail("Set DATABASE_OWNER_URL to the owner of the tables.")
            asyncio.run(grants.apply(settings, name))
            note("database-grants")
        say("\n".join(f"{s};" for s in grants.statements(name)))


def seed_demo() -> None:
    """Load the demo company into an empty database."""
    with servers(settings_now()):
        asyncio.run(seed(settings_now().model_copy(update={"demo": True})))


def lock_demo() -> None:
    """Take their password from all accounts that still have the demo company's, and sign them out."""
    from waypost.demo.guarding import lock  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    async def locked() -> list[str]:
        use_wiring(build_wiring())
        database = Database.connect(settings_now())
        try:
            return await lock(database)
        finally:
            await database.dispose()

    with servers(settings_now()):
        names = asyncio.run(locked())
        note("lock-demo")
        say(f"Locked: {', '.join(names)}." if names else "Nobody has the demo company's password.")


def admin(email: Annotated[str, typer.Argument(help="Address of the new administrator.")]) -> None:
    """Make an administrator, and print a one-time link with which they set their password."""
    from waypost.access.bootstrap import create_administrator  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.errors import Refusal  # noqa: PLC0415

    async def create() -> str:
        database = Database.connect(settings_now())
        try:
            return await create_administrator(database, email)
        finally:
            await database.dispose()

    with servers(settings_now()):
        from waypost.migrations.run import migrate as run_migrations  # noqa: PLC0415

        run_migrations()  # the very first command on an empty folder may be this one
        try:
            say(asyncio.run(create()))
            note("admin")
        except Refusal as refused:
            raise fail(refused.detail) from None


def rotate_keys() -> None:
    """Make a new key of the installation, and change everything sealed over to it: files, mails, secrets, private texts."""
    from waypost.kernel import crypto, sealing  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.migrations import tables  # noqa: F401, PLC0415 - every table there is

    async def rotate() -> int:
        database = Database.connect(settings_now())
        try:
            return await sealing.rewrap_all(database)
        finally:
            await database.dispose()

    with servers(settings_now()):
        key_id = crypto.add_key(settings_now())
        note("rotate-keys")
        say(f"Key {key_id} is in use; {asyncio.run(rotate())} sealed values were changed over to it.")


def openapi(path: Annotated[Path, typer.Argument(help="Where to write the document.")]) -> None:
    """Write the API's OpenAPI document."""
    from waypost.app import create_app  # noqa: PLC0415

    path.write_text(json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


sla = typer.Typer(help="Service levels.", no_args_is_help=True)


@sla.command("rebuild")
def sla_rebuild() -> None:
    """Measure the clocks of all requests anew from the event log; the numbers are the same, or were wrong."""
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.tickets import clocking  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    async def rebuilt() -> int:
        use_wiring(build_wiring())
        database = Database.connect(settings_now())
        try:
            return await clocking.rebuild(database)
        finally:
            await database.dispose()

    with servers(settings_now()):
        count = asyncio.run(rebuilt())
        note("sla-rebuild")
        say(f"The clocks of {count} requests were measured anew.")


@sla.command("apply")
def sla_apply(name: Annotated[str, typer.Argument(help="The service level's name.")]) -> None:
    """Have running requests of a service level go by what holds now, from their original start."""
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.tickets import clocking  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    async def applied() -> int | None:
        use_wiring(build_wiring())
        database = Database.connect(settings_now())
        try:
            return await clocking.apply_newest(database, name, "an administrator applied it to running requests")
        finally:
            await database.dispose()

    with servers(settings_now()):
        count = asyncio.run(applied())
        if count is None:
            raise fail("No service level has that name.")
        note("sla-apply")
        say(f"{count} running requests were looked at.")
