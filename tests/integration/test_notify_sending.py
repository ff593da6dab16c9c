"""From a mail that waits to a real SMTP server, with PostgreSQL in between."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, text

from chassis.database import Database
from contracts.errors import ServiceUnavailable
from services.notify import sending, store
from services.notify.directory import Contact, DirectoryUnavailable
from services.notify.mail import Mailer
from services.notify.sending import MailSender
from services.notify.store import Outcome


class MailServer:
    """Answers by the recipient's name, and keeps what it took."""

    answers: dict[str, str]

    def __init__(self) -> None:
        self.answers = {}
        self.received: list[EmailMessage] = []
        self.connections = 0
        # aiosmtpd connects to its port once when it starts, so it must know it: 0 does not do
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any
    ) -> Any:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answer = self.answers.get(address.partition("@")[0], "250 OK")
        if answer == "disconnect":
            server.transport.close()
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    def recipients(self) -> list[str]:
        return [str(message["To"]).partition("@")[0] for message in self.received]


class Directory:
    """Everybody lives at example.org, but for `nobody` and `gone`."""

    def __init__(self) -> None:
        self.questions: list[set[str]] = []
        self.is_down = False

    def contacts(self, subjects: Collection[str]) -> dict[str, Contact]:
        if self.is_down:
            raise DirectoryUnavailable("down")
        self.questions.append(set(subjects))
        return {
            subject: Contact("" if subject == "nobody" else f"{subject}@example.org", "zh-Hant", subject.title())
            for subject in subjects
            if subject != "gone"
        }

    def item_names(self, item: str) -> dict[str, str]:
        return {"zh-Hans": "老年人优待证", "zh-Hant": "敬老優待證", "en": "Elderly concession card"}


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Post:
    """A sender between a fresh set of rows and a mail server."""

    def __init__(self, database: Database, port: int) -> None:
        self.database = database
        self.directory = Directory()
        self.clock = Clock()
        self.port = port
        self.sender = self.another_replica()

    def another_replica(self, database: Database | None = None) -> MailSender:
        server = SimpleNamespace(smtp_host="127.0.0.1", smtp_port=self.port, smtp_starttls=False, smtp_user="")
        return MailSender(
            database or self.database,
            cast(Any, self.directory),
            Mailer(cast(Any, server)),
            sender="OneHall <no-reply@hall.example>",
            base_url="https://hall.example",
            lease_seconds=60,
            now=self.clock,
        )

    def add(self, *recipients: str) -> None:
        for recipient in recipients:
            notice = store.Notice(
                str(uuid.uuid4()), "case.accepted", recipient, datetime.now(UTC), "N-1", "elderly-card"
            )
            with self.database.transaction() as session:
                store.tell(session, notice, [store.MAIL])

    def rows(self) -> dict[str, Any]:
        with self.database.transaction() as session:
            return {row.recipient: row for row in session.execute(select(store.deliveries))}

    def row(self, recipient: str) -> Any:
        return self.rows()[recipient]

    def run(self, statement: str) -> None:
        with self.database.transaction() as session:
            session.execute(text(statement))

    def make_due(self) -> None:
        self.run("UPDATE deliveries SET next_attempt_at = now() - interval '1 second'")


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def post(notify_database: Database, server: MailServer) -> Post:
    post = Post(notify_database, server.port)
    post.run("TRUNCATE deliveries, preferences")
    return post


def test_a_mail_is_sent_once(post: Post, server: MailServer) -> None:
    post.add("wang")
    post.sender.send_due()
    post.sender.send_due()
    [message] = server.received
    row = post.row("wang")
    assert message["To"] == "wang@example.org"
    assert message["Subject"] == "您的申請已受理：敬老優待證（N-1）"
    assert message["Message-ID"] == f"<{row.id}@hall.example>"
    assert message.get_content().startswith("Wang，您好：")
    assert "https://hall.example/cases/N-1" in message.get_content()
    assert (row.status, row.attempts, row.locked_until, row.last_error) == ("sent", 1, None, None)
    assert row.sent_at is not None


def test_the_preferred_language_wins_over_the_account_s(post: Post, server: MailServer) -> None:
    with post.database.transaction() as session:
        store.save_preferences(session, "wang", "en", ["mail"])
    post.add("wang")
    post.sender.send_due()
    assert server.received[0]["Subject"] == "Your application has been accepted: Elderly concession card (N-1)"


def test_a_batch_asks_once_and_connects_once(post: Post, server: MailServer) -> None:
    post.add("a", "b", "c", "a")
    post.sender.send_due()
    assert server.recipients() == ["a", "b", "c", "a"]
    assert post.directory.questions == [{"a", "b", "c"}]
    assert server.connections == 1


def test_a_full_batch_is_followed_by_the_next(post: Post, server: MailServer) -> None:
    post.add(*(f"r{number}" for number in range(sending.BATCH + 5)))
    post.sender.send_due()
    assert len(server.received) == sending.BATCH + 5
    assert server.connections == 2


def test_one_recipient_s_trouble_is_not_the_others(post: Post, server: MailServer) -> None:
    server.answers = {"wrong": "550 no such user", "busy": "451 later"}
    post.add("wrong", "nobody", "gone", "busy", "wang")
    post.sender.send_due()
    assert server.recipients() == ["wang"]
    rows = post.rows()
    assert {recipient: (row.status, row.last_error) for recipient, row in rows.items()} == {
        "wrong": ("failed", "MailRefused 550"),
        "nobody": ("failed", "NoAddress"),
        "gone": ("failed", "NoAddress"),
        "busy": ("pending", "MailDeferred 451"),
        "wang": ("sent", None),
    }
    assert (rows["busy"].next_attempt_at - datetime.now(UTC)).total_seconds() == pytest.approx(5, abs=4)


def test_waits_grow_and_end_within_a_day(post: Post, server: MailServer) -> None:
    server.answers = {"busy": "451 later"}
    post.add("busy")
    waits = []
    for _ in range(len(sending.RETRY_SECONDS)):
        post.make_due()
        post.sender.send_due()
        waits.append((post.row("busy").next_attempt_at - datetime.now(UTC)).total_seconds())
    assert waits == pytest.approx(sending.RETRY_SECONDS, abs=4)
    assert sum(waits) < 86_400
    post.make_due()
    post.sender.send_due()
    row = post.row("busy")
    assert (row.status, row.attempts) == ("failed", len(sending.RETRY_SECONDS) + 1)


def test_a_mail_that_is_tried_again_keeps_its_id(post: Post, server: MailServer) -> None:
    server.answers = {"wang": "451 later"}
    post.add("wang")
    post.sender.send_due()
    server.answers = {}
    post.make_due()
    post.sender.send_due()
    assert [message["Message-ID"] for message in server.received] == [f"<{post.row('wang').id}@hall.example>"]


def test_a_mail_that_breaks_the_connection_waits_and_the_others_do_not(post: Post, server: MailServer) -> None:
    server.answers = {"poison": "disconnect"}
    post.add("a", "poison", "b", "c")
    post.sender.send_due()
    rows = post.rows()
    assert rows["a"].status == "sent"
    assert (rows["poison"].attempts, rows["poison"].status) == (1, "pending")
    assert (rows["b"].attempts, rows["b"].locked_until) == (0, None)
    post.clock.seconds += 1
    post.sender.send_due()
    assert server.recipients() == ["a", "b", "c"]


def test_a_fault_of_ours_in_one_mail_keeps_none_back(post: Post, server: MailServer) -> None:
    post.add("a", "b")
    post.run("UPDATE deliveries SET event = 'case.unheard-of' WHERE recipient = 'a'")
    post.sender.send_due()
    assert server.recipients() == ["b"]
    assert post.row("a").last_error == "KeyError"


def test_an_outage_of_the_mail_server_costs_no_attempt(post: Post, server: MailServer) -> None:
    post.add("a", "b")
    server.stop()
    for _ in range(20):
        post.sender.send_due()
        post.clock.seconds += 30
    rows = post.rows()
    assert {(row.status, row.attempts, row.locked_until) for row in rows.values()} == {("pending", 0, None)}
    server.start()
    post.sender.send_due()
    assert server.recipients() == ["a", "b"]


def test_an_outage_of_the_directory_costs_no_attempt_and_pauses(post: Post, server: MailServer) -> None:
    post.add("a")
    post.directory.is_down = True
    post.sender.send_due()
    post.directory.is_down = False
    post.sender.send_due()
    assert server.received == []
    post.clock.seconds += 1
    post.sender.send_due()
    assert server.recipients() == ["a"]
    assert post.row("a").attempts == 1


def test_our_own_address_refused_is_no_fault_of_the_recipient(post: Post, server: MailServer) -> None:
    async def handle_mail(*_: Any) -> str:
        return "550 not from here"

    server.handle_MAIL = handle_mail  # type: ignore[attr-defined]
    post.add("a", "b")
    post.sender.send_due()
    assert {(row.status, row.attempts) for row in post.rows().values()} == {("pending", 0)}


def test_two_replicas_send_nothing_twice(post: Post, server: MailServer) -> None:
    recipients = [f"r{number}" for number in range(3 * sending.BATCH)]
    post.add(*recipients)
    replicas = [threading.Thread(target=post.another_replica().send_due) for _ in range(2)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join()
    assert sorted(server.recipients()) == sorted(recipients)


def test_what_a_dead_replica_took_is_sent_when_its_lease_is_over(post: Post, server: MailServer) -> None:
    post.add("a")
    with post.database.transaction() as session:
        store.claim(session, store.MAIL, 10, 60)
    post.sender.send_due()
    assert server.received == []
    post.run("UPDATE deliveries SET locked_until = now() - interval '1 second'")
    post.sender.send_due()
    assert server.recipients() == ["a"]


def test_a_replica_whose_lease_ran_out_says_only_that_it_sent(post: Post) -> None:
    post.add("late", "sent")
    with post.database.transaction() as session:
        stale = {claim.recipient: claim for claim in store.claim(session, store.MAIL, 10, 60)}
    post.run("UPDATE deliveries SET locked_until = now() + interval '2 minutes', attempts = 2")
    with post.database.transaction() as session:
        store.settle(session, [Outcome(stale["late"], "pending"), Outcome(stale["sent"], "sent")])
    rows = post.rows()
    assert (rows["late"].attempts, rows["late"].locked_until is None) == (2, False)
    assert rows["sent"].status == "sent"


class InterruptedDatabase:
    """Away at its second transaction: the first claims, the second marks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._transactions = 0

    def transaction(self) -> Any:
        self._transactions += 1
        if self._transactions == 2:
            raise ServiceUnavailable("database")
        return self._database.transaction()


def test_what_was_sent_is_marked_when_the_database_is_back(post: Post, server: MailServer) -> None:
    post.add("a", "b")
    sender = post.another_replica(cast(Database, InterruptedDatabase(post.database)))
    with pytest.raises(ServiceUnavailable):
        sender.send_due()
    assert {row.status for row in post.rows().values()} == {"pending"}
    sender.send_due()
    assert {row.status for row in post.rows().values()} == {"sent"}
    assert server.recipients() == ["a", "b"]


def test_a_turn_that_is_over_gives_the_rest_back(post: Post, server: MailServer) -> None:
    post.add("a", "b")
    names = post.directory.item_names

    def slow(item: str) -> dict[str, str]:
        post.clock.seconds += sending.TURN_SECONDS
        return names(item)

    post.directory.item_names = slow  # type: ignore[method-assign]
    post.sender.send_due()
    assert server.recipients() == ["a"]
    assert (post.row("b").status, post.row("b").attempts, post.row("b").locked_until) == ("pending", 0, None)


def test_pending_deliveries_are_measured(post: Post) -> None:
    post.add("a", "b")
    post.run("UPDATE deliveries SET created_at = now() - interval '1 minute' WHERE recipient = 'a'")
    with post.database.transaction() as session:
        count, oldest_seconds = store.count_pending(session)
    assert count == 2
    assert oldest_seconds == pytest.approx(60, abs=5)
