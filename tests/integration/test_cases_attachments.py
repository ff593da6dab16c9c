"""Attachments from the door to the database: a gateway with a real store, over the real commands of cases.

Only the broker is left out: the gateway's calls go straight to the entrypoints' functions.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from starlette.requests import ClientDisconnect

from chassis.sealing import Seal
from contracts.actors import SYSTEM, Actor, Mandate
from contracts.envelope import Envelope
from contracts.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted, UploadMoved
from contracts.files import MAX_BYTES
from deploy.local.virus_scanner import EICAR
from gateway.files.checking import Checker
from gateway.files.receiving import part_name, receive
from gateway.files.scanner import ScannerAway
from services.cases import commands as case_commands
from services.cases.attachments import commands, domain, queries, store
from services.cases.catalogue.files import shipped
from services.cases.catalogue.model import Catalogue, ServiceItem
from services.cases.drafts import commands as drafts
from services.cases.drafts import store as draft_store
from tests.seals import RESULTS
from tests.unit.files import PDF, docx, picture
from tests.unit.gateway_fakes import FakeRpc, bearer, make_door

ITEM = "elderly-card"


def with_documents(**changes: Any) -> Catalogue:
    """The shipped items; the documents of one that take what there is a limit of everywhere, changed."""
    described = shipped().get(ITEM).description
    own = ("accept", "files", "megabytes")
    documents = [
        {name: value for name, value in each.items() if name not in own} | changes for each in described["documents"]
    ]
    others = [ServiceItem(item.description) for item in shipped().all() if item.code != ITEM]
    return Catalogue([*others, ServiceItem(described | {"documents": documents})])


CATALOGUE = with_documents()
SHIPPED = shipped()
EXAMPLE = CATALOGUE.get(ITEM).description["example"]
KEY = "A" * 43
FILES, DRAFTS = Seal(KEY, store.PURPOSE), Seal(KEY, draft_store.PURPOSE)
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
OFFICER = Actor(subject="dan", client="web", roles=("officer",), department="civil-affairs")
OTHER_OFFICER = replace(OFFICER, subject="eve", department="market-regulation")


# entrypoint -> what it calls, with what before the actor, and whether the time comes last
ENTRYPOINTS: dict[str, tuple[Any, tuple[Any, ...], bool]] = {
    "begin_attachment": (commands.begin_attachment, (CATALOGUE, FILES), True),
    "save_checked": (commands.save_checked, (FILES,), True),
    "delete_attachment": (commands.delete_attachment, (FILES,), False),
    "get_upload": (queries.get_upload, (FILES,), False),
    "get_attachment": (queries.get_attachment, (CATALOGUE, FILES), False),
    "list_documents": (queries.list_documents, (CATALOGUE, FILES), False),
    "take_unchecked": (commands.take_unchecked, (CATALOGUE, FILES), True),
    "take_unwanted": (commands.take_unwanted, (), True),
    "forget_attachments": (commands.forget_attachments, (), False),
    "save_draft": (drafts.save_draft, (CATALOGUE, DRAFTS), True),
    "delete_draft": (drafts.delete_draft, (DRAFTS,), False),
    "submit_draft": (case_commands.submit_draft, (CATALOGUE, DRAFTS), True),
}


class Scanner:
    """Knows the one virus; may be away."""

    is_away = False

    async def scan(self, chunks: Any) -> str | None:
        content = b"".join([chunk async for chunk in chunks])
        if self.is_away:
            raise ScannerAway
        return "Eicar-Test-Signature" if EICAR in content else None


@dataclass
class Hall:
    """Cases as the gateway's calls reach it, its clock, and a browser of whoever a token is for."""

    database: Any
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    calls: list[str] = field(default_factory=list)
    catalogue: Catalogue = CATALOGUE

    def __post_init__(self) -> None:
        self.rpc = FakeRpc()
        self.rpc.call = self.call  # type: ignore[method-assign]
        self.door = make_door(self.rpc)
        self.files = self.door.app.state.files
        self.scanner = Scanner()
        self.files.checker = Checker(self.rpc, self.files.store, self.scanner)  # type: ignore[arg-type]
        self.sub = str(uuid.uuid4())
        self.actor = Actor(subject=self.sub, client="web")

    async def call(self, name: str, *args: Any, actor: Actor | None = None) -> Any:
        if name.startswith("identity."):
            return self.rpc.answers[name](*args)
        self.calls.append(name)
        return self.do(name.removeprefix("cases."), actor or self.actor, *args)

    def do(self, method: str, actor: Actor, *args: Any) -> Any:
        """What the entrypoint `method` does, in a transaction of its own."""
        with self.database.transaction() as session:
            return getattr(self, f"_{method}", self._simple)(session, actor, method, *args)

    def _simple(self, session: Any, actor: Actor, method: str, *args: Any) -> Any:
        function, uses, has_clock = ENTRYPOINTS[method]
        clock = (self.now,) if has_clock else ()
        return function(session, *uses, actor, *args, *clock)

    def _receive_part(self, session: Any, actor: Actor, _: str, *args: Any) -> Any:
        more = dict(zip(("is_last", "outcome"), args[4:], strict=False))
        return commands.receive_part(session, CATALOGUE, FILES, actor, *args[:4], self.now, **more)

    def _submit_case(self, session: Any, actor: Actor, _: str, *args: Any) -> Any:
        item, form, key, version, is_asked, _consents, documents = (*args, *(None,) * 7)[:7]
        filing = case_commands.prepare_filing(self.catalogue, actor, item, form, key, version, documents=documents)
        is_whole = bool(is_asked) or documents is not None
        return case_commands.submit_case(session, self.catalogue, filing, self.now, is_whole=is_whole)

    def begin(self, **form: Any) -> str:
        return str(self.do("save_draft", self.actor, str(uuid.uuid4()), ITEM, form, 0)["id"])

    def file(self, key: str | None = None) -> str:
        return str(self.do("submit_case", self.actor, ITEM, EXAMPLE, key)["number"])

    def send(self, content: bytes, place: str, name: str = "scan.pdf", document: str = "identity") -> Any:
        return self.door.post(
            f"/api/v1/{place}/documents",
            data={"document": document},
            files={"file": (name, content, "text/html")},
            headers=bearer(sub=self.sub),
        )

    def listed(self, target: dict[str, str], actor: Actor | None = None) -> Any:
        return self.do("list_documents", actor or self.actor, target)

    def get(self, file: str, **claims: Any) -> Any:
        return self.door.get(f"/api/v1/documents/{file}", headers=bearer(**{"sub": self.sub, **claims}))

    def tus(self, method: str, address: str, content: bytes = b"", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.door.request(method, address, content=content, headers=bearer(sub=self.sub) | TUS | named)

    def create(self, length: int, **metadata: str) -> Any:
        said = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        return self.tus("POST", "/api/v1/uploads", Upload_Length=str(length), Upload_Metadata=said)

    def patch(self, address: str, offset: int, content: bytes, **headers: str) -> Any:
        return self.tus("PATCH", address, content, **BYTES, Upload_Offset=str(offset), **headers)

    def work(self) -> None:
        asyncio.run(self.files.checker.work())

    @property
    def objects(self) -> set[str]:
        """The ids under which something stands in the store."""
        system, root = self.files.store._system, self.files.store._root
        return {path.removeprefix(root).split("/")[1] for path in system.find(root)} if system.exists(root) else set()


@pytest.fixture
def hall(cases_database):
    return Hall(cases_database)


def test_a_form_hands_in_a_file_with_two_calls(hall):
    draft = hall.begin()
    hall.calls.clear()
    answer = hall.send(PDF, f"drafts/{draft}", "身份证.pdf")
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert hall.calls == ["cases.begin_attachment", "cases.receive_part"]
    assert (file["status"], file["media_type"], file["length"]) == ("clean", "application/pdf", len(PDF))
    assert file["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert not {"parts", "types"} & set(file)
    identity = hall.listed({"draft": draft})["asked"][0]
    assert [each["name"] for each in identity["files"]] == ["身份证.pdf"]


def test_a_file_is_given_out_to_be_saved_and_never_shown(hall):
    file = hall.send(PDF, f"drafts/{hall.begin()}", "身份证.pdf").json()
    answer = hall.get(file["id"])
    assert answer.content == PDF
    headers = answer.headers
    assert headers["content-disposition"] == (
        "attachment; filename=\"___.pdf\"; filename*=UTF-8''%E8%BA%AB%E4%BB%BD%E8%AF%81.pdf"
    )
    assert headers["content-type"] == "application/pdf"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    ("content", "name", "fault"),
    [
        (b"MZ a program", "scan.pdf", "type"),
        (docx(), "letter.docx", "type"),
        (PDF, "scan.png", "extension"),
        (b"", "scan.pdf", "empty"),
        (PDF[:-6] + EICAR + PDF[-6:], "scan.pdf", "virus"),
    ],
)
def test_what_is_refused_leaves_nothing(hall, content, name, fault):
    draft = hall.begin()
    before = hall.objects
    answer = hall.send(content, f"drafts/{draft}", name)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/file"]
    assert not any(each["files"] for each in hall.listed({"draft": draft})["asked"])
    hall.work()
    assert hall.objects == before
    assert fault


def test_a_document_that_the_item_does_not_ask_for(hall):
    assert hall.send(PDF, f"drafts/{hall.begin()}", document="tax-return").status_code == 422


def test_limits_of_number_and_size(hall, monkeypatch):
    draft = hall.begin()
    monkeypatch.setattr(domain, "MOST_OF_A_DOCUMENT", 2)
    for _ in range(2):
        assert hall.send(PDF, f"drafts/{draft}").status_code == 201
    assert hall.send(PDF, f"drafts/{draft}").status_code == 422
    assert hall.send(PDF, f"drafts/{draft}", document="photo").status_code == 201
    monkeypatch.setattr(domain, "MOST_FILES", 3)
    assert hall.send(PDF, f"drafts/{draft}", document="photo").status_code == 422
    monkeypatch.setattr(domain, "MOST_FILES", 30)
    monkeypatch.setattr(domain, "MOST_BYTES", 4 * len(PDF))
    assert hall.send(PDF, f"drafts/{draft}", document="photo").status_code == 422
    monkeypatch.setattr(domain, "MOST_BYTES", 10**9)
    monkeypatch.setattr(domain, "MOST_UNFILED_BYTES", 4 * len(PDF))
    assert hall.send(PDF, f"drafts/{hall.begin()}").status_code == 422
    assert hall.create(MAX_BYTES + 1, filename="a.pdf", document="photo", draft=draft).status_code == 413


def test_an_upload_is_resumed_where_it_stopped(hall):
    draft = hall.begin()
    made = hall.create(len(PDF), filename="scan.pdf", document="identity", draft=draft)
    assert made.status_code == 201
    assert "GMT" in made.headers["upload-expires"]
    address = made.headers["location"]
    first = hall.patch(address, 0, PDF[:20])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "20")
    assert hall.patch(address, 0, PDF[:20]).status_code == 409
    found = hall.tus("HEAD", address).headers
    assert (found["upload-offset"], found["upload-length"]) == ("20", str(len(PDF)))
    assert hall.patch(address, 20, PDF[20:] + b"more").status_code == 422
    assert hall.patch(address, 20, PDF[20:]).headers["upload-offset"] == str(len(PDF))
    hall.now += commands.CHECK_LEASE + timedelta(seconds=1)
    hall.work()
    file = address.rpartition("/")[2]
    assert hall.get(file).content == PDF
    assert hall.patch(address, len(PDF), b"x").status_code == 409


def test_what_came_before_the_line_broke_is_kept(hall):
    address = hall.create(len(PDF), filename="a.pdf", document="identity", draft=hall.begin()).headers["location"]

    async def breaking():
        yield PDF[:10]
        yield PDF[10:30]
        # what the server hears of a client that hangs up
        raise ClientDisconnect

    upload = hall.do("get_upload", hall.actor, address.rpartition("/")[2])
    part = part_name(0)
    came = asyncio.run(receive(breaking(), hall.files.store, upload["id"], part, upload["length"]))
    hall.do("receive_part", hall.actor, upload["id"], 0, part, came)
    assert hall.tus("HEAD", address).headers["upload-offset"] == "30"


def test_of_two_who_send_the_same_bytes_one_is_kept(hall):
    """Both asked how far it is before either was written down; whatever the gateway says, `cases` keeps count."""
    file = hall.create(len(PDF), filename="a.pdf", document="identity", draft=hall.begin()).headers["location"][-36:]
    one, other = part_name(0), part_name(0)
    hall.do("receive_part", hall.actor, file, 0, one, 10)
    with pytest.raises(UploadMoved) as moved:
        hall.do("receive_part", hall.actor, file, 0, other, 10)
    assert moved.value.args == (10,)
    with pytest.raises(InvalidInput):
        hall.do("receive_part", hall.actor, file, 10, part_name(10), len(PDF))
    assert hall.do("get_upload", hall.actor, file)["parts"] == [[one, 10]]


def test_uploads_come_in_so_many_pieces_and_so_many_at_once(hall, monkeypatch):
    draft = hall.begin()
    monkeypatch.setattr(domain, "MOST_PARTS", 2)
    monkeypatch.setattr(domain, "MOST_UPLOADING", 1)
    made = hall.create(len(PDF), filename="a.pdf", document="identity", draft=draft)
    address = made.headers["location"]
    assert hall.create(len(PDF), filename="b.pdf", document="photo", draft=draft).status_code == 409
    assert [hall.patch(address, at, PDF[at : at + 1]).status_code for at in range(3)] == [204, 204, 422]
    assert hall.tus("HEAD", address).headers["upload-offset"] == "2"


def test_the_protocol_is_spoken_as_it_is_written(hall):
    asked = hall.door.request("OPTIONS", "/api/v1/uploads")
    assert asked.status_code == 204
    assert asked.headers["tus-version"] == "1.0.0"
    assert set(asked.headers["tus-extension"].split(",")) == {"creation", "checksum", "termination", "expiration"}
    assert "sha1" in asked.headers["tus-checksum-algorithm"]
    address = hall.create(len(PDF), filename="a.pdf", document="identity", draft=hall.begin()).headers["location"]
    refused = hall.door.request("HEAD", address, headers=bearer(sub=hall.sub) | {"Tus-Resumable": "0.2.2"})
    assert (refused.status_code, refused.headers["tus-version"]) == (412, "1.0.0")
    assert hall.tus("PATCH", address, b"x", Upload_Offset="0").status_code == 415
    assert hall.patch(address, 0, b"x", Upload_Checksum="md4 eA==").status_code == 400
    wrong = base64.b64encode(hashlib.sha1(b"y", usedforsecurity=False).digest()).decode()
    assert hall.patch(address, 0, PDF[:5], Upload_Checksum=f"sha1 {wrong}").status_code == 460
    assert hall.tus("HEAD", address).headers["upload-offset"] == "0"
    right = base64.b64encode(hashlib.sha256(PDF[:5]).digest()).decode()
    assert hall.patch(address, 0, PDF[:5], Upload_Checksum=f"sha256 {right}").status_code == 204
    override = {"X_HTTP_Method_Override": "PATCH", "Upload_Offset": "5"}
    assert hall.tus("POST", address, PDF[5:9], **BYTES, **override).status_code == 204
    assert hall.tus("DELETE", address).status_code == 204
    assert hall.tus("HEAD", address).status_code == 404
    hall.work()
    assert address.rpartition("/")[2] not in hall.objects
    for metadata in ("filename ???", "filename YQ==,filename YQ=="):
        answer = hall.tus("POST", "/api/v1/uploads", Upload_Length="5", Upload_Metadata=metadata)
        assert answer.status_code == 400


def test_nobody_reads_a_file_before_it_was_scanned(hall):
    draft = hall.begin()
    hall.scanner.is_away = True
    file = hall.send(PDF, f"drafts/{draft}").json()
    assert file["status"] == "received"
    assert hall.get(file["id"]).status_code == 409
    hall.work()
    hall.now += commands.CHECK_LEASE + timedelta(seconds=1)
    hall.work()
    assert hall.get(file["id"]).status_code == 409
    hall.scanner.is_away = False
    hall.now += commands.CHECK_LEASE + timedelta(seconds=1)
    hall.work()
    assert hall.get(file["id"]).content == PDF


def test_what_waits_for_its_check_is_taken_together_with_what_its_documents_take(hall):
    hall.scanner.is_away = True
    draft, number = hall.begin(), hall.file()
    files = {hall.send(PDF, place).json()["id"] for place in (f"drafts/{draft}", f"cases/{number}", f"cases/{number}")}
    hall.now += commands.CHECK_LEASE + timedelta(seconds=1)
    asked = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        taken = hall.do("take_unchecked", SYSTEM)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    types = list(domain.documents_of(CATALOGUE.get(ITEM).description)["identity"].types)
    assert {file["id"]: file["types"] for file in taken if file["id"] in files} == dict.fromkeys(files, types)
    assert len(asked) == 2, "not one more for each file"


def test_a_virus_that_is_found_later_is_said_and_its_bytes_are_gone(hall):
    draft = hall.begin()
    hall.scanner.is_away = True
    file = hall.send(PDF[:-6] + EICAR + PDF[-6:], f"drafts/{draft}").json()["id"]
    hall.scanner.is_away = False
    hall.now += commands.CHECK_LEASE + timedelta(seconds=1)
    hall.work()
    hall.work()
    (told,) = hall.listed({"draft": draft})["asked"][0]["files"]
    assert (told["status"], told["fault"]) == ("refused", "virus")
    assert file not in hall.objects
    assert "identity" in hall.listed({"draft": draft})["missing"]


def test_filing_takes_the_files_along_and_asks_for_those_that_lack(hall):
    draft = hall.begin(**EXAMPLE)
    with pytest.raises(InvalidInput) as refused:
        hall.do("submit_draft", hall.actor, draft)
    # the photograph may follow after a provisional acceptance; what departments have is not asked for
    assert [each["pointer"] for each in refused.value.faults] == ["/documents/identity"]
    hall.send(PDF, f"drafts/{draft}")
    number = hall.do("submit_draft", hall.actor, draft)["number"]
    there = hall.listed({"number": number})
    assert (len(there["asked"][0]["files"]), there["missing"], there["may_follow"]) == (1, [], ["photo"])
    assert hall.do("submit_draft", hall.actor, draft)["number"] == number
    with pytest.raises(ActionNotAllowed):
        hall.do("delete_attachment", hall.actor, there["asked"][0]["files"][0]["id"])


def filed(hall: Hall, **body: Any) -> Any:
    headers = bearer(sub=hall.sub)
    if "key" in body:
        headers |= {"Idempotency-Key": body.pop("key")}
    return hall.door.post("/api/v1/cases", json={"item": ITEM, "form": EXAMPLE} | body, headers=headers)


def faults_in(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["pointer"] for each in answer.json()["errors"]]


def everything(hall: Hall) -> list[Any]:
    """All that a filing may change, but the order of rows."""
    tables = ("cases", "case_history", "attachments", "drafts", "outbox", "schedule")
    counts = " UNION ALL ".join(f"SELECT '{each}', count(*), max(CAST(t AS text)) FROM {each} t" for each in tables)  # noqa: S608
    with hall.database.transaction() as session:
        return sorted(map(str, session.execute(text(counts))))


def test_a_filing_names_its_documents_and_takes_them_along(hall):
    draft = hall.begin()
    ids = [hall.send(PDF, f"drafts/{draft}").json()["id"] for _ in range(2)]
    answer = filed(hall, documents=ids, key="k-1")
    assert answer.status_code == 201, answer.text
    number = answer.json()["number"]
    there = hall.listed({"number": number})
    assert ({each["id"] for each in there["asked"][0]["files"]}, there["missing"]) == (set(ids), [])
    # nothing was typed into the draft: it stays, without them
    assert not hall.listed({"draft": draft})["asked"][0]["files"]
    before = everything(hall)
    assert filed(hall, documents=ids[::-1], key="k-1").json()["number"] == number
    assert filed(hall, documents=ids[:1], key="k-1").status_code == 422
    assert filed(hall, key="k-1").status_code == 422
    assert everything(hall) == before


def test_a_draft_is_filed_by_its_key_with_all_that_hangs_on_it(hall):
    draft = hall.begin(**EXAMPLE)
    file = hall.send(PDF, f"drafts/{draft}").json()["id"]
    number = filed(hall, documents=[file], key=draft).json()["number"]
    assert len(hall.listed({"number": number})["asked"][0]["files"]) == 1
    with pytest.raises(NotFound):
        hall.listed({"draft": draft})


def test_a_filing_that_says_what_it_brings_is_told_of_all_that_lacks(hall):
    hall.catalogue = with_documents(may_follow=False)
    draft = hall.begin()
    photo = hall.send(picture(), f"drafts/{draft}", "photo.png", "photo").json()["id"]
    before = everything(hall)
    assert faults_in(filed(hall, documents=[])) == ["/documents/identity", "/documents/photo"]
    # a paper that the platform has is not asked for
    assert faults_in(filed(hall, documents=[photo])) == ["/documents/identity"]
    assert everything(hall) == before
    assert hall.listed({"draft": draft})["asked"][1]["files"][0]["id"] == photo


def test_what_is_needed_to_file_is_needed_whether_or_not_it_is_spoken_of(hall):
    hall.catalogue = with_documents(may_follow=False, needed="filing")
    before = everything(hall)
    assert faults_in(filed(hall)) == ["/documents/identity", "/documents/photo"]
    assert everything(hall) == before


def test_what_is_needed_by_the_acceptance_may_be_brought_until_then(hall):
    number = filed(hall).json()["number"]
    there = hall.listed({"number": number})
    assert (there["missing"], there["until_acceptance"]) == (["identity"], ["identity"])


def test_an_upload_that_cannot_be_handed_in_is_named_and_nothing_is_filed(hall):
    mine, other = hall.begin(), Hall(hall.database)
    theirs = other.send(PDF, f"drafts/{other.begin()}").json()["id"]
    elsewhere = hall.do("save_draft", hall.actor, str(uuid.uuid4()), "sole-trader", {}, 0)["id"]
    foreign = hall.send(PDF, f"drafts/{elsewhere}", document="premises").json()["id"]
    given_up = hall.send(PDF, f"drafts/{mine}").json()["id"]
    hall.do("delete_attachment", hall.actor, given_up)
    begun = hall.create(len(PDF), filename="a.pdf", document="identity", draft=mine).headers["location"]
    virus = hall.create(len(EICAR), filename="b.pdf", document="identity", draft=mine).headers["location"]
    refused = virus.rpartition("/")[2]
    hall.do("receive_part", hall.actor, refused, 0, part_name(0), len(EICAR), True, {"fault": "virus"})
    good = hall.send(PDF, f"drafts/{mine}").json()["id"]
    before = everything(hall)
    wrong = [str(uuid.uuid4()), "no-id", theirs, foreign, given_up, begun.rpartition("/")[2], refused]
    for one in wrong:
        answer = filed(hall, documents=[good, one])
        assert faults_in(answer) == ["/documents/1"], one
    assert everything(hall) == before
    number = filed(hall, documents=[good]).json()["number"]
    # what is with a case is with no other
    assert faults_in(filed(hall, documents=[good])) == ["/documents/0"]
    assert len(hall.listed({"number": number})["asked"][0]["files"]) == 1


def test_files_of_several_drafts_are_not_more_than_a_case_takes(hall, monkeypatch):
    ids = [hall.send(PDF, f"drafts/{hall.begin()}").json()["id"] for _ in range(3)]
    monkeypatch.setattr(domain, "MOST_OF_A_DOCUMENT", 2)
    before = everything(hall)
    assert faults_in(filed(hall, documents=ids)) == ["/documents/identity"]
    assert faults_in(filed(hall, documents=ids * 11)) == ["/documents"]
    assert everything(hall) == before


def test_a_document_says_how_large_its_files_may_be(hall, monkeypatch):
    monkeypatch.setitem(ENTRYPOINTS, "begin_attachment", (commands.begin_attachment, (SHIPPED, FILES), True))
    draft = hall.begin()
    large = PDF[:-6] + b" " * (10 * 2**20) + PDF[-6:]
    assert faults_in(hall.send(large, f"drafts/{draft}")) == ["/file"]
    said = {"filename": "a.pdf", "document": "identity", "draft": draft}
    assert hall.create(len(large), **said).status_code == 413
    assert not hall.listed({"draft": draft})["asked"][0]["files"]
    assert hall.create(10 * 2**20, **said).status_code == 201


def test_a_draft_and_its_files_stay_when_another_item_is_filed_with_its_key(hall):
    draft = hall.begin()
    file = hall.send(PDF, f"drafts/{draft}").json()["id"]
    other = "residence-permit"
    example = CATALOGUE.get(other).description["example"]
    # at the counter no papers are asked for
    agent = replace(hall.actor, act="bob", mandate=Mandate(item=other), acr=3, channel="hall")
    number = hall.do("submit_case", agent, other, example, draft)["number"]
    assert hall.listed({"draft": draft})["asked"][0]["files"][0]["id"] == file
    with pytest.raises(NotFound):
        hall.do("get_attachment", agent, file)
    assert not any(each["files"] for each in hall.listed({"number": number})["asked"])


def test_at_the_counter_the_papers_are_on_the_table(hall):
    clerk = replace(hall.actor, client="hall", channel="hall", act="clerk-1")
    assert hall.do("submit_draft", clerk, hall.begin(**EXAMPLE))["number"]


def test_a_document_follows_after_filing_while_the_case_is_open(hall):
    number = hall.file()
    assert hall.listed({"number": number})["missing"] == ["identity"]
    assert hall.send(PDF, f"cases/{number}").status_code == 201
    assert hall.listed({"number": number})["missing"] == []
    with hall.database.transaction() as session:
        case_commands.act_on_case(
            session, CATALOGUE, hall.actor, number, "withdraw", note=None, form=None, now=hall.now, result_seal=RESULTS
        )
    assert hall.send(PDF, f"cases/{number}").status_code == 409


def test_who_may_read_and_is_seen(hall, cases_database):
    number = hall.file()
    file = hall.send(PDF, f"cases/{number}").json()["id"]
    strangers = [
        Actor(subject=str(uuid.uuid4()), client="web"),
        OTHER_OFFICER,
        replace(hall.actor, act="bob", mandate=Mandate(item="sole-trader")),
    ]
    for stranger in strangers:
        for method, arguments in (
            ("get_attachment", (file,)),
            ("list_documents", ({"number": number},)),
            ("begin_attachment", ({"number": number}, "identity", "a.pdf", 5)),
            ("delete_attachment", (file,)),
            ("get_upload", (file,)),
        ):
            with pytest.raises(NotFound):
                hall.do(method, stranger, *arguments)
    assert hall.do("get_attachment", OFFICER, file)["id"] == file
    assert hall.do("get_attachment", OFFICER, file, "complaint")["id"] == file
    for method, arguments in (
        ("begin_attachment", ({"number": number}, "identity", "a.pdf", 5)),
        ("get_upload", (file,)),
    ):
        with pytest.raises(NotFound):
            hall.do(method, OFFICER, *arguments)
    agent = replace(hall.actor, act="bob", mandate=Mandate(item=ITEM))
    assert hall.do("get_attachment", agent, file)["id"] == file
    with cases_database.transaction() as session:
        rows = session.execute(text("SELECT body FROM outbox WHERE body LIKE :it"), {"it": f"%{hall.sub}%"})
        looks = [Envelope.from_json(body).data for (body,) in rows if '"data.viewed"' in body]
    assert {(look.viewer, look.what, look.number, look.purpose) for look in looks} == {
        ("dan", "document", number, "handling"),
        ("dan", "document", number, "complaint"),
        ("bob", "document", number, "on-behalf"),
    }


def test_only_the_platform_itself_says_what_was_found(hall):
    file = hall.send(PDF, f"drafts/{hall.begin()}").json()["id"]
    for actor in (hall.actor, OFFICER, Actor(subject="", client="")):
        for method, arguments in (
            ("save_checked", (file, {"fault": "virus"})),
            ("take_unchecked", ()),
            ("take_unwanted", ()),
            ("forget_attachments", ([file],)),
        ):
            with pytest.raises(NotPermitted):
                hall.do(method, actor, *arguments)
    assert hall.do("save_checked", SYSTEM, file, {"fault": "virus"})["status"] == "clean"


def test_what_nobody_wants_any_more_is_removed_with_its_bytes(hall, cases_database):
    deleted, kept = hall.begin(), hall.begin()
    lost = hall.send(PDF, f"drafts/{deleted}").json()["id"]
    stays = hall.send(picture("JPEG"), f"drafts/{kept}", "photo.jpg", "photo").json()["id"]
    expired = hall.create(len(PDF), filename="a.pdf", document="identity", draft=kept).headers["location"]
    hall.patch(expired, 0, PDF[:5])
    hall.do("delete_draft", hall.actor, deleted)
    hall.work()
    assert lost not in hall.objects
    assert {stays, expired.rpartition("/")[2]} <= hall.objects
    hall.now += domain.RESUMABLE_FOR + timedelta(minutes=1)
    hall.work()
    assert expired.rpartition("/")[2] not in hall.objects
    assert stays in hall.objects
    with cases_database.transaction() as session:
        left = session.execute(text("SELECT id::text FROM attachments WHERE applicant = :it"), {"it": hall.sub})
        assert set(left.scalars()) == {stays}


def test_names_of_files_cannot_be_read_in_the_database(hall, cases_database):
    file = hall.send(PDF, f"drafts/{hall.begin()}", "李桂芳.pdf").json()["id"]
    with cases_database.transaction() as session:
        name = session.execute(text("SELECT name FROM attachments WHERE id = :id"), {"id": file}).scalar_one()
    assert "李桂芳".encode() not in bytes(name)


@pytest.mark.parametrize("name", ["a" * 201 + ".pdf", "a\u202efdp.exe.pdf", " ", ""])
def test_names_that_are_none(hall, name):
    with pytest.raises(InvalidInput):
        hall.do("begin_attachment", hall.actor, {"draft": hall.begin()}, "identity", name, 5)


def test_a_name_is_no_path(hall):
    begun = hall.do("begin_attachment", hall.actor, {"draft": hall.begin()}, "identity", "..\\../etc/a.pdf", 5)
    assert begun["name"] == "a.pdf"
