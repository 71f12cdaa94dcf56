"""What finding costs, and how that grows: a company of any size loaded by COPY, and every kind of search as three readers.

    PYTHONPATH=backend python -m benchmarks.search 100000           # tickets; three comments and ten events each
    PYTHONPATH=backend python -m benchmarks.search 100000 1000000   # one after the other, and the ratio

Servers of its own in a temporary folder (`BENCH_FOLDER` keeps it). Texts are of four languages, their words as frequent as
words are (Zipf). Each line is p50 and p95 of one kind of search as one reader, in milliseconds of the whole use case
without HTTP. `EXPLAIN` of the slowest statement of each kind is written to `BENCH_PLANS` (default search-plans.txt); a
sequential scan of a big table fails the run.
"""

from __future__ import annotations

import asyncio
import bisect
import io
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

TIMES = int(os.environ.get("TIMES", "40"))
PART = 5_000  # tickets made at once
COMMENTS, EVENTS = 3, 10
PEOPLE, TEAMS = 2_000, 12
VOCABULARY = 30_000
BASE = {
    "en": "the laptop printer screen is not working please help with my password account network access and office door for",
    "de": "der drucker ist kaputt bitte hilfe mit dem passwort konto netzwerk zugang und die tastatur für das büro nicht",
    "fr": "le la imprimante ne marche pas merci mot de passe compte réseau accès et écran pour les bureau une demande",
    "es": "la impresora no funciona por favor ayuda con contraseña cuenta red acceso y pantalla para el oficina una",
}
SYLLABLES = (
    "ba ce di fo gu ha ke li mo nu pa re si to vu wa xe yo zi sta tri plo gra nde rti son mel kar ver lun".split()
)
BIG = ("tickets", "ticket_comments", "events", "search_documents", "approval_steps", "users")


class Words:
    """Words of a language, the first ones often and the last ones hardly ever."""

    def __init__(self, language: str) -> None:
        chance = random.Random(language)
        made = dict.fromkeys(BASE[language].split())
        while len(made) < VOCABULARY:
            made["".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4))))] = None
        self.words = list(made)
        self.steps = list(itertools.accumulate(1 / (n + 2.7) for n in range(len(self.words))))

    def some(self, chance: random.Random, n: int) -> list[str]:
        return [self.words[bisect.bisect(self.steps, chance.random() * self.steps[-1])] for _ in range(n)]


_LANGUAGES: dict[str, Words] = {}
_STEMS: dict[str, dict[str, tuple[str, ...]]] = {}


def _prepare(stems: dict[str, dict[str, tuple[str, ...]]]) -> None:
    _STEMS.update(stems)
    for language in BASE:
        _LANGUAGES[language] = Words(language)


def _text(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n")


def made(first: int, last: int, total: int, at: datetime, facts: dict[str, Any]) -> tuple[bytes, bytes, bytes, bytes]:
    """Tickets `first` to `last` as lines for COPY: themselves, their comments, their events, their rows of the index."""
    from waypost.search.indexing import ASSIGNEE, DEPARTMENT, REQUESTER, TEAM, block_of, mark
    from waypost.search.vectors import DESCRIPTION, TALK, TITLE, Vector
    from waypost.search.vectors import PEOPLE as WHO
    from waypost.search.words import words_of_number

    chance = random.Random(first)
    out = [io.StringIO() for _ in range(4)]
    kind, types = facts["type"], ("ticket.created", "ticket.submitted", "ticket.approved", "comment.created")
    for n in range(first, last):
        i = facts["base"] + n
        language = chance.choices(list(BASE), (55, 20, 15, 10))[0]
        words, stems = _LANGUAGES[language], _STEMS.get(language, {})
        title = " ".join(words.some(chance, 6)).capitalize()
        description = " ".join(words.some(chance, 45))
        number = f"BEN-2026-{n:07d}"
        created = at - timedelta(seconds=(total - n) * (94_608_000 / total))
        who, team = facts["people"][n % PEOPLE], facts["teams"][chance.randrange(TEAMS)]
        status = chance.choices(("CLOSED", "COMPLETED", "IN_PROGRESS", "APPROVED"), (85, 5, 5, 5))[0]
        assignee = facts["people"][chance.randrange(60)] if n % 3 else None
        department = facts["departments"][n % len(facts["departments"])]
        row = (
            i, number, title, description, kind[0], kind[1], kind[2], status, chance.choice(("LOW", "MEDIUM", "HIGH")),
            who, who, assignee or "\\N", team, department, 1, created.isoformat(), created.isoformat(), created.isoformat(),
            COMMENTS,
        )  # fmt: skip
        out[0].write("\t".join(v if v == "\\N" else _text(v) for v in row) + "\n")
        vector = Vector()
        vector.add_words(words_of_number(number), TITLE)
        vector.add(title, TITLE, stems)
        vector.add(f"Person {n % PEOPLE} person{n % PEOPLE}", WHO)
        vector.add(description, DESCRIPTION, stems)
        for k in range(COMMENTS):
            said = " ".join(words.some(chance, 18))
            vector.add(said, TALK, stems)
            when = (created + timedelta(hours=k + 1)).isoformat()
            out[1].write(f"{i}\t{who}\t{_text(said)}\tPUBLIC\t{when}\n")
        for k in range(EVENTS):
            out[2].write(f"3\t{types[k % 4]}\t1\tticket\t{i}\t{{}}\t{who}\tweb\t{created.isoformat()}\n")
        marks = {block_of(i), mark(REQUESTER, who), mark(TEAM, team), mark(DEPARTMENT, department)}
        if assignee:
            marks.add(mark(ASSIGNEE, assignee))
        listed = ",".join(map(str, sorted(marks)))
        out[3].write(f"{i}\tf\tt\t{language}\t{_text(vector.text())}\t{{{listed}}}\n")
    return tuple(o.getvalue().encode() for o in out)  # type: ignore[return-value]


async def _stems(connection: asyncpg.Connection) -> dict[str, dict[str, tuple[str, ...]]]:
    from waypost.search.words import LANGUAGES, fold

    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for code, name in LANGUAGES.items():
        words = sorted({fold(w) for w in Words(code).words})
        rows = await connection.fetch(f"SELECT w, ts_lexize('{name}_stem', w) AS s FROM unnest($1::text[]) w", words)
        found[code] = {r["w"]: (r["s"][0],) for r in rows if r["s"] and r["s"][0] != r["w"]}
    return found


async def load(url: str, tickets: int) -> None:
    """The whole company; indexes of the search are built when everything is there."""
    began = time.perf_counter()
    connection = await asyncpg.connect(url, command_timeout=3600)
    await connection.execute(
        "INSERT INTO users (username, email, first_name, last_name, department_id, timezone, locale, is_active)"
        " SELECT 'person' || n, 'person' || n || '@example.com', 'Person', n::text,"
        " (SELECT id FROM departments ORDER BY id LIMIT 1 OFFSET n % 3), 'UTC', 'en', true"
        f" FROM generate_series(0, {PEOPLE - 1}) n"
    )
    await connection.execute(f"INSERT INTO teams (name) SELECT 'Queue ' || n FROM generate_series(1, {TEAMS - 1}) n")
    await connection.execute(
        "INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM teams t, users u"
        " WHERE t.name = 'Queue 1' AND u.username = 'agent'"
    )
    kind = await connection.fetchrow(
        "SELECT y.id, y.key, (SELECT max(version) FROM form_versions f WHERE f.ticket_type_id = y.id) AS v"
        " FROM ticket_types y WHERE key = 'IT_SUPPORT'"
    )
    people = [r[0] for r in await connection.fetch("SELECT id FROM users WHERE username LIKE 'person%' ORDER BY id")]
    people[7] = await connection.fetchval("SELECT id FROM users WHERE username = 'employee'")
    facts = {
        "type": tuple(kind),
        "people": people,
        "teams": [r[0] for r in await connection.fetch("SELECT id FROM teams ORDER BY id LIMIT $1", TEAMS)],
        "departments": [r[0] for r in await connection.fetch("SELECT id FROM departments ORDER BY id")],
        "base": await connection.fetchval("SELECT coalesce(max(id), 0) + 1 FROM tickets"),
    }
    facts["teams"] = (facts["teams"] * TEAMS)[:TEAMS]
    await connection.execute("DROP INDEX ix_search_documents_words; SET synchronous_commit = off")
    tables = (
        ("tickets", "id ticket_number title description ticket_type_id ticket_type form_version status priority requester_id"
         " created_by_id assignee_id team_id department_id version created_at updated_at submitted_at comment_count"),
        ("ticket_comments", "ticket_id author_id body visibility created_at"),
        ("events", "txid type version object_type object_id data actor_id channel at"),
        ("search_documents", "ticket_id is_inner is_fullest language words marks"),
    )  # fmt: skip
    stems, at = await _stems(connection), datetime.now(UTC)
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2, initializer=_prepare, initargs=(stems,)) as pool:
        parts = [(n, min(n + PART, tickets)) for n in range(0, tickets, PART)]
        waiting = [loop.run_in_executor(pool, made, a, b, tickets, at, facts) for a, b in parts[:4]]
        for n in range(len(parts)):
            lines = await waiting.pop(0)
            if n + 4 < len(parts):
                waiting.append(loop.run_in_executor(pool, made, *parts[n + 4], tickets, at, facts))
            for (table, columns), text in zip(tables, lines, strict=True):
                await connection.copy_to_table(table, source=io.BytesIO(text), columns=columns.split(), format="text")
    await connection.execute("SELECT setval(pg_get_serial_sequence('tickets', 'id'), (SELECT max(id) FROM tickets))")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await connection.execute("CREATE INDEX ix_search_documents_words ON search_documents USING gin (words, marks)")
    await connection.execute("UPDATE search_progress SET fill_below = NULL")
    for table in BIG:
        await connection.execute(f"VACUUM ANALYZE {table}")
    size = await connection.fetchval("SELECT pg_size_pretty(pg_total_relation_size('search_documents'))")
    print(f"{tickets:,} tickets loaded in {time.perf_counter() - began:.0f} s; the index and its table take {size}")
    await connection.close()


def asked() -> dict[str, list[str]]:
    """Kinds of searches, each with several texts, so that no answer is only a cache's."""
    words = Words("en").words
    often, seldom = words[2:22], words[8000:8020]
    return {
        "common": often,
        "rare": seldom,
        "two common words": [f"{a} {b}" for a, b in zip(often, often[7:], strict=False)],
        "common and rare": [f"{a} {b}" for a, b in zip(often, seldom, strict=False)],
        "prefix": [f"{w[:4]}*" for w in words[40:60]],
        "phrase": [f'"{a} {b}"' for a, b in zip(often, often[3:], strict=False)],
        "word and filter": [f"{w} status:in_progress" for w in often],
        "number": [f"BEN-2026-{n * 37:07d}" for n in range(1, 20)],
        "mistyped": [f"{w[:3]}{w[4:5]}{w[3:4]}{w[5:]}" for w in words[60:80]],
        "nothing": ["qqqzzzxx", "nowhereword"],
    }


async def measure(plans: io.TextIOBase, tickets: int) -> dict[tuple[str, str], float]:
    """Every kind as every reader; returns the p95 of each."""
    from sqlalchemy import event, select

    from waypost.access.queries import actor_of_user
    from waypost.directory.models import User
    from waypost.kernel.db import database
    from waypost.search import searching

    said: list[tuple[str, Any, float]] = []
    engine = database().read_engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def before(conn: Any, *_: Any) -> None:
        conn.info["began"] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(conn: Any, _c: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            said.append((statement, parameters, time.perf_counter() - conn.info["began"]))

    result: dict[tuple[str, str], float] = {}
    scans: list[str] = []
    print(f"{'':<20}{'':<12}{'p50 ms':>9}{'p95 ms':>9}{'found':>8}")
    for username in ("employee", "agent", "admin"):
        async with database().read() as session:
            person = await session.scalar(select(User.id).where(User.username == username))
            actor = await actor_of_user(session, person)
        for kind, texts in asked().items():
            took, found, slowest = [], 0, ("", None, 0.0)
            for n in range(TIMES + 5):
                said.clear()
                start = time.perf_counter()
                async with searching.limited(database()) as session:
                    page = await searching.search(session, actor, texts[n % len(texts)], cursor=None, limit=25)
                if n >= 5:
                    took.append((time.perf_counter() - start) * 1000)
                    found = max(found, page["found"] or 0)
                    slowest = max([slowest, *said], key=lambda one: one[2])
            p95 = statistics.quantiles(took, n=20)[-1]
            result[username, kind] = p95
            print(f"{kind:<20}{username:<12}{statistics.median(took):>9.1f}{p95:>9.1f}{found:>8}", flush=True)
            async with database().read_engine.connect() as connection:
                plan = await connection.exec_driver_sql(f"EXPLAIN {slowest[0]}", slowest[1])
                lines = [r[0] for r in plan]
            plans.write(
                f"--- {tickets:,} tickets, {kind}, {username}: {slowest[2] * 1000:.1f} ms\n" + "\n".join(lines) + "\n\n"
            )
            scans += [f"{kind}, {username}: {x.strip()}" for x in lines for t in BIG[:4] if f"Seq Scan on {t} " in x]
    if scans:
        raise SystemExit("a big table is read as a whole:\n" + "\n".join(sorted(set(scans))))
    return result


def run(tickets: int, folder: Path, plans: io.TextIOBase) -> dict[tuple[str, str], float]:
    """Servers, the demo company, the load, the measurement."""
    from waypost.demo.loading import load as load_demo
    from waypost.kernel import embedded
    from waypost.kernel.db import Database, use_database
    from waypost.kernel.events import use_wiring
    from waypost.kernel.settings import get_settings
    from waypost.migrations.run import migrate
    from waypost.search import following
    from waypost.wiring import build_wiring

    with embedded.running(folder, durable=False) as urls:
        os.environ.update(urls, DATA_DIR=str(folder), LOG_LEVEL="ERROR")
        get_settings.cache_clear()
        migrate()
        use_wiring(build_wiring())

        async def work() -> dict[tuple[str, str], float]:
            made_here = Database.connect(get_settings())
            use_database(made_here)
            try:
                if await load_demo(made_here):
                    await following.run_all(made_here)
                    await load(urls["DATABASE_OWNER_URL"], tickets)
                    async with made_here.transaction() as session:
                        from sqlalchemy import text

                        await session.execute(text("UPDATE search_progress SET words_at = NULL"))
                    await following.run_all(made_here)
                return await measure(plans, tickets)
            finally:
                await made_here.dispose()

        return asyncio.run(work())


def main() -> None:
    """Measure each size that is named."""
    sizes = [int(a) for a in sys.argv[1:]] or [100_000]
    results = []
    with Path(os.environ.get("BENCH_PLANS", "search-plans.txt")).open("w") as plans:
        for size in sizes:
            if kept := os.environ.get("BENCH_FOLDER"):
                folder = Path(kept) / str(size)
                folder.mkdir(parents=True, exist_ok=True)
                results.append(run(size, folder, plans))
                continue
            with tempfile.TemporaryDirectory(prefix="waypost-bench-", ignore_cleanup_errors=True) as name:
                Path(name).chmod(0o755)
                results.append(run(size, Path(name), plans))
    if len(results) > 1:
        print(f"\nratio of p95, {sizes[-1]:,} to {sizes[0]:,} tickets")
        for key, first in results[0].items():
            print(f"{key[1]:<20}{key[0]:<12}{results[-1][key] / first:>8.1f}x")


if __name__ == "__main__":
    main()
