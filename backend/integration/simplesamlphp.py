"""SimpleSAMLphp: an identity provider as universities and companies run it, with people, groups and keys of its own."""

from __future__ import annotations

import contextlib
import html
import re
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from integration.systems import apt, running
from tests.access.saml.idp import Pair, pair
from waypost.kernel.embedded import free_port

WEB = "/usr/share/simplesamlphp/www"
JANE, JOHN = ("jane", "jane-Passw0rd"), ("john", "john-Passw0rd")
_CONFIG = """<?php
$config = [
    'baseurlpath' => '{url}/',
    'certdir' => '{folder}/cert/', 'loggingdir' => '{folder}/log/', 'datadir' => '{folder}/data/',
    'tempdir' => '{folder}/tmp', 'metadatadir' => '{folder}/metadata/',
    'metadata.sources' => [['type' => 'flatfile', 'directory' => '{folder}/metadata/']],
    'secretsalt' => '{salt}', 'auth.adminpassword' => '{salt}', 'timezone' => 'UTC',
    'technicalcontact_email' => 'nobody@example.com',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false, 'session.phpsession.savepath' => '{folder}/tmp',
    'session.cookie.samesite' => null, 'language.cookie.secure' => false,
    'store.type' => 'sql', 'store.sql.dsn' => 'sqlite:{folder}/data/store.sqlite',
    'logging.handler' => 'file', 'logging.level' => 7, 'debug' => null, 'showerrors' => true,
    'trusted.url.domains' => null,
];
"""
_SOURCES = """<?php
$config = [
    'admin' => ['core:AdminPassword'],
    'people' => ['exampleauth:UserPass',
        'jane:jane-Passw0rd' => ['uid' => ['jane.roe'], 'mail' => ['jane.roe@example.com'], 'givenName' => ['Jane'],
            'sn' => ['Roe'], 'groups' => ['waypost-agents', 'staff'], 'pid' => ['p-0001']],
        'john:john-Passw0rd' => ['uid' => ['john.smith'], 'mail' => ['john.smith@example.com'], 'givenName' => ['John'],
            'sn' => ['Smith'], 'groups' => ['staff'], 'pid' => ['p-0002']],
    ],
];
"""
_HOSTED = """<?php
$metadata['{url}/saml2/idp/metadata.php'] = [
    'host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'people',
    'saml20.sign.response' => {sign_response}, 'saml20.sign.assertion' => {sign_assertion},
    'sign.logout' => true, 'validate.logout' => true,
    'authproc' => [3 => ['class' => 'saml:AttributeNameID', 'attribute' => 'pid',
        'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent']],
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
];
"""
_REMOTE = """<?php
$metadata['{entity_id}'] = [
    'AssertionConsumerService' => '{acs_url}', 'SingleLogoutService' => '{sls_url}',
    'certData' => '{certificate}', 'validate.authnrequest' => true, 'validate.logout' => true, 'sign.logout' => true,
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'assertion.encryption' => {encrypt}, 'sharedkey_algorithm' => '{cipher}',
    'simplesaml.attributes' => true,
];
"""


@dataclass
class Idp:
    """A running one. `folder` holds its settings, which may change while it runs."""

    url: str
    folder: Path
    keys: Pair = field(default_factory=lambda: pair("simplesamlphp"))

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/saml2/idp/metadata.php"

    def knows(
        self,
        *,
        entity_id: str,
        acs_url: str,
        sls_url: str,
        certificate: str,
        encrypt: bool = False,
        cipher: str = "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        sign_response: bool = True,
        sign_assertion: bool = True,
    ) -> None:
        """Tell it of us."""
        (self.folder / "metadata" / "saml20-sp-remote.php").write_text(
            _REMOTE.format(
                entity_id=entity_id,
                acs_url=acs_url,
                sls_url=sls_url,
                certificate="".join(line for line in certificate.splitlines() if "---" not in line),
                encrypt=str(encrypt).lower(),
                cipher=cipher,
            )
        )
        self.signs(response=sign_response, assertion=sign_assertion)

    def signs(self, *, response: bool, assertion: bool) -> None:
        """What it signs from now on."""
        (self.folder / "metadata" / "saml20-idp-hosted.php").write_text(
            _HOSTED.format(url=self.url, sign_response=str(response).lower(), sign_assertion=str(assertion).lower())
        )

    def log(self) -> str:
        """What it wrote down."""
        return "\n".join(p.read_text(errors="replace") for p in (self.folder / "log").glob("*.log"))


@dataclass(frozen=True)
class Form:
    """A form that a page would send by itself."""

    action: str
    fields: dict[str, str]


class Browser:
    """What a person's browser does at the identity provider: follow, fill in, and bring back."""

    def __init__(self, idp: Idp) -> None:
        self.idp = idp
        self.http = httpx2.Client(follow_redirects=False, trust_env=False, timeout=30)

    def close(self) -> None:
        self.http.close()

    def sign_in(self, address: str, person: tuple[str, str] = JANE) -> Form:
        """Go to its page, fill in name and password when asked, and get what is to be brought back."""
        page = self._there(self.http.get(address))
        if 'name="password"' in page.text:
            form = _form(page)
            form.fields.update(username=person[0], password=person[1])
            page = self._there(self.http.post(form.action, data=form.fields))
        assert "SAMLResponse" in page.text, f"{page.url}\n{_words(page.text)}\n{self.idp.log()[-3000:]}"
        return _form(page)

    def leaves(self, address: str) -> str:
        """Go to its page, and on until an address is none of its own: that address."""
        answer = self.http.get(address)
        while True:
            while answer.is_redirect:
                to = urljoin(str(answer.url), answer.headers["location"])
                if not to.startswith(self.idp.url):
                    return to
                answer = self.http.get(to)
            raise AssertionError(f"{answer.status_code} {answer.url}\n{_words(answer.text)}\n{self.idp.log()[-3000:]}")

    def page(self, address: str) -> str:
        """The words of a page."""
        return _words(self._there(self.http.get(address)).text)

    def _there(self, answer: Any) -> Any:
        while answer.is_redirect:
            answer = self.http.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer


def _form(page: Any) -> Form:
    found = re.search(r'<form[^>]*action="([^"]*)"', page.text)
    action = html.unescape(found[1]) if found else ""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page.text):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="submit"' not in tag:
            fields[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    return Form(urljoin(str(page.url), action), fields)


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).strip()[:2000]


@contextlib.contextmanager
def simplesamlphp() -> Iterator[Idp]:
    """One with two people, on this machine. Raises when it cannot be."""
    apt("simplesamlphp", "php-cli", "php-xml", "php-sqlite3", "php-mbstring")
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"http://127.0.0.1:{port}"
        for part in ("cert", "log", "data", "tmp", "metadata"):
            (folder / part).mkdir()
        keys = pair("simplesamlphp")
        (folder / "cert" / "idp.key").write_bytes(keys.key)
        (folder / "cert" / "idp.crt").write_text(keys.certificate)
        (folder / "config.php").write_text(_CONFIG.format(url=url, folder=folder, salt=secrets.token_hex(16)))
        (folder / "authsources.php").write_text(_SOURCES)
        idp = Idp(url, folder)
        idp.signs(response=True, assertion=True)
        ready = "started"
        with running(
            "php", "-d", "error_reporting=22527", "-d", "opcache.enable=0", "-S", f"127.0.0.1:{port}", "-t", WEB,
            ready=ready, SIMPLESAMLPHP_CONFIG_DIR=str(folder),
        ):  # fmt: skip
            yield idp


def host_of(address: str) -> str:
    return urlsplit(address).netloc
