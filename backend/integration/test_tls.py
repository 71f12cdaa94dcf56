"""Encrypted ways: to PostgreSQL, to the cache and the queue, and from browsers when no proxy stands in front."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.exceptions import RedisError
from sqlalchemy import text

from integration.systems import ROOT, apt, running
from waypost.kernel import hints, queue
from waypost.kernel.db import Database
from waypost.kernel.embedded import free_port
from waypost.kernel.processes import wait_until
from waypost.kernel.settings import Settings

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


def test_browsers_are_served_by_tls(template: dict[str, str], ours: Authority, tmp_path: Path) -> None:
    ca, cert, key = ours
    port = free_port()
    env = {
        **os.environ,
        **template,
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "DATA_DIR": str(tmp_path),
        "TLS_CERTIFICATE": str(cert),
        "TLS_KEY": str(key),
        "WORKERS": "1",
        "PYTHONPATH": str(ROOT / "backend"),
    }
    trusting = ssl.create_default_context(cafile=str(ca))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
    url = f"https://localhost:{port}/api/v1/health/live"
    server = subprocess.Popen([sys.executable, "-m", "waypost.cli", "serve-api"], env=env)

    def answers() -> bool:
        try:
            return opener.open(url, timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    try:
        assert wait_until(answers, 60, give_up=lambda: server.poll() is not None)
        with opener.open(url, timeout=5) as answer:
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        with pytest.raises((OSError, HTTPException)):  # nothing is served unencrypted
            urllib.request.urlopen(f"http://localhost:{port}/api/v1/health/live", timeout=5)
        for version, is_spoken in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            hello = ["openssl", "s_client", "-connect", f"localhost:{port}", version, "-cipher", "ALL:@SECLEVEL=0"]
            said = subprocess.run(hello, input=b"", capture_output=True, timeout=20)
            assert (said.returncode == 0) is is_spoken, version
    finally:
        server.terminate()
        server.wait(20)
