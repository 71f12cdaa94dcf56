"""Everything `make test` runs: the web app's units, journeys in a browser, the backend on real servers with coverage."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from servers import free_port, quick_folder, wait_for

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
WEB = ROOT / "frontend"
ENV = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONPATH": str(ROOT / "backend")}
REPORT = WEB / "test-results" / "journeys.json"
REMARKS: list[str] = []  # said last, where one looks first
LEAST = 80  # percent, branches counted
# The pure cores, the policies and the relay: every line and branch.
WHOLE = (
    "backend/waypost/approvals/engine.py",
    "backend/waypost/approvals/states.py",
    "backend/waypost/approvals/planning.py",
    "backend/waypost/approvals/definition.py",
    "backend/waypost/approvals/reading.py",
    "backend/waypost/approvals/link_state.py",
    "backend/waypost/reports/cells.py",
    "backend/waypost/reports/percentiles.py",
    "backend/waypost/reports/seasons.py",
    "backend/waypost/sla/calendar.py",
    "backend/waypost/sla/clock.py",
    "backend/waypost/sla/marking.py",
    "backend/waypost/tickets/lifecycle.py",
    "backend/waypost/tickets/routing.py",
    "backend/waypost/tickets/files.py",
    "backend/waypost/tickets/mentions.py",
    "backend/waypost/tickets/canned_words.py",
    "backend/waypost/automation/rules.py",
    "backend/waypost/search/alerting.py",
    "backend/waypost/search/asking.py",
    "backend/waypost/search/compiling.py",
    "backend/waypost/search/highlighting.py",
    "backend/waypost/search/vectors.py",
    "backend/waypost/search/words.py",
    "backend/waypost/kernel/crypto.py",
    "backend/waypost/audit/chain.py",
    "backend/waypost/audit/checkpoints.py",
    "backend/waypost/audit/pack.py",
    "backend/waypost/notifications/matrix.py",
    "backend/waypost/notifications/expressions.py",
    "backend/waypost/notifications/planning.py",
    "backend/waypost/access/throttle.py",
    "backend/waypost/access/providers/saml/bindings.py",
    "backend/waypost/access/providers/saml/decrypting.py",
    "backend/waypost/access/providers/saml/guard.py",
    "backend/waypost/access/providers/saml/judging.py",
    "backend/waypost/access/providers/saml/logout.py",
    "backend/waypost/access/providers/saml/mapping.py",
    "backend/waypost/access/providers/saml/metadata.py",
    "backend/waypost/access/providers/saml/reading.py",
    "backend/waypost/access/providers/saml/refusing.py",
    "backend/waypost/access/providers/saml/requests.py",
    "backend/waypost/access/providers/saml/verifying.py",
    "backend/waypost/access/providers/saml/words.py",
    "backend/waypost/kernel/conditions/*.py",
    "backend/waypost/kernel/relay.py",
    "backend/waypost/*/*policy.py",
)


def sh(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> bool:
    print(f"\n$ {' '.join(Path(c).name if c.startswith('/') else c for c in command)}", flush=True)
    return subprocess.run(command, cwd=cwd, env=env or ENV, check=False).returncode == 0


def backend() -> bool:
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    coverage = str(BIN / "coverage")
    ran = sh(
        str(BIN / "pytest"),
        "-n",
        str(min(4, os.cpu_count() or 1)),
        "--dist",
        "loadfile",
        "--cov",
        "--cov-report=",
        "--durations=25",
        env={**ENV, "SERVERS_FOLDER": quick_folder() or ""},
    )
    enough = sh(coverage, "report", f"--fail-under={LEAST}")
    whole = sh(coverage, "report", "--fail-under=100", "--show-missing", f"--include={','.join(WHOLE)}")
    return ran and enough and whole


def unhappy(suite: dict[str, Any]) -> list[str]:
    """A line for each journey of a report that failed, or passed only when it was tried again."""
    lines = [line for inner in suite.get("suites", ()) for line in unhappy(inner)]
    for spec in suite.get("specs", ()):
        for test in spec["tests"]:
            if test["status"] in ("unexpected", "flaky"):
                errors = [e.get("message", "") for r in test["results"] for e in r.get("errors", ())]
                words = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(errors[:1])).split()
                where = f"[{test['projectName']}] {spec['file']}:{spec['line']} {spec['title']}"
                lines.append(f"{test['status']}: {where}: {' '.join(words)[:400]}")
    return lines


def journeys() -> bool:
    """The product started as people start it, on an empty folder, and used in a real browser."""
    folder = Path(tempfile.mkdtemp(prefix="waypost-", dir=quick_folder()))
    port, mails = free_port(), free_port()
    env = {**ENV, "DATA_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1", "MAIL_CATCHER_PORT": str(mails)}
    env["NOTIFY_GATHER_SECONDS"] = "1"  # journeys wait for mails
    env["OUTGOING_ALLOW"] = '["127.0.0.0/8"]'  # and one is a gateway for text messages
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SMTP_HOST", "DEMO", "PUBLIC_URL"):
        env.pop(name, None)
    log = (folder / "run.log").open("w")
    product = subprocess.Popen(
        [str(BIN / "python"), "-m", "waypost.cli", "run"], cwd=ROOT, env=env, stdout=log, stderr=log
    )
    # the packaged browser unpacks into TMPDIR: a folder of this run's own, not one another user may have left, and on a
    # disk, for programs may not run where there is only memory
    browser = Path(tempfile.mkdtemp(prefix="waypost-browser-"))
    try:
        base = f"http://127.0.0.1:{port}"
        if not wait_for(f"{base}/api/v1/health/ready", 300, lambda: product.poll() is not None):
            print((folder / "run.log").read_text())
            return False
        where = {"BASE_URL": base, "MAILS_URL": f"http://127.0.0.1:{mails}", "TMPDIR": str(browser)}
        where["SUPERVISOR_PID"] = str(product.pid)  # for journeys that kill one of the product's processes
        run = ("npm", "run", "--silent", "e2e", "--")
        went_well = True
        for projects in (("--project", "desktop", "--project", "phone"), ("--project", "alone")):
            REPORT.unlink(missing_ok=True)
            went_well &= sh(*run, *projects, cwd=WEB, env={**ENV, **where})
            if REPORT.exists():
                REMARKS.extend(unhappy(json.loads(REPORT.read_text())))
        return went_well
    finally:
        product.send_signal(signal.SIGTERM)
        product.wait(60)
        log.close()
        for made in (folder, browser):
            shutil.rmtree(made, ignore_errors=True)


def main() -> None:
    parts = {"web": lambda: sh("npm", "run", "--silent", "test", cwd=WEB), "journeys": journeys, "backend": backend}
    wanted = sys.argv[1:] or list(parts)
    began = time.monotonic()
    results = {name: parts[name]() for name in wanted}
    print("", *REMARKS, sep="\n")
    print(
        f"\n{time.monotonic() - began:.0f} s: "
        + ", ".join(f"{n} {'ok' if r else 'FAILED'}" for n, r in results.items())
    )
    sys.exit(0 if all(results.values()) else 1)


if __name__ == "__main__":
    main()
