"""OpenLDAP as companies have it: TLS, the memberof overlay, an account to search with. On this machine only, in its own folder."""

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
from waypost.kernel.embedded import free_port

BASE = "dc=example,dc=com"
ADMIN = f"cn=root,{BASE}"
SEARCHER = f"cn=waypost,{BASE}"
SECRET = "root-Passw0rd"
PASSWORD = "jane-Passw0rd"
CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
TLSCACertificateFile {folder}/cert.pem
sizelimit size.soft=500 size.hard=500 size.pr=1000 size.prtotal=unlimited
database mdb
maxsize 104857600
suffix "{base}"
rootdn "{admin}"
rootpw {secret}
directory {folder}/data
dbnosync
index objectClass,entryUUID,uid,mail,member eq
index modifyTimestamp eq
overlay memberof
overlay refint
refint_attributes member manager
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by users read by * none
"""


def certificate(folder: Path) -> None:
    """A key and a certificate that names `localhost`."""
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


@dataclass
class OpenLdap:
    """A running OpenLDAP server."""

    folder: Path
    plain: int
    tls: int
    process: subprocess.Popen[bytes] | None = None
    _client: ldap3.Connection | None = field(default=None, repr=False)

    @property
    def ca_file(self) -> Path:
        """The certificate it shows, which names `localhost`."""
        return self.folder / "cert.pem"

    @property
    def client(self) -> ldap3.Connection:
        """Its administrator, signed in."""
        if self._client is None:
            self._client = ldap3.Connection(
                ldap3.Server("127.0.0.1", self.plain, get_info=ldap3.NONE), ADMIN, SECRET, auto_bind=True
            )
        return self._client

    def do(self, did: bool) -> None:
        assert did, self.client.result

    def add(self, dn: str, classes: list[str], **attributes: object) -> None:
        """An entry."""
        self.do(self.client.add(dn, classes, {k: v for k, v in attributes.items() if v}))

    def add_person(self, uid: str, first: str = "", last: str = "", *, below: str = "ou=people", **more: object) -> str:
        """A person with the password of all; returns their entry's name."""
        first, last = first or uid.title(), last or "Doe"
        dn = f"uid={ldap3.utils.dn.escape_rdn(uid)},{below},{BASE}"
        values = {"mail": f"{uid}@example.com", "userPassword": PASSWORD, **more}
        self.add(dn, ["inetOrgPerson"], cn=f"{first} {last}", givenName=first, sn=last, **values)
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """A group; returns its entry's name."""
        dn = f"cn={name},ou=groups,{BASE}"
        self.add(dn, ["groupOfNames"], member=list(members))
        return dn

    def change(self, dn: str, **attributes: object) -> None:
        """Set attributes; an empty value takes one away."""
        changes = {k: [(ldap3.MODIFY_REPLACE, [v] if v else [])] for k, v in attributes.items()}
        self.do(self.client.modify(dn, changes))

    def set_members(self, dn: str, *members: str) -> None:
        """Who is in a group."""
        self.do(self.client.modify(dn, {"member": [(ldap3.MODIFY_REPLACE, list(members))]}))

    def remove(self, dn: str) -> None:
        """Take an entry away."""
        self.do(self.client.delete(dn))

    def start(self) -> None:
        """Start it; returns when it answers."""
        command = [
            "/usr/sbin/slapd", "-d", "0", "-f", str(self.folder / "slapd.conf"),
            "-h", f"ldap://127.0.0.1:{self.plain}/ ldaps://127.0.0.1:{self.tls}/",
        ]  # fmt: skip
        with (self.folder / "slapd.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.plain), 1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"OpenLDAP does not start:\n{(self.folder / 'slapd.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop it; returns when it is gone."""
        if self._client is not None:
            self._client.unbind()
            self._client = None
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


@contextlib.contextmanager
def open_ldap() -> Iterator[OpenLdap]:
    """An OpenLDAP server with empty places for people and groups while the block runs."""
    apt("slapd", "ldap-utils")
    folder = Path(tempfile.mkdtemp(prefix="waypost-slapd-"))
    server = OpenLdap(folder, free_port(), free_port())
    try:
        (folder / "data").mkdir()
        certificate(folder)
        values = {"folder": folder, "base": BASE, "admin": ADMIN, "searcher": SEARCHER, "secret": SECRET}
        (folder / "slapd.conf").write_text(CONF.format(**values))
        server.start()
        server.add(BASE, ["dcObject", "organization"], o="Example", dc="example")
        for name in ("people", "groups", "elsewhere"):
            server.add(f"ou={name},{BASE}", ["organizationalUnit"], ou=name)
        server.add(SEARCHER, ["organizationalRole", "simpleSecurityObject"], userPassword="searcher-Passw0rd")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
