"""A real Active Directory domain controller: Samba's, provisioned anew in a folder of its own, on this machine only."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ldap3

from integration.systems import apt

BASE = "DC=corp,DC=example,DC=com"
ADMIN_PASSWORD = "Root-Passw0rd-1"
PASSWORD = "Jane-Passw0rd-1"
HOST = "dc1.corp.example.com"
PORT = 636
NORMAL, DISABLED = 512, 514  # userAccountControl


@dataclass
class SambaAd:
    """A running domain controller of `corp.example.com` (CORP). It listens at the loopback address `address`."""

    folder: Path
    address: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None
    _client: ldap3.Connection | None = field(default=None, repr=False)

    @property
    def ca_file(self) -> Path:
        """Who signed its certificate, which names `HOST`."""
        return self.folder / "private" / "tls" / "ca.pem"

    @property
    def client(self) -> ldap3.Connection:
        """Its administrator, signed in."""
        if self._client is None:
            server = ldap3.Server(self.address, PORT, use_ssl=True, get_info=ldap3.NONE)
            self._client = ldap3.Connection(
                server, "CORP\\Administrator", ADMIN_PASSWORD, auto_bind=True, check_names=False
            )
        return self._client

    def do(self, did: bool) -> None:
        assert did, self.client.result

    def add_person(self, name: str, first: str = "", last: str = "", *, below: str = "CN=Users", **more: object) -> str:
        """A person who can sign in with the password of all; returns their entry's name."""
        first, last = first or name.title(), last or "Doe"
        dn = f"CN={first} {last},{below},{BASE}"
        values = {
            "sAMAccountName": name,
            "userPrincipalName": f"{name}@corp.example.com",
            "givenName": first,
            "sn": last,
            "mail": f"{name}@example.com",
            "unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le"),
            "userAccountControl": NORMAL,
            **more,
        }
        self.do(self.client.add(dn, ["user"], {k: v for k, v in values.items() if v is not None}))
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """A group; returns its entry's name."""
        dn = f"CN={name},CN=Users,{BASE}"
        self.do(self.client.add(dn, ["group"], {"sAMAccountName": name, **({"member": members} if members else {})}))
        return dn

    def add_unit(self, name: str) -> str:
        """An organisational unit; returns what stands for it below the base."""
        self.do(self.client.add(f"OU={name},{BASE}", ["organizationalUnit"]))
        return f"OU={name}"

    def change(self, dn: str, **attributes: object) -> None:
        """Set attributes; None takes one away."""
        changes = {k: [(ldap3.MODIFY_REPLACE, [] if v is None else [v])] for k, v in attributes.items()}
        self.do(self.client.modify(dn, changes))

    def change_members(self, group: str, *, add: str = "", remove: str = "") -> None:
        """Let somebody into a group, or out of it."""
        how = (ldap3.MODIFY_ADD, [add]) if add else (ldap3.MODIFY_DELETE, [remove])
        self.do(self.client.modify(group, {"member": [how]}))

    def move(self, dn: str, to: str, *, name: str = "") -> str:
        """Put an entry elsewhere, under another name when one is given; returns its new name."""
        relative = f"CN={name}" if name else dn.partition(",")[0]
        self.do(self.client.modify_dn(dn, relative, new_superior=f"{to},{BASE}"))
        return f"{relative},{to},{BASE}"

    def remove(self, dn: str) -> None:
        """Take an entry away."""
        self.do(self.client.delete(dn))

    def tool(self, *command: str) -> None:
        """What an administrator does with `samba-tool`."""
        done = subprocess.run(
            ["samba-tool", *command, "-s", str(self.folder / "etc" / "smb.conf")],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it; returns when it answers."""
        conf = str(self.folder / "etc" / "smb.conf")
        command = ["samba", "-F", "-i", "--no-process-group", "-s", conf, "-M", "single", "-d", "1"]
        with (self.folder / "samba.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((self.address, PORT), 1):
                return
            time.sleep(0.1)
        raise RuntimeError(f"Samba does not start:\n{(self.folder / 'samba.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop it; returns when it is gone."""
        if self._client is not None:
            self._client.unbind()
            self._client = None
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def _provision(folder: Path) -> None:
    done = subprocess.run(
        [
            "samba-tool", "domain", "provision", "--realm=CORP.EXAMPLE.COM", "--domain=CORP", "--host-name=dc1",
            f"--adminpass={ADMIN_PASSWORD}", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--use-rfc2307",
            "--host-ip=127.0.0.1", f"--targetdir={folder}", "--option=interfaces=lo",
            "--option=bind interfaces only=yes",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the domain cannot be made:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    conf = folder / "etc" / "smb.conf"
    conf.write_text(conf.read_text().replace("[global]", "[global]\n\tserver services = ldap\n", 1))


@contextlib.contextmanager
def samba_ad() -> Iterator[SambaAd]:
    """A new domain while the block runs."""
    apt(
        "samba-ad-dc", "samba", "samba-dsdb-modules", "samba-vfs-modules", "samba-ad-provision", "winbind", "krb5-user"
    )  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="waypost-samba-"))
    server = SambaAd(folder)
    try:
        _provision(folder)
        server.start()
        server.tool("domain", "passwordsettings", "set", "--account-lockout-threshold=6", "--min-pwd-age=0")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
