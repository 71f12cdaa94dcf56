"""Encrypted ways: to PostgreSQL, to the cache and the queue, and from browsers when no proxy stands in front."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.exceptions import RedisError
from sqlalchemy import text

from integration.systems import ROOT, apt, running
from waypost.kernel import hints, queue, tls
from waypost.kernel.db import Database
from waypost.kernel.embedded import free_port
from waypost.kernel.processes import wait_until
from waypost.kernel.settings import Settings
from waypost.vendors import clamd

Authority = tuple[Path, Path, Path]  # the authority's certificate, a server's, its key


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def authority(folder: Path) -> Authority:
    """A certificate authority of our own, and what it signed for `localhost` (and no other name)."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key, cert, key, asked = (folder / n for n in ("ca.pem", "ca.key", "cert.pem", "key.pem", "asked.pem"))
    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=A house's own", "-keyout", str(ca_key), "-out", str(ca))
    openssl("req", *new, "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(asked))
    names = folder / "names"
    names.write_text("subjectAltName=DNS:localhost\n")
    openssl(
        *("x509", "-req", "-in", str(asked), "-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial"),
        *("-days", "2", "-extfile", str(names), "-out", str(cert)),
    )
    return ca, cert, key


@pytest.fixture(scope="module")
def ours() -> Iterator[Authority]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield authority(Path(folder) / "ours")


@pytest.fixture(scope="module")
def stranger() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield authority(Path(folder) / "stranger")[0]


@pytest.fixture(scope="module")
def postgres(ours: Authority) -> Iterator[int]:
    """Debian's PostgreSQL, which speaks TLS and nothing else."""
    apt("postgresql")
    programs = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
    folder = Path(tempfile.mkdtemp(prefix="waypost-pg-tls-"))
    user = pwd.getpwnam("postgres")
    for name, file in (("server.crt", ours[1]), ("server.key", ours[2])):
        shutil.copy(file, folder / name)
        (folder / name).chmod(0o600)
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    data, port = folder / "data", free_port()
    as_postgres = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
    subprocess.run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres"],
        check=True,
        capture_output=True,
        **as_postgres,
    )
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
    (data / "postgresql.conf").write_text(
        f"port={port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nssl=on\n"
        f"ssl_cert_file='{folder}/server.crt'\nssl_key_file='{folder}/server.key'\n"
    )
    server = subprocess.Popen([programs / "postgres", "-D", data], stderr=subprocess.DEVNULL, **as_postgres)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert wait_until(listens, 30, give_up=lambda: server.poll() is not None)
        yield port
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


async def is_encrypted(host: str, port: int, ca: Path | None) -> bool:
    """Whether our own pool's connection is, as the server sees it."""
    url = SecretStr(f"postgresql://postgres@{host}:{port}/postgres")
    database = Database.connect(Settings(database_url=url, database_ca_file=ca))
    try:
        async with database.read() as session:
            found = await session.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
            return bool(found)
    finally:
        await database.dispose()


async def test_postgresql_is_spoken_to_by_tls_and_its_name_is_checked(
    postgres: int, ours: Authority, stranger: Path
) -> None:
    assert await is_encrypted("localhost", postgres, ours[0])
    with pytest.raises(ssl.SSLCertVerificationError):
        await is_encrypted("localhost", postgres, stranger)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
        await is_encrypted("127.0.0.1", postgres, ours[0])


@pytest.fixture(scope="module")
def cache(ours: Authority) -> Iterator[str]:
    """Debian's Redis, which speaks TLS and nothing else."""
    apt("redis-server")
    port = free_port()
    files = ("--tls-cert-file", str(ours[1]), "--tls-key-file", str(ours[2]), "--tls-ca-cert-file", str(ours[0]))
    where = ("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", "--bind", "127.0.0.1", "--save", "")
    with running("redis-server", *where, *files, ready="Ready to accept connections"):
        yield f"rediss://localhost:{port}/0"


async def test_the_cache_and_the_queue_are_spoken_to_by_tls(cache: str, ours: Authority, stranger: Path) -> None:
    for ca, is_ours in ((ours[0], True), (stranger, False)):
        settings = Settings(redis_url=SecretStr(cache), redis_ca_file=ca)
        client, broker = hints.connect(settings), queue.build(settings).connection_for_write()
        try:
            if is_ours:
                assert await client.ping()
                broker.ensure_connection(max_retries=1, timeout=5)
                continue
            with pytest.raises(RedisError, match="certificate verify failed"):
                await client.ping()
            with pytest.raises(Exception, match="certificate verify failed"):
                broker.ensure_connection(max_retries=1, timeout=5)
        finally:
            broker.release()
            await client.aclose()


@pytest.fixture(scope="module")
def web(template: dict[str, str], ours: Authority) -> Iterator[int]:
    """Waypost's own web server with a certificate."""
    ca, cert, key = ours
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            **template,
            "PORT": str(port),
            "HOST": "127.0.0.1",
            "DATA_DIR": folder,
            "DEMO": "1",  # an address for others: it wants to be said
            "TLS_CERTIFICATE": str(cert),
            "TLS_KEY": str(key),
            "WORKERS": "1",
            "PYTHONPATH": str(ROOT / "backend"),
        }
        server = subprocess.Popen([sys.executable, "-m", "waypost.cli", "serve-api"], env=env)

        def answers() -> bool:
            try:
                return opener(ca).open(live(port), timeout=2).status == 200
            except (urllib.error.URLError, OSError):
                return False

        try:
            assert wait_until(answers, 60, give_up=lambda: server.poll() is not None)
            yield port
        finally:
            server.terminate()
            server.wait(20)


def live(port: int) -> str:
    return f"https://localhost:{port}/api/v1/health/live"


def opener(ca: Path) -> urllib.request.OpenerDirector:
    trusting = urllib.request.HTTPSHandler(context=tls.context(ca))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), trusting)


def shakes_hands(port: int, *how: str) -> bool:
    hello = ["openssl", "s_client", "-connect", f"localhost:{port}", *how]
    return subprocess.run(hello, input=b"", capture_output=True, timeout=20).returncode == 0


def test_browsers_are_served_by_tls(web: int, ours: Authority) -> None:
    with opener(ours[0]).open(live(web), timeout=5) as answer:
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    with pytest.raises((OSError, HTTPException)):  # nothing is served unencrypted
        urllib.request.urlopen(f"http://localhost:{web}/api/v1/health/live", timeout=5)
    for version, is_spoken in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        assert shakes_hands(web, version, "-cipher", "ALL:@SECLEVEL=0") is is_spoken, version


def test_only_recommended_cipher_suites_are_spoken(web: int) -> None:
    said = subprocess.run(["openssl", "ciphers", "-tls1_2", "-s", "ALL:@SECLEVEL=0"], capture_output=True, check=True)
    offered = [name for name in said.stdout.decode().strip().split(":") if not name.startswith("TLS_")]
    spoken = {name for name in offered if shakes_hands(web, "-tls1_2", "-cipher", f"{name}:@SECLEVEL=0")}
    assert spoken == {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}
    assert len(offered) > 2 * len(spoken), "many more were tried"


@pytest.mark.parametrize("weak", ["AES256-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA"])
def test_a_server_with_weak_suites_only_is_not_spoken_to(ours: Authority, weak: str) -> None:
    ca, cert, key = ours
    port = free_port()
    how = (
        "-accept",
        str(port),
        "-cert",
        str(cert),
        "-key",
        str(key),
        "-tls1_2",
        "-www",
        "-cipher",
        f"{weak}:@SECLEVEL=0",
    )
    with running("openssl", "s_server", *how, ready="ACCEPT"):
        url = f"https://localhost:{port}/"
        able = ssl.create_default_context(cafile=str(ca))
        able.set_ciphers("ALL:@SECLEVEL=0")
        with urllib.request.build_opener(urllib.request.HTTPSHandler(context=able)).open(url, timeout=5) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError, match="handshake"):
            opener(ca).open(url, timeout=5)


async def test_the_scanner_is_spoken_to_by_tls(ours: Authority, stranger: Path) -> None:
    """clamd behind something that speaks TLS, as stunnel does."""
    asked = []

    async def scanner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"harmless\0\0\0\0"))
        writer.write(b"stream: OK\0")
        writer.close()

    async def file() -> AsyncIterator[bytes]:
        yield b"harmless"

    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(ours[1], ours[2])
    async with await asyncio.start_server(scanner, "127.0.0.1", 0, ssl=serving) as server:
        url = f"tls://localhost:{server.sockets[0].getsockname()[1]}"
        assert await clamd.scan(url, file(), ca_file=ours[0]) == clamd.Clean()
        assert b"harmless" in asked[0]
        refused = await clamd.scan(url, file(), ca_file=stranger)
        assert isinstance(refused, clamd.NotScanned)
        assert "certificate verify failed" in refused.why


def raw(port: int, request: bytes) -> list[bytes]:
    """The status lines that come back over one connection."""
    told = ssl.create_default_context()
    told.check_hostname, told.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 10) as plain, told.wrap_socket(plain) as connection:
        connection.settimeout(3)
        connection.sendall(request)
        came = b""
        with contextlib.suppress(TimeoutError, OSError):
            while piece := connection.recv(65536):
                came += piece
    return re.findall(rb"HTTP/1\.[01] (\d{3})", came)


SMUGGLED = b"GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 50\r\n",
        b"Content-Length: 5, 50\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: 5\r\n Transfer-Encoding: chunked\r\n",
    ],
)
def test_where_a_message_ends_is_never_two_things(web: int, headers: bytes) -> None:
    """What contradicts itself is refused, or ends the connection: what stands behind it is no request of its own."""
    head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for body in (b"0\r\n\r\n", b"5\r\nabcde\r\n0\r\n\r\n"):
        statuses = raw(web, head + headers + b"\r\n" + body + SMUGGLED)
        assert b"200" not in statuses, (headers, statuses)


def test_two_whole_requests_are_two(web: int) -> None:
    assert raw(web, SMUGGLED + SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) == [b"200", b"200"]
