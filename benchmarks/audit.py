"""What sealing the log and checking it cost: rows a second, and the memory a check takes.

PYTHONPATH=backend python -m benchmarks.audit             # about a minute; EVENTS=1000000 for a large log
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path

EVENTS = int(os.environ.get("EVENTS", "100000"))
_FILL = """
    INSERT INTO events (type, version, object_type, object_id, data, actor_id, channel, request_id, at)
    SELECT 'ticket.updated', 1, 'ticket', n % 5000, jsonb_build_object('ticket_version', n, 'ip_address', '10.0.0.1',
        'changes', jsonb_build_object('priority', jsonb_build_array('LOW', 'HIGH'), 'amount', jsonb_build_array(n, n + 0.5))),
        n % 900, 'web', md5(n::text), now()
    FROM generate_series(1, $1::int) n
"""


def main() -> None:
    """Fill a log of its own, seal it, check it, print."""
    from waypost.kernel import embedded
    from waypost.kernel.settings import get_settings
    from waypost.migrations.run import migrate

    with tempfile.TemporaryDirectory(prefix="waypost-audit-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        with embedded.running(Path(name)) as urls:
            os.environ.update(urls, DATA_DIR=name)
            get_settings.cache_clear()
            migrate()
            asyncio.run(_run(urls["DATABASE_OWNER_URL"]))


async def _run(owner: str) -> None:
    import asyncpg

    from waypost.audit import anchors, keys, sealing
    from waypost.audit.verifying import verify
    from waypost.kernel.db import Database
    from waypost.kernel.settings import get_settings

    connection = await asyncpg.connect(owner, command_timeout=600)
    await connection.execute(_FILL, EVENTS)
    await connection.close()
    database = Database.connect(get_settings())
    try:
        began = time.monotonic()
        await sealing.seal_all(database)
        _tell("sealed", time.monotonic() - began)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        found = await verify(database, keys.public_keys(), anchor=anchors.anchor_path())
        assert found.told()["valid"], found.problems
        _tell("checked", time.monotonic() - began)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{'memory':8} {grown:.0f} MB more at its peak than after sealing; {found.checkpoints} signatures")
    finally:
        await database.dispose()


def _tell(what: str, seconds: float) -> None:
    print(f"{what:8} {EVENTS:,} rows in {seconds:.1f} s: {EVENTS / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
