"""How much memory the web processes take while ten files of 25 MB come in at once, and while they go out again.

PYTHONPATH=backend .venv/bin/python -m benchmarks.uploads        # Linux; about half a minute; AT_ONCE=10

An installation of its own is started as `make run` does it. Resident memory of every web process is read fifty times a
second. Files are streamed: the peak must not grow with their size, so it is compared with what they would take whole.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import httpx2

from benchmarks.crash import PASSWORD, Installation

MB = 1024 * 1024
SIZE = 25 * MB
AT_ONCE = int(os.environ.get("AT_ONCE", "10"))
BOUNDARY = "a-boundary-that-stands-in-no-file"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
MOST_GROWTH = SIZE  # of all processes together: a tenth of what ten whole files would take


def resident(pid: int) -> float:
    """Resident memory in MB; 0 for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split(maxsplit=1)[0]) / 1024 if "VmRSS:" in status else 0.0


class Watch:
    """The highest resident memory of each process, and of all together, while it is open."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids
        self.before = {pid: resident(pid) for pid in pids}
        self.peak = dict(self.before)
        self.peak_of_all = sum(self.before.values())

    async def during(self, work: Awaitable[object]) -> float:
        """Look until the work is done; returns how long it took."""
        began = time.monotonic()
        task = asyncio.ensure_future(work)
        while not task.done():
            now = {pid: resident(pid) for pid in self.pids}
            self.peak = {pid: max(self.peak[pid], mb) for pid, mb in now.items()}
            self.peak_of_all = max(self.peak_of_all, sum(now.values()))
            await asyncio.wait([task], timeout=0.02)
        await task
        return time.monotonic() - began

    def say(self, what: str, seconds: float) -> float:
        """Print it; returns by how many MB all together grew at most."""
        print(f"\n{what}: {seconds:.1f} s\n{'process':<12}{'before MB':>12}{'peak MB':>12}{'after MB':>12}")
        for pid in self.pids:
            print(f"{pid:<12}{self.before[pid]:>12.1f}{self.peak[pid]:>12.1f}{resident(pid):>12.1f}")
        before = sum(self.before.values())
        print(f"{'together':<12}{before:>12.1f}{self.peak_of_all:>12.1f}{sum(map(resident, self.pids)):>12.1f}")
        return self.peak_of_all - before


async def _body(size: int) -> AsyncIterator[bytes]:
    yield HEAD
    piece = os.urandom(64 * 1024)
    for start in range(0, size, len(piece)):
        yield piece[: min(len(piece), size - start)]
    yield TAIL


async def _upload(client: httpx2.AsyncClient, ticket_id: int, size: int) -> int:
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(HEAD) + size + len(TAIL)),
    }
    answer = await client.post(f"/tickets/{ticket_id}/attachments", content=_body(size), headers=headers)
    if answer.status_code != 201 or answer.json()["size"] != size:
        raise SystemExit(f"{answer.status_code} {answer.text}")
    return int(answer.json()["id"])


async def _download(client: httpx2.AsyncClient, attachment_id: int) -> None:
    taken = 0
    async with client.stream("GET", f"/attachments/{attachment_id}") as answer:
        async for piece in answer.aiter_bytes():
            taken += len(piece)
    if taken != SIZE:
        raise SystemExit(f"{taken} bytes of {SIZE} came back")


async def _measure(folder: Path) -> bool:
    from waypost.kernel.embedded import free_port

    installation = Installation(folder / "data", free_port(), free_port())
    await installation.start()
    try:
        base = f"http://127.0.0.1:{installation.port}/api/v1"
        limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=0)
        async with httpx2.AsyncClient(base_url=base, timeout=120, limits=limits) as client:
            login = await client.post("/auth/login", json={"username": "employee", "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
            body = {"title": "Big files", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
            ticket_id = (await client.post("/tickets", json=body)).json()["id"]
            for _ in range(8):  # what is loaded on first use is no part of an upload
                await _download_small(client, await _upload(client, ticket_id, MB))
            pids = installation.below(installation.child("serve-api"))
            coming = Watch(pids)
            ids: list[int] = []

            async def all_in() -> None:
                ids.extend(await asyncio.gather(*(_upload(client, ticket_id, SIZE) for _ in range(AT_ONCE))))

            grown = coming.say(f"{AT_ONCE} uploads of 25 MB at once", await coming.during(all_in()))
            going = Watch(pids)
            seconds = await going.during(asyncio.gather(*(_download(client, i) for i in ids)))
            grown = max(grown, going.say(f"{AT_ONCE} downloads of 25 MB at once", seconds))
    finally:
        installation.stop()
    print(f"\nTogether they grew by at most {grown:.1f} MB; {AT_ONCE} whole files are {AT_ONCE * 25} MB.")
    return grown * MB < MOST_GROWTH


async def _download_small(client: httpx2.AsyncClient, attachment_id: int) -> None:
    (await client.get(f"/attachments/{attachment_id}")).raise_for_status()


def main() -> None:
    """Measure and print. Ends with 1 when memory grew as if files were kept whole."""
    with tempfile.TemporaryDirectory(prefix="waypost-uploads-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        fine = asyncio.run(_measure(Path(name)))
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
