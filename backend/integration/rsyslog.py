"""rsyslog: takes syslog by TCP, TLS and UDP, and writes what it took to a file, a message a line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration.systems import apt
from waypost.kernel.embedded import free_port
from waypost.kernel.processes import wait_until

# The message as rsyslog parsed it, in its own JSON: what it understood, not what was on the wire.
_CONFIG = """
global(workDirectory="{folder}" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp")
module(load="imudp")
template(name="parsed" type="list" option.jsonf="on") {{
  property(outname="pri" name="pri" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="time" name="timereported" format="jsonf" dateFormat="rfc3339")
  property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}}
ruleset(name="keep") {{ action(type="omfile" file="{folder}/kept" template="parsed") }}
input(type="imtcp" port="{tcp}" address="127.0.0.1" ruleset="keep" supportOctetCountedFraming="on")
input(type="imtcp" port="{tls}" address="127.0.0.1" ruleset="keep" supportOctetCountedFraming="on"
      streamDriver.name="{driver}" streamDriver.mode="1" streamDriver.authMode="{auth}" {permitted})
input(type="imudp" port="{udp}" address="127.0.0.1" ruleset="keep" rcvbufSize="4m")
"""


@dataclass
class Rsyslog:
    """`tcp`, `tls` and `udp` are its ports. It can be stopped and started again; what it took stays."""

    folder: Path
    tcp: int
    tls: int
    udp: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        config, pid = self.folder / "rsyslog.conf", self.folder / "pid"
        pid.unlink(missing_ok=True)
        said = (self.folder / "said").open("ab")
        command = ["rsyslogd", "-n", "-f", str(config), "-i", str(pid)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        said.close()

        def listens() -> bool:
            with socket.socket() as one, socket.socket() as two:
                return not one.connect_ex(("127.0.0.1", self.tcp)) and not two.connect_ex(("127.0.0.1", self.tls))

        if not wait_until(listens, 30, give_up=lambda: self._process is not None and self._process.poll() is not None):
            raise RuntimeError(f"rsyslog does not start:\n{(self.folder / 'said').read_text()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def kept(self, at_least: int = 0, within: float = 20) -> list[dict[str, Any]]:
        """The messages it took, once there are so many, each with the JSON of its text as `json`."""
        until = time.monotonic() + within
        while True:
            path = self.folder / "kept"
            lines = path.read_bytes().splitlines() if path.exists() else []
            if len(lines) >= at_least or time.monotonic() > until:
                break
            time.sleep(0.1)
        found = []
        for line in lines:
            one = json.loads(line)
            one["json"] = json.loads(one["msg"].lstrip("\ufeff"))
            found.append(one)
        return found


@contextlib.contextmanager
def rsyslog(folder: Path, ca: Path, cert: Path, key: Path, *, asks_for_certificate: bool = False) -> Iterator[Rsyslog]:
    """It, running. With `asks_for_certificate` TLS is for senders with one of the authority's."""
    apt("rsyslog", "rsyslog-openssl")
    os.makedirs(folder, exist_ok=True)
    made = Rsyslog(folder, free_port(), free_port(), free_port())
    auth, permitted = ("x509/certvalid", "") if asks_for_certificate else ("anon", "")
    (folder / "rsyslog.conf").write_text(
        _CONFIG.format(
            folder=folder,
            ca=ca,
            cert=cert,
            key=key,
            tcp=made.tcp,
            tls=made.tls,
            udp=made.udp,
            driver="ossl",
            auth=auth,
            permitted=permitted,
        )
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()
