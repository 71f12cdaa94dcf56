"""A mail server as companies have them: Postfix that takes mail with STARTTLS and a password, Dovecot that gives it out.

Both run with folders and settings of their own, on this machine only, and go with the block that started them.
"""

from __future__ import annotations

import contextlib
import grp
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration.systems import apt
from waypost.kernel.embedded import free_port
from waypost.kernel.processes import wait_until

DOMAIN = "example.com"
PASSWORDS = {
    "helpdesk": "box-Passw0rd",
    "second": "second-Passw0rd",
    "waypost": "sender-Passw0rd",
    "jane": "jane-Passw0rd",
}

_numbers = itertools.count(1)
MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/postfix-data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks =
alias_maps =
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{folder}/users
virtual_transport = lmtp:unix:private/dovecot-lmtp
default_transport = error:outside mail is off
relay_transport = error:outside mail is off
message_size_limit = 70000000
virtual_mailbox_limit = 0
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/cert.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
smtpd_error_sleep_time = 0
"""
MASTER_CF = """
127.0.0.1:{smtp} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""
DOVECOT_CONF = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
instance_name = waypost-{imaps}
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 0
recipient_delimiter = +
mail_location = maildir:{folder}/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = dovecot
default_login_user = dovenull
imap_capability = {capability}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {folder}/passwords
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%n
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener {folder}/spool/private/dovecot-lmtp {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service auth {{
  unix_listener {folder}/spool/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


@dataclass
class MailServer:
    """A running mail server. Addresses are those of `PASSWORDS`, at `DOMAIN`, with anything behind a plus."""

    folder: Path
    smtp: int
    imap: int
    imaps: int

    @property
    def ca_file(self) -> Path:
        """The certificate it shows, which names `localhost`."""
        return self.folder / "cert.pem"

    def mails(self, user: str, folder: str = "") -> list[bytes]:
        """What lies in a folder of somebody's, in the order it came."""
        root = self.folder / "mail" / user / (f".{folder}" if folder else "")
        files = [f for part in ("new", "cur") for f in (root / part).glob("*")]
        return [f.read_bytes() for f in sorted(files, key=lambda f: f.name)]

    def put(self, user: str, raw: bytes) -> None:
        """Let a mail lie in somebody's inbox as it is, also while nothing runs."""
        root, mail = self.folder / "mail" / user, pwd.getpwnam("mail")
        for part in ("tmp", "new", "cur"):
            (root / part).mkdir(parents=True, exist_ok=True)
        name = f"{time.time():.6f}.{next(_numbers)}.localhost"
        (root / "tmp" / name).write_bytes(raw)
        for path in (root, *root.iterdir(), root / "tmp" / name):
            os.chown(path, mail.pw_uid, mail.pw_gid)
        (root / "tmp" / name).rename(root / "new" / name)

    def empty(self) -> None:
        """Everybody's folders as on the first day."""
        for root in (self.folder / "mail").iterdir():
            shutil.rmtree(root, ignore_errors=True)

    def renumber(self, user: str) -> None:
        """Give the mails of somebody's inbox new numbers, as a server does whose index was lost."""
        for path in (self.folder / "mail" / user).glob("dovecot*"):
            if path.is_file():
                path.unlink()

    def start_dovecot(self) -> None:
        """Start what gives mail out; returns when it answers."""
        subprocess.run(["/usr/sbin/dovecot", "-c", str(self.folder / "dovecot.conf")], check=True, timeout=20)
        self._wait(self.folder / "run" / "master.pid")

    def kill_dovecot(self) -> None:
        """End it and all its connections without a word."""
        pid = int((self.folder / "run" / "master.pid").read_text())
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
        for each in [str(pid), *children]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(each), signal.SIGKILL)

        def is_gone() -> bool:  # also when nobody has asked yet how it ended
            try:
                return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except FileNotFoundError:
                return True

        wait_until(is_gone, 10)
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)

    def _wait(self, pid: Path) -> None:
        if not wait_until(pid.exists, 15):
            raise RuntimeError(f"it does not start:\n{self.said()}")

    def said(self) -> str:
        """The end of its logs."""
        logs = [self.folder / "postfix.log", self.folder / "dovecot.log"]
        return "\n".join(log.read_text(errors="replace")[-3000:] for log in logs if log.exists())


def _certificate(folder: Path) -> None:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip


def _write(server: MailServer, capability: str, separator: str) -> None:
    folder = server.folder
    values = {
        "folder": folder,
        "domain": DOMAIN,
        "smtp": server.smtp,
        "imap": server.imap,
        "imaps": server.imaps,
        "capability": capability,
        "separator": separator,
    }
    postfix, mail = pwd.getpwnam("postfix"), pwd.getpwnam("mail")
    (folder / "postfix").mkdir()
    (folder / "postfix" / "main.cf").write_text(MAIN_CF.format(**values))
    (folder / "postfix" / "master.cf").write_text(MASTER_CF.format(**values))
    (folder / "dovecot.conf").write_text(DOVECOT_CONF.format(**values))
    (folder / "users").write_text("".join(f"{user}@{DOMAIN} {user}\n" for user in PASSWORDS))
    (folder / "passwords").write_text("".join(f"{user}:{{PLAIN}}{password}\n" for user, password in PASSWORDS.items()))
    (folder / "spool").mkdir()
    (folder / "postfix-data").mkdir()
    os.chown(folder / "postfix-data", postfix.pw_uid, grp.getgrnam("postfix").gr_gid)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", mail.pw_uid, mail.pw_gid)
    for name in ("run", "state"):
        (folder / name).mkdir()
    _certificate(folder)


@contextlib.contextmanager
def mail_server(*, capability: str = "", separator: str = "/") -> Iterator[MailServer]:
    """A mail server while the block runs. `capability` is what it says that it can do, when not all it can."""
    apt("postfix", "dovecot-imapd", "dovecot-lmtpd")
    folder = Path(tempfile.mkdtemp(prefix="waypost-mail-"))
    folder.chmod(0o755)
    server = MailServer(folder, free_port(), free_port(), free_port())
    postfix = ["postfix", "-c", str(folder / "postfix")]
    try:
        _write(server, capability, separator)
        begun = subprocess.run([*postfix, "start"], capture_output=True, text=True, timeout=60)
        if begun.returncode:
            raise RuntimeError(f"Postfix does not start:\n{begun.stderr}\n{server.said()}")
        server.start_dovecot()
        yield server
    finally:
        subprocess.run([*postfix, "stop"], capture_output=True, timeout=60)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((folder / "run" / "master.pid").read_text()), signal.SIGTERM)
            until = time.monotonic() + 10
            while (folder / "run" / "master.pid").exists() and time.monotonic() < until:
                time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)
