"""The mail server of the tests itself."""

import smtplib
from email.message import EmailMessage

from tests.support.mail import MailServer


def test_a_persian_message_arrives_as_it_was_sent(mail_server: MailServer) -> None:
    message = EmailMessage()
    message["From"] = "anna@example.com"
    message["To"] = "ben@example.com"
    message["Subject"] = "یادآوری"
    message.set_content("سلام")

    with smtplib.SMTP(mail_server.host, mail_server.port) as client:
        client.send_message(message)

    (kept,) = mail_server.wait_for(1)
    assert (kept["subject"], kept.get_content().strip()) == ("یادآوری", "سلام")
