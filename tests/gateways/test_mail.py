"""Handing mail over: to a real SMTP server on this machine, and to a folder."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.mails import ADDRESS, Attachment, Letter, Mail, NotSent, Unanswered
from portal.domain.periods import WallNow
from portal.gateways.mail import FilePostman, SmtpPostman, message_of

SENDER = "Acme Billing <billing@example.com>"
LETTER = Letter("You bought Größe 100 GB", "Thank you.\n\nGröße\n", "<p>Größe</p>")
MAIL = Mail(
    key="mail-1-42",
    recipient="owner@account1.test",
    letter=LETTER,
    at=WallNow(datetime(2026, 5, 1, 9, 30, tzinfo=UTC)),
    attachments=(Attachment("invoice-000012.pdf", b"%PDF-1.7 \x00\xff"),),
)


@dataclass
class Letterbox:
    """Keeps what arrives. says: the answer to the mail's text."""

    says: str = "250 OK"
    came: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.came.append(envelope)
        return self.says

    def message(self) -> EmailMessage:
        [envelope] = self.came
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 in one file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate / "cert.pem"))


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture
def serve(box: Letterbox) -> Iterator[Any]:
    """Start a server with aiosmtpd's options; its port is the answer."""
    started: list[Controller] = []

    def start(**options: Any) -> int:
        server = Controller(box, hostname="127.0.0.1", port=_free_port(), **options)
        server.start()
        started.append(server)
        return server.port

    yield start
    for server in started:
        server.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def knows(name: bytes, password: bytes) -> Any:
    """An authenticator for one name and password."""

    def check(_server: Any, _session: Any, _envelope: Any, _kind: Any, given: Any) -> AuthResult:
        known = (given.login, given.password) == (name, password)
        return AuthResult(success=known, handled=False)

    return check


def test_a_mail_arrives_whole(serve, box):
    SmtpPostman(f"smtp://127.0.0.1:{serve()}", SENDER).send(MAIL)
    message = box.message()
    [envelope] = box.came
    assert (envelope.mail_from, envelope.rcpt_tos) == ("billing@example.com", [MAIL.recipient])
    assert message["From"] == SENDER
    assert (message["To"], message["Subject"]) == (MAIL.recipient, LETTER.subject)
    assert message["Date"] == "Fri, 01 May 2026 09:30:00 +0000"
    assert message["Message-ID"] == "<mail-1-42@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, shown = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert shown is not None
    assert plain.get_content().splitlines() == LETTER.text.splitlines()
    assert shown.get_content().strip() == LETTER.html
    [pdf] = message.iter_attachments()
    assert (pdf.get_filename(), pdf.get_content_type()) == ("invoice-000012.pdf", "application/pdf")
    assert pdf.get_content() == b"%PDF-1.7 \x00\xff"


def test_a_mail_without_an_invoice_has_no_attachment(serve, box):
    SmtpPostman(f"smtp://127.0.0.1:{serve()}", SENDER).send(replace(MAIL, attachments=()))
    assert list(box.message().iter_attachments()) == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_name_and_password_go_over_tls(serve, box, certificate, scheme):
    secured: dict[str, Any] = (
        {"ssl_context": serving(certificate), "auth_require_tls": False, "auth_required": False}
        if scheme == "smtps"
        else {"tls_context": serving(certificate), "require_starttls": True, "auth_required": True}
    )
    port = serve(authenticator=knows(b"me", b"p@ss"), **secured)
    url = f"{scheme}://me:p%40ss@127.0.0.1:{port}"
    SmtpPostman(url, SENDER, trusting(certificate)).send(MAIL)
    assert len(box.came) == 1
    wrong = SmtpPostman(url.replace("p%40ss", "other"), SENDER, trusting(certificate))
    with pytest.raises(NotSent) as refused:
        wrong.send(MAIL)
    assert "535" in str(refused.value)
    assert "other" not in str(refused.value)
    with pytest.raises(NotSent, match=r"(?i)certificate"):
        SmtpPostman(url, SENDER).send(MAIL)
    assert len(box.came) == 1


def test_a_password_is_not_sent_in_the_clear(serve, box):
    port = serve(authenticator=knows(b"me", b"secret"), auth_require_tls=False)
    with pytest.raises(NotSent, match="no STARTTLS"):
        SmtpPostman(f"smtp://me:secret@127.0.0.1:{port}", SENDER).send(MAIL)
    assert box.came == []


@pytest.mark.parametrize("answer", ["451 try later", "554 no spam please"])
def test_a_refusal_says_that_nothing_left(serve, box, answer):
    box.says = answer
    with pytest.raises(NotSent, match=answer):
        SmtpPostman(f"smtp://127.0.0.1:{serve()}", SENDER).send(MAIL)


def test_no_server_there(serve):
    with pytest.raises(NotSent, match="refused"):
        SmtpPostman(f"smtp://127.0.0.1:{_free_port()}", SENDER).send(MAIL)


def test_a_server_that_goes_away_with_the_mail_may_have_delivered_it():
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_hang_up_after_data, args=(door,))
        thread.start()
        with pytest.raises(Unanswered):
            SmtpPostman(f"smtp://127.0.0.1:{door.getsockname()[1]}", SENDER).send(MAIL)
        thread.join(10)


def _hang_up_after_data(door: socket.socket) -> None:
    """Take a mail to its last dot, and say nothing more."""
    connection, _ = door.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line == b".\r\n":
                return
            if line[:4].upper() in (b"EHLO", b"MAIL", b"RCPT"):
                connection.sendall(b"250 ok\r\n")
            elif line[:4].upper() == b"DATA":
                connection.sendall(b"354 go on\r\n")


HOSTILE = [
    "owner@account1.test\r\nBcc: all@else.test",
    "owner@account1.test, all@else.test",
    "no address",
    "",
]


@pytest.mark.parametrize("recipient", HOSTILE)
def test_a_recipient_is_one_address_and_no_header(serve, box, recipient):
    postman = SmtpPostman(f"smtp://127.0.0.1:{serve()}", SENDER)
    with pytest.raises(NotSent):
        postman.send(replace(MAIL, recipient=recipient))
    assert box.came == []


@settings(deadline=None)
@given(st.from_regex(ADDRESS, fullmatch=True).filter(lambda each: len(each) <= 320))
def test_whatever_the_forms_take_can_be_written_to(recipient):
    message = message_of(replace(MAIL, recipient=recipient), SENDER)
    assert message["To"].defects == ()
    assert message["To"].addresses[0].addr_spec == recipient


@pytest.mark.parametrize(
    "none", ["é@account1.test", "a@é.test", ".a@b.test", "a..b@c.test", "a@", *HOSTILE]
)
def test_what_cannot_be_written_to_is_no_address(none):
    assert re.fullmatch(ADDRESS, none) is None


def test_a_subject_cannot_add_a_header(tmp_path):
    mail = replace(MAIL, letter=replace(LETTER, subject="Hello\r\nBcc: all@else.test"))
    with pytest.raises(NotSent):
        FilePostman(tmp_path, SENDER).send(mail)


def test_a_folder_keeps_each_mail_as_a_file(tmp_path):
    folder = tmp_path / "mail"
    postman = FilePostman(folder, SENDER)
    postman.send(MAIL)
    postman.send(MAIL)
    postman.send(replace(MAIL, key="../mail-1-43"))
    assert sorted(p.name for p in folder.iterdir()) == ["..-mail-1-43.eml", "mail-1-42.eml"]
    message = message_from_bytes((folder / "mail-1-42.eml").read_bytes(), policy=default)
    assert message["Subject"] == LETTER.subject


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSent):
        FilePostman(tmp_path / "file" / "mail", SENDER).send(MAIL)


def test_the_library_still_tells_refusals_from_silence():
    """What `_outcome` relies on."""
    assert issubclass(smtplib.SMTPException, OSError)
    assert not issubclass(smtplib.SMTPDataError, smtplib.SMTPServerDisconnected)
