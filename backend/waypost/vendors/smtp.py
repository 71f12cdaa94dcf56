"""Mail out over SMTP (RFC 5321), with STARTTLS or TLS and authentication."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import aiosmtplib
import idna

from waypost.kernel import tls
from waypost.kernel.settings import Settings
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

TIMEOUT = 10.0  # seconds for one step before a mail
PATIENCE = 120.0  # seconds for a step of a mail: whoever hangs up too early sends it twice (RFC 5321, 4.5.3.2)
UNAUTHORISED = (530, 534, 535, 538)  # RFC 4954: nothing is wrong with the mail


async def send(settings: Settings, mails: Sequence[tuple[str, EmailMessage]]) -> AsyncGenerator[Fate]:
    """Send mails over one connection; each one's fate as soon as it is known, in order.

    Never raises for what a server can do to us.
    """
    try:
        client = await _connect(settings)
    except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPNotSupported, ssl.SSLError, ValueError) as error:
        for _ in mails:
            yield Misconfigured(_short(error))
        return
    except (aiosmtplib.SMTPException, OSError) as error:
        # A server without STARTTLS is told by the bare class, and by nothing else.
        is_without_tls = type(error) is aiosmtplib.SMTPException
        fate = Misconfigured(_short(error)) if is_without_tls else TryLater(_short(error), for_all=True)
        for _ in mails:
            yield fate
        return
    try:
        for recipient, message in mails:
            yield await _send_one(client, recipient, message)
    finally:
        client.close()


async def _connect(settings: Settings) -> aiosmtplib.SMTP:
    if not settings.smtp_host:
        raise ValueError("SMTP_HOST is not set")
    context = tls.context(settings.smtp_ca_file)
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=context if settings.smtp_security != "none" else None,
        timeout=TIMEOUT,
    )
    await client.connect()
    if settings.smtp_username:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        try:
            await client.login(settings.smtp_username, password)
        except BaseException:
            client.close()
            raise
    return client


async def _send_one(client: aiosmtplib.SMTP, recipient: str, message: EmailMessage) -> Fate:
    try:
        sender = str(message["From"].addresses[0].addr_spec)
        policy, options = SMTP, []
        if not (sender + _ascii_domain(recipient)).isascii():
            if not client.supports_extension("smtputf8"):
                return Rejected("the mail server takes no addresses beyond ASCII (SMTPUTF8, RFC 6531)")
            policy, options = SMTPUTF8, ["SMTPUTF8"]
        else:
            recipient = _ascii_domain(recipient)
            message.replace_header("To", recipient)
        written = message.as_bytes(policy=policy)
        read = message_from_bytes(written, policy=policy)
        if sorted(read.keys()) != sorted(message.keys()) or read.is_multipart() != message.is_multipart():
            return Rejected("it would be read as another mail than was written")
        await client.sendmail(sender, [recipient], written, mail_options=options, timeout=PATIENCE)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        worst = max((r.code for r in refused.recipients), default=550)
        return Rejected(_short(refused)) if worst >= 500 else TryLater(_short(refused))
    except aiosmtplib.SMTPResponseException as answered:
        await _reset(client)
        if answered.code in UNAUTHORISED or (
            isinstance(answered, aiosmtplib.SMTPSenderRefused) and answered.code >= 500
        ):
            return Misconfigured(_short(answered))
        return Rejected(_short(answered)) if answered.code >= 500 else TryLater(_short(answered))
    except (aiosmtplib.SMTPException, OSError) as error:
        return TryLater(_short(error))
    except (ValueError, MessageError) as error:  # it cannot be written as a mail, now or later
        await _reset(client)
        return Rejected(_short(error))
    return Delivered()


def _ascii_domain(address: str) -> str:
    """The address with its domain in the form every mail server knows (RFC 5891); the local part stays."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{idna.encode(domain, uts46=True).decode()}" if not domain.isascii() else address


async def _reset(client: aiosmtplib.SMTP) -> None:
    try:
        await client.rset()
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
