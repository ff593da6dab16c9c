"""The catalogue in the database: published whole or not at all, in versions, seen by every replica; its commands."""

import copy
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cli.__main__ import main
from contracts.actors import Actor
from contracts.errors import InvalidInput, ItemNotOnline, NotFound, ServiceUnavailable
from services.cases import commands, queries
from services.cases.catalogue import files, live, publishing, store
from services.cases.catalogue.faults import BrokenCatalogue
from services.cases.catalogue.live import LiveCatalogue
from tests.official_lists import as_csv, rows
from tests.seals import RESULTS

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REAL_LIST = Path("../shared/data/service-items-guangan.csv")


@pytest.fixture(autouse=True)
def nothing_stays(cases_database):
    """The database is every test's: what was published here is published no more."""
    yield
    with cases_database.transaction() as session:
        session.execute(
            text("DELETE FROM published_items WHERE NOT code = ANY (:shipped)"),
            {"shipped": [item.code for item in files.shipped().all()]},
        )
        store.raise_revision(session)


class Replica:
    """What another process reads. `looks` is what its timer does."""

    def __init__(self, process, database):
        self.process, self.database = process, database

    def __call__(self):
        return self.process.current(self.database)

    def looks(self):
        self.process.refresh(self.database)


@pytest.fixture
def replica(cases_database):
    """A function that gives what another process reads."""

    def start():
        process = LiveCatalogue()
        process.current(cases_database)
        return Replica(process, cases_database)

    return start


@pytest.fixture
def publish(cases_database):
    def publish_files(*descriptions):
        with cases_database.transaction() as session:
            return publishing.publish_files(session, descriptions, NOW)

    return publish_files


@pytest.fixture
def item():
    """A new one, worked out."""
    description = copy.deepcopy(files.shipped().get("elderly-card").description)
    description.pop("official_code")
    return description | {"version": 1, "code": f"card-{uuid.uuid4().hex[:8]}", "result": result_of("a-card")}


def result_of(code):
    name = {"zh-Hans": "证", "zh-Hant": "證", "en": "A card"}
    return {"code": code, "name": name, "form": "certificate", "electronic": True}


@pytest.fixture
def run(cases_database, monkeypatch, capsys, tmp_path):
    """Runs `onehall catalogue ...`; bytes become a file."""
    monkeypatch.setenv("ONEHALL_ENVIRONMENT", "local")
    monkeypatch.setenv("ONEHALL_CASES_DATABASE_URL", cases_database.url)

    def run(*arguments):
        path = tmp_path / "list.csv"
        for argument in arguments:
            if isinstance(argument, bytes):
                path.write_bytes(argument)
        words = [str(path) if isinstance(argument, bytes) else str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["onehall", "catalogue", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def own_rows(count):
    """Rows whose codes nobody else has used."""
    own = uuid.uuid4().hex[:9]
    return [
        row | {"item_code": f"{own}-{number}", "name": f"{own}{row['name']}"} for number, row in enumerate(rows(count))
    ]


def test_the_first_look_publishes_what_is_shipped(replica):
    catalogue = replica()()
    for shipped in files.shipped().all():
        assert catalogue.get(shipped.code).description == shipped.description


def test_a_second_start_changes_nothing(replica):
    assert replica()().revision == replica()().revision


def test_a_change_reaches_every_replica(replica, publish, item):
    one, two = replica(), replica()
    publish(item)
    for each in (one, two):
        each.looks()
    assert one().get(item["code"]).description == two().get(item["code"]).description == item
    publish(item | {"version": 2, "promised_days": 2})
    assert one().get(item["code"]).version == item["version"]
    for each in (one, two):
        each.looks()
    assert [each().get(item["code"]).description["promised_days"] for each in (one, two)] == [2, 2]


def test_an_older_release_publishes_nothing_older(cases_database, publish, item):
    publish(item | {"version": 2})
    with cases_database.transaction() as session:
        done = publishing.seed(session, [item, item | {"version": 2, "promised_days": 1}], NOW)
        assert (done.new, done.changed) == (0, 0)
        assert live.load(session).get(item["code"]).version == 2


def test_the_catalogue_is_read_while_the_database_is_away(replica, cases_database, monkeypatch):
    read = replica()

    def away():
        raise ServiceUnavailable("database")

    monkeypatch.setattr(cases_database, "transaction", away)
    with pytest.raises(ServiceUnavailable):
        read.looks()
    assert read().get("elderly-card")
    with pytest.raises(ServiceUnavailable):
        LiveCatalogue().current(cases_database)


def test_one_version_says_one_thing(publish, item):
    publish(item)
    assert publish(item).unchanged == 1
    with pytest.raises(BrokenCatalogue, match="raise it"):
        publish(item | {"promised_days": 1})


def test_a_broken_item_publishes_nothing_of_its_company(cases_database, publish, item):
    broken = item | {"code": f"{item['code']}-2", "promised_days": 300}
    with pytest.raises(BrokenCatalogue):
        publish(item, broken)
    with cases_database.transaction() as session:
        assert item["code"] not in live.load(session)


def test_a_version_stays_as_it_was_published(cases_database, publish, item):
    publish(item)
    for statement in ("UPDATE item_versions SET content = '{}'", "DELETE FROM item_versions"):
        with pytest.raises(DBAPIError, match="stays as it was published"), cases_database.transaction() as session:
            session.execute(text(f"{statement} WHERE code = :code"), {"code": item["code"]})


def test_a_case_keeps_the_version_it_was_filed_under(cases_database, replica, publish, item):
    read = replica()
    citizen = Actor(subject=str(uuid.uuid4()), client="web", channel="web")
    officer = Actor(subject="dan", client="web", roles=("officer",), department=item["department"])
    publish(item)
    read.looks()
    filing = commands.prepare_filing(read(), citizen, item["code"], item["example"], None)
    with cases_database.transaction() as session:
        number = commands.submit_case(session, read(), filing, NOW)["number"]
    newer = copy.deepcopy(item) | {"version": 2}
    newer["form"]["required"].append("lives_alone")
    newer["form"]["required"].append("emergency_contact")
    publish(newer)
    read.looks()
    form = {name: value for name, value in item["example"].items() if name != "emergency_contact"}
    with pytest.raises(InvalidInput):
        commands.prepare_filing(read(), citizen, item["code"], form, None)
    with cases_database.transaction() as session:
        commands.act_on_case(
            session, read(), officer, number, "request_correction", note="x", form=None, now=NOW, result_seal=RESULTS
        )
        commands.act_on_case(
            session, read(), citizen, number, "correct", note=None, form=form, now=NOW, result_seal=RESULTS
        )
        file = queries.get_case_file(session, read(), citizen, number)
    assert file["case"]["item_version"] == file["item"]["version"] == 1
    assert file["case"]["form"] == form


def test_a_list_is_imported_once(run, replica):
    read, records = replica(), own_rows(60)
    assert run("import", as_csv(records)) == (0, "60 new, 0 changed, 0 unchanged, 0 worked out here\n", "")
    assert run("import", as_csv(records)) == (0, "0 new, 0 changed, 60 unchanged, 0 worked out here\n", "")
    read.looks()
    imported = read().get(records[7]["item_code"])
    assert (imported.version, imported.is_online) == (1, False)
    with pytest.raises(ItemNotOnline):
        commands.prepare_filing(read(), Actor(subject="c", client="web"), imported.code, {}, None)


def test_a_changed_row_becomes_a_version(run, replica):
    read, records = replica(), own_rows(3)
    run("import", as_csv(records))
    records[1] |= {"name": "改了名字的事项"}
    assert run("import", as_csv(records))[1] == "0 new, 1 changed, 2 unchanged, 0 worked out here\n"
    read.looks()
    assert [read().get(row["item_code"]).version for row in records] == [1, 2, 1]
    assert read().get(records[1]["item_code"]).name["zh-Hant"] == "改了名字的事項"


def test_an_item_that_is_worked_out_stays(run, replica):
    read = replica()
    code = read().get("residence-permit").description["official_code"]
    assert run("import", as_csv([own_rows(1)[0] | {"item_code": code}]))[1] == (
        "0 new, 0 changed, 0 unchanged, 1 worked out here\n"
    )
    read.looks()
    assert read().get("residence-permit").is_online
    with pytest.raises(NotFound):
        read().get(code)


def test_a_list_never_takes_the_place_of_an_item_worked_out(run):
    code, _, errors = run("import", as_csv([own_rows(1)[0] | {"item_code": "elderly-card"}]))
    assert code == 2
    assert "list.csv:2: $.code: an item that is worked out here" in errors


def test_a_broken_row_imports_nothing(run, replica):
    read, records = replica(), own_rows(5)
    records[3] |= {"kind": "许可"}
    code, printed, errors = run("import", as_csv(records))
    assert (code, printed) == (2, "")
    assert "list.csv:5: kind '许可'" in errors
    assert "nothing was published: 1 faults" in errors
    read.looks()
    assert records[0]["item_code"] not in read()


def test_a_department_has_one_name(run, replica):
    """Whatever place stands before it, in the list's own spelling."""
    read, records = replica(), own_rows(2)
    records[0] |= {"department": "区民政局"}
    records[1] |= {"department": "广安区民政局"}
    assert run("import", as_csv(records))[0] == 0
    read.looks()
    items = [read().get(row["item_code"]) for row in records]
    assert [item.department for item in items] == ["civil-affairs"] * 2
    assert [item.description["department_name"]["en"] for item in items] == ["Civil Affairs Bureau"] * 2


DISTRICT = 1_135
"""Items of the list of a real district."""
SECONDS = 5


def test_a_whole_districts_list_is_imported_in_seconds_and_again_without_doubles(run, replica):
    read, records = replica(), own_rows(DISTRICT - 3)
    worked_out = [code for item in read().all() if (code := item.description.get("official_code"))]
    records += [row | {"item_code": code} for row, code in zip(rows(3), worked_out, strict=False)]
    own, known = len(records) - 3, len(read().all())
    begin = time.process_time()
    assert run("import", as_csv(records))[1] == f"{own:,} new, 0 changed, 0 unchanged, 3 worked out here\n"
    assert run("import", as_csv(records))[1] == f"0 new, 0 changed, {own:,} unchanged, 3 worked out here\n"
    assert time.process_time() - begin < SECONDS
    read.looks()
    assert len(read().all()) == known + own
    for code in worked_out:
        assert code not in read()


@pytest.mark.skipif(not REAL_LIST.is_file(), reason=f"{REAL_LIST} is not here")
def test_the_real_districts_list(run):
    first = run("import", str(REAL_LIST))
    assert first[0] == 0, first
    assert "3 worked out here" in first[1]
    assert run("import", str(REAL_LIST))[1] == "0 new, 0 changed, 1,132 unchanged, 3 worked out here\n"


def test_publishing_from_a_file(run, replica, item, tmp_path):
    read, path = replica(), tmp_path / f"{item['code']}.yaml"
    path.write_text(yaml.safe_dump(item, allow_unicode=True), encoding="utf-8")
    assert run("publish", path)[:2] == (0, "1 new, 0 changed, 0 unchanged\n")
    read.looks()
    assert read().get(item["code"]).description == item
    path.write_text(yaml.safe_dump(item | {"version": 2, "fee": "free"}), encoding="utf-8")
    code, _, errors = run("publish", path)
    assert code == 2
    assert f"{item['code']}: $.fee" in errors


def needing(item, code, gives, *proofs):
    """An item like this one, of another code, that needs one of these papers."""
    document = copy.deepcopy(item["documents"][0]) | {"source": "platform", "proofs": list(proofs)}
    return copy.deepcopy(item) | {"code": f"{item['code']}-{code}", "documents": [document], "result": result_of(gives)}


def test_a_circle_is_not_published_whichever_part_comes_last(cases_database, publish, item):
    one, two, three = (uuid.uuid4().hex for _ in range(3))
    first = needing(item, "a", one, two, "no-such-paper") | {"papers": {"no-such-paper": {"name": item["name"]}}}
    publish(first, needing(item, "b", two, three), needing(item, "c", three, one))
    with pytest.raises(BrokenCatalogue, match=r"circular proof: .* → .* → .* → ") as refusal:
        publish(needing(item, "a", one, two) | {"version": item["version"] + 1})
    assert refusal.value.faults[0].item == first["code"]
    with cases_database.transaction() as session:
        assert live.load(session).get(first["code"]).description == first


def test_a_paper_that_others_ask_for_is_not_given_up(publish, item):
    paper = uuid.uuid4().hex
    publish(item | {"result": result_of(paper)}, needing(item, "b", "b-card", paper))
    with pytest.raises(BrokenCatalogue, match=f"strange proof: .*{paper} → nobody gives it") as refusal:
        publish(item | {"version": item["version"] + 1, "result": result_of("another")})
    assert refusal.value.faults[0].item == f"{item['code']}-b"


def test_a_release_that_breaks_what_is_published_leaves_it(cases_database, publish, item, caplog):
    one, two = (uuid.uuid4().hex for _ in range(2))
    publish(needing(item, "b", two, one), item | {"result": result_of(one)})
    release = needing(item, "b", one, two) | {"code": item["code"], "version": item["version"] + 1}
    with cases_database.transaction() as session:
        assert publishing.seed(session, [release], NOW).new == 0
        assert live.load(session).get(item["code"]).version == item["version"]
    assert "circular proof" in caplog.text


def test_checking_says_what_publishing_would(run, publish, item, tmp_path):
    code, printed, _ = run("check")
    assert (code, printed.endswith("items, no fault\n")) == (0, True)
    assert run("check", "--shipped")[1] == f"{len(files.shipped().all())} items, no fault\n"
    broken = item | {"documents": [item["documents"][0] | {"proofs": ["no-such-paper"]}]}
    path = tmp_path / f"{item['code']}.yaml"
    path.write_text(yaml.safe_dump(broken, allow_unicode=True), encoding="utf-8")
    for language, words in (("en", "strange proof"), ("zh-Hans", "奇葩证明"), ("zh-Hant", "沒有任何單位出具")):
        code, _, errors = run("check", path, "--language", language)
        assert code == 2
        assert words in errors
    assert run("publish", path)[0] == 2
