"""Every operation of the API with made-up input, as each role of the demo company and as nobody: no answer is a 5xx.

    make fuzz                        all roles, 12 cases an operation
    make fuzz CASES=50 ROLES=admin   more of one

Schemathesis makes up the cases from the OpenAPI document: some that fit it, some that break it. Every other one carries
numbers of things there are. The product is started on an empty folder and thrown away afterwards.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from schemathesis import GenerationMode
from servers import free_port, wait_for

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "demo-Passw0rd-2026"
# From those who may least to those who may most: what the last ones break is nobody's any more.
ROLES = [
    "nobody",
    "outsider",
    "employee",
    "manager",
    "head",
    "finance1",
    "agent",
    "hragent",
    "executive",
    "auditor",
    "admin",
]
CASES = int(os.environ.get("CASES") or 12)
# Never ends, or ends the sign-in the cases are tried with; both are tried elsewhere.
LEFT_OUT = ("/events/stream", "/auth/logout", "/auth/sessions", "/auth/password")
SECONDS = 30.0  # a request that takes longer is told like an error


class Person:
    """Somebody signed in, again when their token is over."""

    def __init__(self, base: str, username: str) -> None:
        self.base, self.username = base, username
        self.http = httpx2.Client(timeout=SECONDS)
        self.token, self.until = "", 0.0

    def headers(self) -> dict[str, str]:
        if self.username == "nobody":
            return {"Authorization": "Bearer nobody"}
        if time.monotonic() > self.until:
            said = self.http.post(
                f"{self.base}/api/v1/auth/login", json={"username": self.username, "password": PASSWORD}
            )
            said.raise_for_status()
            self.token, self.until = said.json()["access_token"], time.monotonic() + 240
            self.http.cookies.clear()
        return {"Authorization": f"Bearer {self.token}"}


def real_numbers(case: Any) -> None:
    """Numbers of things there are, in place of half of the made-up ones: most made-up ones end at a 404."""
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, int) and random.random() < 0.5:
            case.path_parameters[name] = random.randint(1, 12)


def tried(person: Person, operation: Any, found: list[str]) -> Counter[int]:
    """The statuses of one operation's cases; what went wrong goes to `found`."""
    counts: Counter[int] = Counter()

    def one(case: Any) -> None:
        real_numbers(case)
        began = time.monotonic()
        try:
            made = case.as_transport_kwargs(base_url=person.base)
            headers = {**dict(made["headers"]), **person.headers()}
            body = {k: made[k] for k in ("json", "data", "files") if made.get(k) is not None}
            if isinstance(body.get("data"), bytes | str):
                body["content"] = body.pop("data")
            request = {"params": made.get("params"), "headers": headers, "cookies": None, **body}
            answer = person.http.request(made["method"], made["url"], **request)
            if answer.status_code == 401 and '"session_ended"' in answer.text:
                person.until = 0.0  # a case before has ended the sign-in
                request["headers"] = {**headers, **person.headers()}
                answer = person.http.request(made["method"], made["url"], **request)
        except (httpx2.InvalidURL, UnicodeEncodeError, TypeError, ValueError):
            counts[0] += 1  # no client could send it
            return
        except httpx2.HTTPStatusError as error:
            sys.exit(f"{person.username} cannot sign in any more: {error.response.text[:400]}")
        except httpx2.HTTPError as error:
            found.append(f"{person.username}: {operation.label}: {type(error).__name__}: {error}")
            return
        counts[answer.status_code] += 1
        if answer.status_code >= 500:
            found.append(f"{person.username}: {case.as_curl_command()[:1500]}\n   {answer.text[:400]}")
        elif time.monotonic() - began > SECONDS / 3:
            found.append(f"{person.username}: {operation.label}: {time.monotonic() - began:.1f} s")

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        strategy = operation.as_strategy(generation_mode=mode)
        check = given(case=strategy)(one)
        check = settings(
            max_examples=max(1, CASES // 2),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )(seed(4711)(check))
        try:
            check()
        except Exception as error:  # such as an operation without anything that could be broken
            if "Unsatisfiable" not in type(error).__name__ and "negative" not in str(error).lower():
                found.append(f"{operation.label}: cannot be tried: {type(error).__name__}: {str(error)[:200]}")
    return counts


def main() -> None:
    wanted = (os.environ.get("ROLES") or " ".join(ROLES)).split()
    with tempfile.TemporaryDirectory(prefix="waypost-fuzz-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        env = {**os.environ, "DATA_DIR": folder, "PORT": str(port), "HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
        env |= {"MAIL_CATCHER_PORT": str(free_port()), "PYTHONPATH": str(ROOT / "backend")}
        for name in ("DATABASE_URL", "REDIS_URL", "SMTP_HOST", "DEMO", "PUBLIC_URL"):
            env.pop(name, None)
        command = [sys.executable, "-m", "waypost.cli", "run"]
        product = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        base = f"http://127.0.0.1:{port}"
        try:
            if not wait_for(f"{base}/api/v1/health/ready", 300, lambda: product.poll() is not None):
                sys.exit("It did not become ready.")
            sys.exit(fuzz(base, wanted))
        finally:
            product.send_signal(signal.SIGTERM)
            product.wait(60)


def fuzz(base: str, wanted: list[str]) -> int:
    """Try them all; prints a table, and returns how many cases went wrong (at most 1: a command's exit code)."""
    random.seed(4711)
    document = httpx2.get(f"{base}/api/v1/openapi.json", timeout=60).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=base)
    operations = [o.ok() for o in schema.get_all_operations()]
    operations = [o for o in operations if not any(part in o.path for part in LEFT_OUT)]
    found: list[str] = []
    total = 0
    print(f"{len(operations)} operations, about {CASES} cases each", flush=True)
    print(f"{'as':12}{'cases':>8}{'2xx':>8}{'4xx':>8}{'5xx':>6}{'s':>7}", flush=True)
    for username in wanted:
        began, counts = time.monotonic(), Counter[int]()
        person = Person(base, username)
        for operation in operations:
            counts += tried(person, operation, found)
        by_family: Counter[int] = Counter()
        for status, n in counts.items():
            by_family[status // 100] += n
        sent = sum(counts.values()) - counts[0]
        total += sent
        took = time.monotonic() - began
        print(f"{username:12}{sent:8}{by_family[2]:8}{by_family[4]:8}{by_family[5]:6}{took:7.0f}", flush=True)
    print(f"{total} cases, {len(found)} went wrong")
    for one in found[:50]:
        print(f"\n{one}")
    return min(1, len(found))


if __name__ == "__main__":
    main()
