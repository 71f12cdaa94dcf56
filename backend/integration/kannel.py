"""Kannel: a gateway for text messages, with the network it has for trying it out."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration.systems import apt, running
from waypost.kernel.embedded import free_port

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
USERNAME, PASSWORD = "waypost", "pass word&1"
_CONFIG = """
group = core
admin-port = {admin}
admin-password = {password}
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {boxes}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {network}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
global-sender = 13013

group = sendsms-user
username = {username}
password = "{password}"
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"
concatenation = true
max-messages = 3

group = sms-service
keyword = default
catch-all = true
get-url = "{hook}?from=%p&text=%a&id=%I"
max-messages = 0
omit-empty = true
"""


@dataclass(frozen=True)
class Kannel:
    """`url` is where messages are given to it; `network` the port at which a network connects."""

    url: str
    network: int

    @contextlib.contextmanager
    def phone(self, number: str, says: str) -> Iterator[Phone]:
        """A network with one phone in it, which says something at once and keeps what it gets."""
        message = f"{number} 13013 text {says}"
        command = (FAKESMSC, "-H", "127.0.0.1", "-r", str(self.network), "-i", "1000", "-m", "1", message)
        with tempfile.NamedTemporaryFile("w+") as heard:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=heard, stderr=subprocess.STDOUT)
            try:
                yield Phone(Path(heard.name))
            finally:
                process.terminate()
                process.wait(10)
                time.sleep(0.5)  # until Kannel has seen that its network is gone, and takes another


@dataclass(frozen=True)
class Phone:
    heard: Path

    def got(self) -> str:
        """Everything that reached it."""
        return "\n".join(part.rpartition(">")[0] for part in self.heard.read_text().split("Got message ")[1:])


@contextlib.contextmanager
def kannel(hook: str) -> Iterator[Kannel]:
    """Both of its programs, bringing what phones say to `hook`, which must be there already. Raises when it cannot be."""
    apt("kannel", "kannel-extras")
    ports = {name: free_port() for name in ("admin", "boxes", "network", "http")}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kannel.conf"
        config.touch(mode=0o600)
        config.write_text(_CONFIG.format(**ports, username=USERNAME, password=PASSWORD, hook=hook))
        with (
            running("bearerbox", "-v", "1", str(config), ready="Start-up done"),
            running("smsbox", "-v", "1", str(config), ready="Connected to bearerbox"),
        ):
            yield Kannel(f"http://127.0.0.1:{ports['http']}/cgi-bin/sendsms", ports["network"])
