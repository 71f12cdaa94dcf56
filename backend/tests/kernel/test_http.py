"""What every answer has, whoever asks for what: headers, problems, pages, health."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Api
from waypost.kernel import health


@pytest.fixture
async def anybody(app: Any) -> Any:
    api = Api(app)
    api.http.base_url = "http://waypost.test"  # type: ignore[assignment]
    yield api
    await api.http.aclose()


async def test_health(anybody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await anybody.get("/api/v1/health/live")) == {"status": "ok"}
    ready = await anybody.get("/api/v1/health/ready")
    assert ready == {"status": "ok", "dependencies": {"postgresql": "ok", "valkey": "ok"}}

    async def away() -> None:
        raise ConnectionError("no")

    from waypost.kernel import health

    class Away:
        ping = staticmethod(away)

    monkeypatch.setattr("waypost.kernel.health.database", lambda: None)
    down = await anybody.get("/api/v1/health/ready", expect=None)
    assert (down.status_code, down.json()["status"]) == (503, "down")
    assert "Traceback" not in down.text
    assert health is not None


async def test_without_valkey_work_goes_on(anybody: Any, app: Any, who: Any, hardware: Any) -> None:
    from redis.asyncio import Redis

    from waypost.kernel.embedded import free_port

    before = app.state.valkey
    app.state.valkey = Redis(port=free_port(), socket_connect_timeout=0.2)
    try:
        ready = await anybody.get("/api/v1/health/ready")
        assert ready["status"] == "degraded"
        await (await who("employee")).post("/tickets", hardware(), expect=201)
    finally:
        await app.state.valkey.aclose()
        app.state.valkey = before


async def test_measurements_stay_on_the_machine(anybody: Any) -> None:
    measured = await anybody.get("/metrics", expect=None)
    assert measured.headers["content-type"].startswith("text/plain")
    assert 'waypost_http_request_seconds_count{method="GET"' in measured.text
    forwarded = await anybody.get("/metrics", expect=None, headers={"X-Forwarded-For": "1.2.3.4"})
    assert forwarded.status_code == 404


@pytest.mark.parametrize("path", ["/", "/tickets/1", "/login", "/api/v1/docs", "/api/v1/tickets", "/no.such.file"])
async def test_every_answer_is_guarded(anybody: Any, path: str) -> None:
    headers = (await anybody.get(path, expect=None)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].split("style-src")[0]
    assert headers["referrer-policy"]
    assert headers["x-request-id"]


async def test_measurements_of_all_processes_are_added_up(
    anybody: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(health.MULTIPROC, str(tmp_path))
    count = "from prometheus_client import Counter; Counter('waypost_example', 'An example').inc()"
    for _ in range(2):
        counting = await asyncio.create_subprocess_exec(sys.executable, "-c", count)
        assert await counting.wait() == 0
    assert "waypost_example_total 2.0" in (await anybody.get("/metrics", expect=None)).text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/tickets", "/api/"])
async def test_the_api_has_no_pages(anybody: Any, who: Any, path: str) -> None:
    await anybody.get(path, expect=401)
    token = (await who("employee")).http.headers["authorization"]
    answer = await anybody.get(path, expect=404, headers={"Authorization": token})
    assert answer["code"] == "not_found"


@pytest.mark.parametrize("path", ["/..%2f..%2fetc/passwd", "/assets/..%2f..%2f..%2fpyproject.toml", "/%00", "/a%00.js"])
async def test_no_way_out_of_the_folder(anybody: Any, path: str) -> None:
    answer = await anybody.get(path, expect=None)
    assert answer.status_code in (200, 404)
    assert "[project]" not in answer.text
    assert "root:" not in answer.text


async def test_request_ids_are_our_own(anybody: Any) -> None:
    """One taken from outside could be used to hide in the logs."""
    given = {"X-Request-ID": "abc-123"}
    first, second = [
        (await anybody.get("/api/v1/health/live", expect=None, headers=given)).headers["x-request-id"] for _ in range(2)
    ]
    assert len({first, second, "abc-123"}) == 3


async def test_a_defect_is_a_problem_without_its_insides(
    anybody: Any, who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("waypost.reports.queries.dashboard", broken)
    answer = await (await who("employee")).get("/reports/dashboard", expect=500)
    assert "hunter2" not in str(answer)
    assert answer["request_id"]


@pytest.mark.parametrize(
    "path", ["/tickets/0", "/tickets/-1", "/tickets/9223372036854775808", "/tickets/1.5", "/tickets/abc"]
)
async def test_ids_that_cannot_be(who: Any, path: str) -> None:
    await (await who("employee")).get(path, expect=404)


@pytest.mark.parametrize(
    "bad",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"cursor": "%00"},
        {"cursor": "A" * 5000},
        {"sort": "x"},
    ],
)
async def test_questions_that_make_no_sense_name_the_parameter(who: Any, bad: dict[str, str]) -> None:
    problem = await (await who("employee")).get("/tickets", params=bad, expect=422)
    assert problem["errors"][0]["pointer"] == f"?{next(iter(bad))}"
