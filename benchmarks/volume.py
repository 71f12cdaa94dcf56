"""What screens cost in a company with many tickets, and how that grows: searches, lists, dashboards, reports, timers.

    make bench-volume                                                # 100,000 and 1,000,000 tickets, and the ratio
    SIZES=100000 python -m benchmarks volume                         # one size
    VOLUME_FOLDER=/var/tmp/volume python -m benchmarks volume        # kept there, and only measured the next time

Three comments and ten events each. Requests go through the application (ASGI, in this process, one after another), with the
servers that `make run` starts and their settings. Each statement that was sent is explained with its own values into
`PLANS` (default volume-plans.txt); a sequential scan of a big table ends the run with an error.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

SIZES = [int(n) for n in os.environ.get("SIZES", "100000,1000000").split(",")]
TIMES = int(os.environ.get("TIMES", "40"))
ONLY = os.environ.get("ONLY", "")  # a part of "kind name who" of what is asked
PLANS = Path(os.environ.get("PLANS", "volume-plans.txt"))


@contextmanager
def running(folder: Path, *, durable: bool) -> Iterator[dict[str, str]]:
    """Servers on a folder, and the product's settings pointing at them."""
    from waypost.kernel import embedded
    from waypost.kernel.settings import get_settings

    with embedded.running(folder, durable=durable) as urls:
        os.environ.update(urls, DATA_DIR=str(folder), LOG_LEVEL="ERROR", SMTP_HOST="127.0.0.1", SMTP_PORT="9")
        get_settings.cache_clear()
        yield urls


async def with_database(work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Something done with the product's own pools."""
    from waypost.kernel.db import Database, use_database
    from waypost.kernel.settings import get_settings

    made = Database.connect(get_settings())
    use_database(made)
    try:
        return await work(made)
    finally:
        await made.dispose()


def fill(folder: Path, tickets: int) -> None:
    """The demo company, followed by all that follows it, and the many tickets: without durability, for speed."""
    from benchmarks.loading import load
    from waypost.demo.loading import load as load_demo
    from waypost.kernel.events import use_wiring
    from waypost.migrations.run import migrate
    from waypost.reports import keeping
    from waypost.search import following
    from waypost.wiring import build_wiring

    with running(folder, durable=False) as urls:
        migrate()
        use_wiring(build_wiring())

        async def work(database: Any) -> None:
            await load_demo(database)
            await following.run_all(database)
            while await keeping.run_due(database):
                pass
            await load(urls["DATABASE_OWNER_URL"], tickets)
            await following.run_all(database)

        asyncio.run(with_database(work))
    (folder / "loaded").write_text(str(tickets))


async def _places(owner: str) -> Any:
    import asyncpg

    from benchmarks.volume_asked import Places

    connection = await asyncpg.connect(owner)

    async def ids(query: str) -> tuple[int, ...]:
        return tuple(r[0] for r in await connection.fetch(query))

    try:
        (person,) = await ids("SELECT min(id) FROM users WHERE username LIKE 'person%'")
        (own_team,) = await ids(
            "SELECT min(team_id) FROM team_members WHERE user_id = (SELECT id FROM users WHERE username = 'agent')"
        )
        return Places(
            own_team,
            person,
            await ids("SELECT id FROM tickets WHERE id % 997 = 1 ORDER BY id DESC LIMIT 50"),
            await ids(
                "SELECT id FROM tickets WHERE requester_id = (SELECT id FROM users WHERE username = 'employee')"
                " ORDER BY id DESC LIMIT 50"
            ),
            await ids(
                f"SELECT id FROM tickets WHERE team_id = {own_team} AND status = 'CLOSED' ORDER BY id DESC LIMIT 50"
            ),
        )
    finally:
        await connection.close()


async def _all_asked(people: Any, owner: str) -> list[Any]:
    from benchmarks import volume_asked as asked

    found = asked.searches() + asked.lists(await _places(owner))
    found += await asked.views(people.call) + await asked.boards(people.call) + asked.reports()
    return [one for one in found if ONLY in f"{one.kind} {one.name} {one.who}"]


async def _look(owner: str, plans: TextIO) -> tuple[list[Any], list[str]]:
    """Every kind of request, measured; what is wrong with it."""
    from benchmarks.volume_asked import DASHBOARD
    from benchmarks.volume_measured import Listener, NoAnswer, People, explained, measured, whole_reads
    from waypost.app import app
    from waypost.kernel.db import database
    from waypost.reports import keeping

    found, wrong = [], []
    async with app.router.lifespan_context(app):
        people, listener = People(app), Listener(database())
        wanted = sorted(await _all_asked(people, owner), key=lambda one: one.reads_all)
        for one in wanted:
            if one.kind == DASHBOARD:  # whoever sees much gets sums of their own, some moments after their first look
                await people.call(one.who, "GET", one.paths[0])
        while await keeping.run_due(database()):
            pass
        before = await whole_reads(owner)
        big = frozenset(before)
        for one in wanted:
            if one.reads_all and before:
                wrong += _grown(before, await whole_reads(owner))
                before = {}
            try:
                result = await measured(people, listener, one, TIMES, warm=6)
            except NoAnswer as error:
                wrong.append(str(error))
                continue
            print(f"{one.kind:<10} {one.name:<34}{one.who:<10}{result.p50:>9.1f}{result.p95:>9.1f}", flush=True)
            found.append(result)
        if before:
            wrong += _grown(before, await whole_reads(owner))
        for result in found:
            plans.write(await explained(database(), result, big))
            if not result.asked.reads_all:
                wrong += [
                    f"{result.asked.name}, {result.asked.who}: {name} is read as a whole" for name in result.scans
                ]
        for one in {r.asked.more["view"]: r.asked for r in found if "view" in r.asked.more}.values():
            await people.call(one.who, "DELETE", f"/saved-views/{one.more['view']}")
    return found, sorted(set(wrong))


def _grown(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Tables that were read as a whole meanwhile, by PostgreSQL's own count: whatever plan a prepared statement had."""
    return [f"{name} was read as a whole {after[name] - n} times" for name, n in before.items() if after[name] > n]


def measure(folder: Path, plans: TextIO) -> tuple[dict[tuple[str, str, str], Any], list[str], str]:
    """One size, with the product's settings: results by what was asked, what is wrong, and what the timers cost."""
    from benchmarks.clocks import MOST, cost
    from waypost.kernel.events import use_wiring
    from waypost.migrations.run import migrate
    from waypost.reports import keeping
    from waypost.search import following
    from waypost.wiring import build_wiring

    with running(folder, durable=True) as urls:
        migrate()
        use_wiring(build_wiring())
        owner = urls["DATABASE_OWNER_URL"]

        async def up_to_date(database: Any) -> None:
            await following.run_all(database)
            while await keeping.run_due(database):
                pass

        asyncio.run(with_database(up_to_date))
        found, wrong = asyncio.run(_look(owner, plans))
        timers = ""
        if not ONLY:
            share, timers = asyncio.run(with_database(lambda made: cost(made, owner)))
            wrong += [f"timers take {share:.1%} of a core"] if share > MOST else []
    return {(r.asked.kind, r.asked.name, r.asked.who): r for r in found}, wrong, timers


def _print(sizes: Sequence[int], results: Sequence[dict[Any, Any]]) -> None:
    from benchmarks.volume_asked import BOUNDS
    from benchmarks.volume_measured import table

    columns = [
        "",
        "what",
        "who",
        *(f"{n:,}: p50 / p95 ms" for n in sizes),
        *(["ratio of p95"] if len(sizes) > 1 else []),
        "bound",
    ]
    rows = []
    for key, last in results[-1].items():
        all_of = [r[key] for r in results if key in r]
        times = [f"{r.p50:.1f} / {r.p95:.1f}" for r in all_of]
        ratio = [f"{last.p95 / all_of[0].p95:.1f}"] if len(sizes) > 1 else []
        rows.append([*key, *times, *ratio, f"{BOUNDS[key[0]] or '–'}{' **over**' if last.is_slow else ''}"])
    print("\n" + table(columns, rows))


def main() -> None:
    """Fill what is not there, measure each size, print."""
    print(f"load of the machine: {Path('/proc/loadavg').read_text().split()[:3]}", flush=True)
    kept = os.environ.get("VOLUME_FOLDER")
    results, wrong, timers = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="waypost-volume-", ignore_cleanup_errors=True) as made,
        PLANS.open("w") as plans,
    ):
        for tickets in SIZES:
            folder = Path(kept or made) / str(tickets)
            folder.mkdir(parents=True, exist_ok=True)
            for place in (folder.parent, folder):
                place.chmod(0o755)  # PostgreSQL runs as another user where root started it
            if not (folder / "loaded").exists():
                fill(folder, tickets)
            result, bad, told = measure(folder, plans)
            results.append(result)
            wrong += [f"{tickets:,} tickets: {what}" for what in bad]
            timers.append(told)
    _print(SIZES, results)
    print("\n" + "\n".join(timers))
    print(f"load of the machine: {Path('/proc/loadavg').read_text().split()[:3]}; plans: {PLANS}")
    if wrong:
        raise SystemExit("that must not be:\n" + "\n".join(wrong))
