"""What every answer has, whoever asks for what: headers, problems, pages, health."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from httpx2 import ASGITransport, AsyncClient

from tests.conftest import Api
from waypost.kernel import bodies, health
from waypost.kernel.http import Manners


@pytest.fixture
async def anybody(app: Any) -> Any:
    api = Api(app)
    api.http.base_url = "http://waypost.test"  # type: ignore[assignment]
    yield api
    await api.http.aclose()


async def test_health(anybody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.kernel import health

    monkeypatch.setattr(health, "_progress", health.Progress())  # in the tests' database nobody takes events
    assert (await anybody.get("/api/v1/health/live")) == {"status": "ok"}
    ready = await anybody.get("/api/v1/health/ready")
    assert ready == {
        "status": "ok",
        "dependencies": {"postgresql": "ok", "valkey": "ok", "relay": "ok", "mailboxes": "ok"},
    }

    async def away() -> None:
        raise ConnectionError("no")

    class Away:
        ping = staticmethod(away)

    monkeypatch.setattr("waypost.kernel.health.database", lambda: None)
    down = await anybody.get("/api/v1/health/ready", expect=None)
    assert (down.status_code, down.json()["status"]) == (503, "down")
    assert "Traceback" not in down.text


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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("text/xml", "text/xml; charset=utf-8"),
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("image/svg+xml", "image/svg+xml; charset=utf-8"),
        ("application/samlmetadata+xml", "application/samlmetadata+xml; charset=utf-8"),
        ("application/manifest+json", "application/manifest+json; charset=utf-8"),
        ("application/json", "application/json"),
        ("image/png", "image/png"),
        ("application/pdf", "application/pdf"),
    ],
)
async def test_text_says_its_characters(given: str, told: str) -> None:
    app = FastAPI()
    app.add_middleware(Manners)
    app.add_route("/", lambda _: Response(b"x", headers={"Content-Type": given}))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://waypost.test") as client:
        assert (await client.get("/")).headers["content-type"] == told


@pytest.mark.parametrize(("path", "status"), [("/auth/logout", 204), ("/auth/sign-out", 200)])
async def test_whoever_leaves_leaves_no_page_behind(app: Any, path: str, status: int) -> None:
    somebody = await Api(app, "outsider").sign_in()
    assert "clear-site-data" not in (await somebody.get("/auth/me", expect=None)).headers
    left = await somebody.post(path, expect=None)
    assert (left.status_code, left.headers["clear-site-data"]) == (status, '"cache"')


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
    given = {"X-Request-ID": "abc-12345"}
    first, second = [
        (await anybody.get("/api/v1/health/live", expect=None, headers=given)).headers["x-request-id"] for _ in range(2)
    ]
    assert len({first, second, "abc-12345"}) == 3


async def test_a_defect_is_a_problem_without_its_insides(
    anybody: Any, who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("waypost.reports.dashboards.contract_dashboard", broken)
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


async def test_a_string_that_never_ends_costs_one_look() -> None:
    began = time.process_time()
    with pytest.raises(bodies.MalformedBody):
        bodies.check_json(b"[" * 33 + b'"' + b'\\"' * 500_000)
    assert time.process_time() - began < 5, "a second look from every quote would take hours"


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "a", "title": "b"}',
        b'{"a": [{"b": 1, "b": 2}]}',
        b'{"a": 1, "\\u0061": 2}',
    ],
)
async def test_a_name_stands_once(body: bytes) -> None:
    with pytest.raises(bodies.MalformedBody, match="twice"):
        bodies.check_json(body)


async def test_a_body_of_very_many_mistakes_costs_little(who: Any) -> None:
    """Everybody may send one; the answer stays short."""
    employee = await who("employee")
    began = time.perf_counter()
    many = {"ticket_type": "HR"} | {f"k{n}": n for n in range(60_000)}
    refused = await employee.post("/tickets/path", many, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == [""]
    few = {"ticket_type": "HR"} | {f"k{n}": n for n in range(900)}
    refused = await employee.post("/tickets/path", few, expect=422)
    assert len(refused["errors"]) == 100
    wrong = {"ticket_type": "HR", "tags": [{}] * 50_000}
    assert len((await employee.post("/tickets/path", wrong, expect=422))["errors"]) <= 100
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("body", [b"[" * 50, b"{", b'{"title": NaN}', b'{"title": "\xff"}', b'{"a": 1, "a": 2}'])
async def test_what_is_no_json_names_the_whole(who: Any, body: bytes) -> None:
    employee = await who("employee")
    refused = await employee.post("/tickets", expect=422, content=body, headers={"Content-Type": "application/json"})
    assert (refused["code"], [e["pointer"] for e in refused["errors"]]) == ("malformed_body", [""])


async def test_a_form_is_no_way_around_the_limit(anybody: Any) -> None:
    path, kind = "/api/v1/auth/login", {"Content-Type": "multipart/form-data; boundary=x"}
    await anybody.post(path, expect=413, content=b"x" * 1_100_000, headers=kind)
    await anybody.post(path, expect=415, content=b"x", headers=kind)


@pytest.mark.parametrize(
    ("username", "method", "path", "content", "status"),
    [
        ("employee", "POST", "/users", b"{", 403),
        ("employee", "POST", "/users", b'{"is_admin": 1}', 403),
        ("auditor", "PUT", "/tickets/{ticket}", b'{"title": 5}', 403),
        ("auditor", "POST", "/tickets/{ticket}/comments", b"{}", 403),
        ("auditor", "POST", "/tickets/{ticket}/transitions", b'{"to": "X"}', 403),
        ("auditor", "POST", "/tickets/{ticket}/assign", b'{"assignee_id": "x"}', 403),
        ("outsider", "POST", "/tickets/{ticket}/comments", b"{}", 404),
        ("outsider", "POST", "/tickets/{ticket}/comments", b"[[[", 404),
        ("outsider", "POST", "/approvals/{step}/approve", b'{"action": "REJECT"}', 404),
        ("employee", "POST", "/approvals/{step}/approve", b'{"action": "REJECT"}', 403),
        ("manager", "POST", "/approvals/{step}/approve", b'{"action": "REJECT"}', 422),
        ("employee", "POST", "/tickets/" + "9" * 5000 + "/comments", b"{}", 404),
        ("employee", "POST", "/approvals/" + "9" * 5000 + "/approve", b"{", 404),
    ],
)
async def test_what_one_may_not_is_told_before_what_is_wrong(
    who: Any, hardware: Any, find_step: Any, username: str, method: str, path: str, content: bytes, status: int
) -> None:
    ticket = await (await who("employee")).post("/tickets", hardware(), expect=201)
    step = await find_step(await who("manager"), ticket["id"])
    path = path.replace("{ticket}", str(ticket["id"])).replace("{step}", str(step["id"]))
    headers = {"Content-Type": "application/json"}
    await (await who(username)).call(method, path, expect=status, content=content, headers=headers)


async def test_a_used_key_does_not_tell_of_what_one_may_not_see(who: Any, hardware: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    headers = {"Idempotency-Key": "one-and-the-same"}
    own = {"title": "Mine", "ticket_type": "IT_SUPPORT", "custom_fields": {}}
    await outsider.post("/tickets", own, expect=201, headers=headers)
    await outsider.post(f"/tickets/{ticket['id']}/comments", {"body": "?"}, expect=404, headers=headers)


def _cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("path", "cursor"),
    [
        ("/tickets", _cursor("-created_at", "0001-01-01T00:00:00+23:59", 1)),
        ("/tickets", _cursor("-created_at", "9999-12-31T23:59:59-23:59", 1)),
        ("/tickets", _cursor("-created_at", "2026-01-01T00:00:00", 1)),
        ("/tickets", _cursor("-created_at", None, 1)),
        ("/people", _cursor("people", None, None, 1)),
        ("/people", _cursor("people", "a\x00", "b", 1)),
        ("/tickets/1/history", _cursor("history", None)),
        ("/tickets/1/history", _cursor("history", 2**70)),
        ("/tickets/1/history", "%%%"),
    ],
)
async def test_made_up_cursors(who: Any, path: str, cursor: str) -> None:
    wrong = await (await who("admin")).get(path, params={"cursor": cursor}, expect=422)
    assert wrong["errors"][0]["pointer"] == "?cursor"


async def test_odd_keys_and_methods(who: Any, anybody: Any) -> None:
    admin = await who("admin")
    for key in ("%00", "a%2Fb", "x" * 100):
        await admin.get(f"/ticket-types/{key}", expect=404)
    for n in range(3):
        await anybody.call(f"MADE-UP-{n}", "/api/v1/health/live", expect=None)
    measured = (await anybody.get("/metrics", expect=None)).text
    assert "MADE-UP" not in measured
    assert 'method="other"' in measured


async def test_pointers_name_members_only(who: Any) -> None:
    body = {"key": "odd", "name": "Odd", "permissions": {"no:such": "ALL"}}
    wrong = await (await who("admin")).post("/roles", body, expect=422)
    assert all("[" not in e["pointer"] for e in wrong["errors"]), wrong["errors"]


async def test_a_text_is_counted_in_characters(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    for title, said in (
        ("a" * 10_000, "should have at most 200 characters"),
        ("\u00e9" * 201, "at most 200 characters"),
    ):
        wrong = await employee.post("/tickets", hardware(title=title), expect=422)
        assert [e["pointer"] for e in wrong["errors"]] == ["/title"]
        assert said in wrong["errors"][0]["message"]
        assert said in wrong["detail"]
    many = await employee.post("/tickets", hardware(tags=[f"t{n}" for n in range(99)]), expect=422)
    assert "items" in many["errors"][0]["message"], "a list is counted in items"


async def test_text_is_composed_and_visible(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    body = hardware(title="Cafe\u0301", submit=False)
    body["custom_fields"]["justification"] = "Mu\u0308ller"
    made = await employee.post("/tickets", body, expect=201)
    assert made["title"] == "Caf\u00e9"
    assert made["custom_fields"]["justification"] == "M\u00fcller"
    turned = await employee.post("/tickets", hardware(title="\u202eInvoice\u2066 \u200fok"), expect=201)
    assert turned["title"] == "Invoice \u200fok", "nobody's words turn around those of others"
    for title in ("\u200b", " \u200b\u2060 ", "a\x07b"):
        await employee.post("/tickets", hardware(title=title), expect=422)
    await employee.post(f"/tickets/{made['id']}/comments", {"body": "\u200b\n"}, expect=422)


class Sender:
    """A body that comes in pieces, and the app that answers without having read it."""

    def __init__(self, pieces: float, size: int = 1000, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.pieces, self.size, self.taken = pieces, size, 0
        self.scope = {"type": "http", "method": "POST", "path": "/api/v1/x", "headers": list(headers)}
        self.answered_after: int | None = None

    async def receive(self) -> dict[str, Any]:
        self.taken += 1
        return {"type": "http.request", "body": b"x" * self.size, "more_body": self.taken < self.pieces}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.answered_after = self.taken

    async def go(self, reads: int) -> None:
        async def answers(scope: Any, receive: Any, send: Any) -> None:
            for _ in range(reads):
                await receive()
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        await Manners(answers)(self.scope, self.receive, self.send)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "reads", "taken"),
    [
        (((b"content-length", b"5000"),), 0, 5),
        (((b"transfer-encoding", b"chunked"),), 2, 5),
        (((b"content-length", b"5000"),), 5, 5),
        (((b"content-length", b"0"),), 0, 0),
        ((), 0, 0),
    ],
)
async def test_a_refused_body_is_read_on(headers: tuple[tuple[bytes, bytes], ...], reads: int, taken: int) -> None:
    """Its sender would see a broken connection otherwise, and not why it was refused. The answer does not wait."""
    sender = Sender(5, headers=headers)
    await sender.go(reads)
    assert (sender.taken, sender.answered_after) == (taken, reads)


async def test_a_refused_body_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Sender(float("inf"), 10 * 1024 * 1024, ((b"transfer-encoding", b"chunked"),))
    await endless.go(0)
    assert endless.taken == 11, "four times the largest file"
    slow = Sender(float("inf"), 1, ((b"transfer-encoding", b"chunked"),))

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")

    monkeypatch.setattr("waypost.kernel.http.POURED_SECONDS", 0.05)
    slow.receive = never  # type: ignore[method-assign]
    await slow.go(0)
    assert slow.answered_after == 0
