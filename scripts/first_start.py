"""Start Waypost as a newcomer does, twice, and see a request reach its approver by mail. Standard library only.

Run in a fresh clone this is the only place that proves the runtime's own lock file: tests run with more packages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from servers import direct, free_port, wait_for

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "demo-Passw0rd-2026"


def ask(url: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    with direct.open(request, timeout=10) as answer:
        return json.load(answer)


def mail_about(url: str, words: str, seconds: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = [m for m in ask(url) if words in m["subject"]]
        if found:
            return dict(found[0])
        time.sleep(0.3)
    sys.exit(f"No mail about “{words}” came within {seconds:.0f} s: is the worker alive?")


def start(folder: str, port: int, mails: int) -> subprocess.Popen[bytes]:
    env = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": folder, "MAIL_CATCHER_PORT": str(mails)}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SMTP_HOST", "DEMO", "PUBLIC_URL", "MAKEFLAGS"):
        env.pop(name, None)
    began = time.monotonic()
    product = subprocess.Popen(["make", "run"], cwd=ROOT, env=env, start_new_session=True)
    if not wait_for(f"http://127.0.0.1:{port}/api/v1/health/ready", 900, lambda: product.poll() is not None):
        stop(product)
        sys.exit("It did not become ready.")
    print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
    return product


def stop(product: subprocess.Popen[bytes]) -> None:
    if product.poll() is None:
        os.killpg(product.pid, signal.SIGTERM)
    try:
        product.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(product.pid, signal.SIGKILL)
        sys.exit("It did not stop within 60 s of SIGTERM.")
    if product.returncode not in (0, -signal.SIGTERM):
        sys.exit(f"It stopped with {product.returncode}.")


def main() -> None:
    port, mails = free_port(), free_port()
    base = f"http://127.0.0.1:{port}/api/v1"
    with tempfile.TemporaryDirectory(prefix="waypost-") as folder:
        product = start(folder, port, mails)
        try:
            token = ask(f"{base}/auth/login", {"username": "employee", "password": PASSWORD})["access_token"]
            ticket = ask(
                f"{base}/tickets",
                {
                    "title": "A first request",
                    "ticket_type": "IT_HARDWARE",
                    "amount": "500.00",
                    "custom_fields": {"budget_code": "FIRST", "justification": "To see it arrive"},
                    "submit": True,
                },
                token,
            )
            mail = mail_about(f"http://127.0.0.1:{mails}/mails.json", "A first request")
            print(f"{ticket['ticket_number']}: {mail['subject']} → {', '.join(mail['to'])}", flush=True)
        finally:
            stop(product)
        product = start(folder, port, mails)
        try:
            token = ask(f"{base}/auth/login", {"username": "employee", "password": PASSWORD})["access_token"]
            kept = ask(f"{base}/tickets/{ticket['id']}", token=token)
            if kept["ticket_number"] != ticket["ticket_number"]:
                sys.exit("The second start did not find the data.")
        finally:
            stop(product)
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
