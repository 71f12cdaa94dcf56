"""The audit trail on the command line: `waypost audit …`. What is told is for people; `--json` for programs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from waypost.audit import anchors, keys, pack
from waypost.audit.checkpoints import key_id_of
from waypost.audit.system import note_command
from waypost.audit.verifying import verify
from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="The audit trail: check it, and look after what it is signed with.")
Servers = Callable[[], AbstractContextManager[None]]
_servers: list[Servers] = []


def use_servers(servers: Servers) -> None:
    """How commands reach the database; set by the command line's door."""
    _servers[:] = [servers]


@app.command("verify")
def verify_(
    after: Annotated[int, typer.Option("--from", help="Position to begin behind.", min=0)] = 0,
    anchor: Annotated[Path | None, typer.Option(help="File with checkpoints; default AUDIT_ANCHOR_FILE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell the result as JSON.")] = False,
) -> None:
    """Go along the whole chain and say where it is broken. Ends with 0 when it is whole, with 1 when it is not."""
    if anchor is not None and not anchor.exists():
        raise typer.BadParameter(f"there is no file {anchor}", param_hint="--anchor")
    with _servers[0]():
        told = asyncio.run(_verify(after, anchor, is_quiet=as_json))
    if as_json:
        typer.echo(json.dumps(told, indent=1))
    else:
        typer.echo("\n".join(in_words(told)))
    if not told["valid"]:
        raise typer.Exit(1)


async def _verify(after: int, anchor: Path | None, *, is_quiet: bool) -> dict[str, Any]:
    path = anchor or anchors.anchor_path()
    database = Database.connect(get_settings())

    async def progress(done: int, of: int) -> None:
        if not is_quiet and sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,} of {of:,} rows …")
            sys.stderr.flush()

    try:
        found = await verify(database, keys.public_keys(), after=after, anchor=path, progress=progress)
    finally:
        await database.dispose()
    if not is_quiet and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return found.told()


def in_words(told: dict[str, Any]) -> list[str]:
    """What a check found, for a person."""
    span = f"{told['rows']:,} rows, positions {told['start'] + 1:,} to {told['position']:,}"
    said = [f"Checked {span}, in {told['seconds']:.1f} s."]
    if told["last_checkpoint_at"]:
        compared = "no file outside the database was there to compare"
        if told["anchored"] is not None:
            compared = f"{told['anchored']:,} in the file outside the database compared"
        said.append(
            f"{told['checkpoints']:,} signed checkpoints, the last of {told['last_checkpoint_at']}; {compared}."
        )
    if told["erased"]:
        said.append(f"{told['erased']:,} personal values were erased; their hashes stand and fit.")
    if told["signatures"]:
        wrong = sum(p["kind"] in ("SIGNATURE_FALSE", "SIGNATURE_MISSING") for p in told["problems"])
        fit = "all of them right" if not wrong else f"{wrong:,} WRONG"
        said.append(f"{told['signatures']:,} signatures of approvers checked, {fit}.")
    if told["removed"]:
        said.append(
            f"{told['removed']:,} rows were removed by policy, up to row {told['removed_upto']:,}, the last on "
            f"{told['removed_at']} by signed removal {told['removals']}; their seals stand and fit."
        )
    if told["waiting"]:
        said.append(f"{told['waiting']:,} newer events wait to be sealed.")
    if not told["is_guarded"]:
        said.append(
            "Note: this database role may change the log; triggers refuse it, but their owner can switch them off. "
            "See `waypost database-grants`."
        )
    if told["valid"]:
        return [*said, "The chain is whole: nothing was altered, removed, put in, re-ordered or cut off."]
    first = told["first_problem"]
    said.append(f"THE CHAIN IS BROKEN ({told['problem_count']} found). It begins here:")
    said.append(f"  {first['kind']}{_place(first)}: {first['sentence']}")
    others = [p for p in told["problems"] if p != first]
    said += [f"  also {p['kind']}{_place(p)}: {p['sentence']}" for p in others[:20]]
    if len(others) > 20:
        said.append(f"  and {told['problem_count'] - 21} more.")
    return said


def _place(problem: dict[str, Any]) -> str:
    place = f" at position {problem['position']:,}" if problem["position"] is not None else ""
    return place + (f", event {problem['event_id']}" if problem["event_id"] is not None else "")


@app.command("rotate-key")
def rotate_key() -> None:
    """Sign checkpoints with a new key from now on; the old one is destroyed, its public half is kept."""
    with _servers[0]():
        asyncio.run(note_command(get_settings(), "audit rotate-key"))
    typer.echo(f"Checkpoints are signed with key {keys.rotate()} from now on.")


@app.command("public-keys")
def public_keys() -> None:
    """Print the public keys whose signatures count."""
    for key_id, public in keys.public_keys().items():
        typer.echo(f"{key_id}  ed25519  {public.hex()}")


@app.command("verify-pack")
def verify_pack(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The evidence of a request.")],
    key: Annotated[
        list[str] | None, typer.Option(help="Public key that counts, in hexadecimal; may be repeated.")
    ] = None,
) -> None:
    """Check the evidence of a request, without a database or a connection. Ends with 0 when it is whole, else with 1."""
    try:
        given = [bytes.fromhex(k) for k in key or ()]
        verdict = pack.check(pack.open_pack(file.read_bytes()), {key_id_of(k): k for k in given} or None)
    except pack.NoPack as wrong:
        typer.echo(f"{file}: {wrong}.", err=True)
        raise typer.Exit(1) from None
    except ValueError:
        raise typer.BadParameter("a public key is 64 hexadecimal digits", param_hint="--key") from None
    for problem in verdict.problems:
        typer.echo(problem)
    if not verdict.is_whole:
        typer.echo(f"THE EVIDENCE IS NOT WHOLE ({len(verdict.problems)} found).")
        raise typer.Exit(1)
    typer.echo(f"{verdict.ticket}, taken {verdict.made_at}: {verdict.events} events fit their hashes,")
    typer.echo(f"{verdict.stretches} stretches of the chain lead to what key {', '.join(verdict.keys)} signed.")
    if verdict.signatures:
        typer.echo(f"{verdict.signatures} decisions are signed with passkeys; the signatures are right.")
    if not given:
        typer.echo(
            "The key is the one in the file: compare it with the one the installation publishes, or give it by --key."
        )
