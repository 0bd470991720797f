"""Hands mails to an SMTP server, or to a folder for development."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from portal.domain.mails import Mail, NotSent, Unanswered

TIMEOUT_S = 10
PORTS = {"smtp": 587, "smtps": 465}


class SmtpPostman:
    """One connection for each mail. url: smtp:// with STARTTLS, or smtps://.

    A password is sent over TLS only; a server without TLS is used only when there is none.
    """

    def __init__(self, url: str, sender: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._name, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._context = context or ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        """Raises NotSent, or Unanswered when the connection broke at the handing over."""
        message = message_of(mail, self._sender)
        with self._connected() as server:
            try:
                server.send_message(message, to_addrs=[mail.recipient])
            except OSError as error:
                raise _outcome(error) from None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(_said(error)) from None
        try:
            yield server
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        if self._secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_S, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)
        try:
            self._introduce(server)
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP) -> None:
        server.ehlo()
        if not self._secure and server.has_extn("starttls"):
            server.starttls(context=self._context)
            server.ehlo()
        elif not self._secure and self._name:
            raise smtplib.SMTPNotSupportedError("no STARTTLS, so the password was not sent")
        if self._name:
            server.login(self._name, self._password)


class FilePostman:
    """Writes each mail into `folder` as a file that mail programs open."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """A second try replaces the file of the first. Raises NotSent."""
        message = message_of(mail, self._sender)
        name = re.sub(r"[^\w.-]+", "-", mail.key)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f"{name}.draft"
            draft.write_bytes(message.as_bytes())
            draft.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise NotSent(_said(error)) from None


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message as it is sent. Raises NotSent for an address that is none."""
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    try:
        author = Address(name, addr_spec=address)
        message["From"] = author
        message["To"] = Address(addr_spec=mail.recipient)
        message["Subject"] = mail.letter.subject
    except (ValueError, IndexError, MessageError) as error:
        raise NotSent(_said(error)) from None
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.key}@{author.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.letter.text)
    message.add_alternative(mail.letter.html, subtype="html")
    for each in mail.attachments:
        message.add_attachment(
            each.content, maintype="application", subtype="pdf", filename=each.name
        )
    return message


def _outcome(error: OSError) -> NotSent | Unanswered:
    """What an error while a mail was handed over says of it: a refusal is clear, silence is not."""
    silent = not isinstance(error, smtplib.SMTPException)
    if silent or isinstance(error, smtplib.SMTPServerDisconnected):
        return Unanswered(_said(error))
    return NotSent(_said(error))


def _said(error: Exception) -> str:
    """What went wrong, for whoever runs the portal."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, said = next(iter(error.recipients.values()))
            return f"{code} {_text(said)}"
        case smtplib.SMTPResponseException():
            return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
