"""`onehall client`, `user` and `demo seed` over a real database."""

from __future__ import annotations

import io
import json
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import platform
from cli.__main__ import main
from services.identity import commands, store
from services.identity.access_log.commands import note_act
from services.identity.access_log.domain import Look
from services.identity.access_log.sealing import PURPOSE, seal_new_entries
from services.identity.limits.guard import LimitKeys
from services.identity.recovery import finishing
from services.identity.sealing import Seal, is_secret
from services.identity.security_notices.codes import NoticeKeys
from services.identity.security_notices.looking_up import Lookup
from tests.integration.identity_driver import BASE, CLIENT_KEY, COOKIE_KEY, Driver, at_once

ADD = ("client", "add", "rp-x", "--redirect-uri", "https://rp.example/cb")


@pytest.fixture
def run(identity_database_url, monkeypatch, capsys):
    """Runs `onehall` and gives its exit code, output and errors."""
    environment = {
        "ONEHALL_ENVIRONMENT": "local",
        "ONEHALL_BASE_URL": BASE,
        "ONEHALL_IDENTITY_DATABASE_URL": identity_database_url,
        "ONEHALL_NOTIFY_CLIENT_SECRET": "notify-secret",
        "ONEHALL_COOKIE_KEY": COOKIE_KEY,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments, **more):
        for name, value in more.items():
            monkeypatch.setenv(f"ONEHALL_{name.upper()}", value)
        platform.operator_settings.cache_clear()
        monkeypatch.setattr(sys, "argv", ["onehall", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield run
    platform.operator_settings.cache_clear()


@pytest.fixture
def new_id():
    return f"rp-{secrets.token_hex(4)}"


def stored(database, client_id):
    with database.transaction() as transaction:
        return store.get_client(transaction, client_id)


def test_a_client_is_added_and_its_secret_shown_once(run, new_id, identity_database):
    code, out, _ = run(
        *("client", "add", new_id, "--redirect-uri", "https://rp.example/cb", "--redirect-uri", "https://rp.example/2"),
        *("--post-logout-uri", "https://rp.example/", "--scope", "openid email", "--first-party"),
        *("--auth-method", "client_secret_post", "--name", "RP", "--channel", "hall", "--department", "civil-affairs"),
    )
    shown, client = json.loads(out), stored(identity_database, new_id)
    assert code == 0
    assert is_secret(shown["client_secret"], client.secret_hash)
    assert (shown["client_id"], shown["scope"], shown["first_party"]) == (new_id, "openid email", True)
    assert client.auth_methods == ("client_secret_post",)
    assert client.redirect_uris == ("https://rp.example/cb", "https://rp.example/2")
    assert (client.channel, client.department, client.name) == ("hall", "civil-affairs", "RP")


def test_a_given_secret_is_taken(run, new_id, identity_database):
    code, out, _ = run(
        "client", "add", new_id, "--secret", "given", "--grant", "client_credentials", "--scope", "events"
    )
    assert (code, json.loads(out)["client_secret"]) == (0, "given")
    assert stored(identity_database, new_id).grants == ("client_credentials",)


def test_an_organisations_client_has_an_end(run, new_id, identity_database):
    owner = f"hospital-{new_id}"
    code, out, _ = run(*add_program(new_id, "--organisation", owner, "--until", "2999-12-31"))
    shown, client = json.loads(out), stored(identity_database, new_id)
    assert (code, shown["organisation"], shown["ends_at"]) == (0, owner, "3000-01-01T00:00:00+00:00")
    assert (client.organisation, client.department) == (owner, None)
    assert client.ends_at == datetime(3000, 1, 1, tzinfo=UTC)


def test_a_client_is_disabled_and_enabled_again(run, new_id, identity_database):
    run(*add_program(new_id, "--organisation", f"bank-{new_id}"))
    assert run("client", "disable", new_id)[0] == 0
    assert stored(identity_database, new_id).is_disabled
    assert run("client", "enable", new_id, "--until", "2999-12-31")[0] == 0
    client = stored(identity_database, new_id)
    assert (client.is_disabled, client.ends_at) == (False, datetime(3000, 1, 1, tzinfo=UTC))


def test_an_owner_is_a_department_or_an_organisation(run, new_id):
    run("demo", "seed")
    taken = run(*add_program(new_id, "--organisation", "civil-affairs"))
    assert taken == (2, "", "onehall: organisation: department civil-affairs breaks the rule not\n")
    run(*add_program(new_id, "--organisation", f"water-{new_id}"))
    assert run(*add_program(f"{new_id}-2", "--department", f"water-{new_id}"))[0] == 2


def add_program(client_id, *more):
    return ("client", "add", client_id, "--grant", "client_credentials", "--scope", "events", *more)


def test_a_public_client_has_no_secret(run, new_id, identity_database):
    code, out, _ = run("client", "add", new_id, "--public", "--redirect-uri", "http://127.0.0.1/cb")
    assert code == 0
    assert "client_secret" not in json.loads(out)
    assert stored(identity_database, new_id).is_public


@pytest.fixture
def keys_file(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [CLIENT_KEY.as_dict(private=False)]}))
    return str(file)


def test_a_client_that_signs_has_keys_and_no_secret(run, new_id, identity_database, keys_file):
    code, out, _ = run("client", "add", new_id, "--jwks", keys_file, "--redirect-uri", "https://rp.example/cb")
    shown, client = json.loads(out), stored(identity_database, new_id)
    assert code == 0
    assert "client_secret" not in shown
    assert (client.auth_methods, client.secret_hash, client.is_public) == (("private_key_jwt",), None, False)
    assert client.jwks == shown["jwks"] == json.loads(Path(keys_file).read_text())


def test_a_client_is_treated_as_it_was_registered(run, new_id, identity_database):
    code, out, _ = run(
        *("client", "add", new_id, "--redirect-uri", "https://rp.example/cb", "--require-par", "--require-dpop"),
        *("--id-token-alg", "RS256", "--userinfo-alg", "ES256", "--subject-type", "pairwise", "--sector", "rp"),
        *("--access-token-seconds", "120", "--refresh-token-seconds", "86400"),
        *("--backchannel-logout-uri", "https://rp.example/out"),
    )
    shown, client = json.loads(out), stored(identity_database, new_id)
    assert (code, shown["require_pushed_authorization_requests"], shown["dpop_bound_access_tokens"]) == (0, True, True)
    assert (client.require_par, client.requires_dpop, client.id_token_alg) == (True, True, "RS256")
    assert (client.userinfo_alg, client.subject_type, client.sector) == ("ES256", "pairwise", "rp")
    assert (client.access_token_seconds, client.refresh_token_seconds) == (120, 86_400)
    assert client.backchannel_logout_uri == shown["backchannel_logout_uri"] == "https://rp.example/out"


@pytest.mark.parametrize(
    "content", ["", "{}", "5", '{"keys": [{"kty": "oct", "k": "eA"}]}', json.dumps(CLIENT_KEY.as_dict(private=True))]
)
def test_keys_that_are_no_public_keys_are_refused(run, new_id, tmp_path, content):
    file = tmp_path / "keys.json"
    file.write_text(content)
    code, out, err = run("client", "add", new_id, "--jwks", str(file), "--redirect-uri", "https://rp.example/cb")
    assert (code, out) == (2, "")
    assert "--jwks" in err


@pytest.mark.parametrize(
    "more", [("--secret", "s"), ("--public",), ("--auth-method", "client_secret_basic"), ("--auth-method", "none")]
)
def test_keys_go_with_no_other_way_of_proof(run, new_id, keys_file, more):
    assert run("client", "add", new_id, "--jwks", keys_file, "--redirect-uri", "https://rp.example/cb", *more)[0] == 2


def test_a_registration_token_lets_a_client_register_itself(run, identity_database):
    code, out, _ = run("client", "registration-token", "--uses", "3", "--until", "2999-12-31")
    shown, driver = json.loads(out), Driver(identity_database)
    assert (code, shown["uses"], shown["ends_at"]) == (0, 3, "3000-01-01T00:00:00+00:00")
    headers = {"authorization": f"Bearer {shown['initial_access_token']}", "content-type": "application/json"}
    reply = driver.call("register", '{"redirect_uris": ["https://rp.example/cb"]}', **headers)
    assert reply.status == 201


@pytest.mark.parametrize(
    "arguments",
    [
        ("client", "registration-token"),
        ("client", "registration-token", "--until", "2020-01-01"),
        ("client", "registration-token", "--until", "2999-12-31", "--uses", "0"),
        ("client", "registration-token", "--until", "2999-12-31", "--uses", "1001"),
        ("client", "add", "rp-x", "--redirect-uri", "https://rp.example/cb", "--auth-method", "private_key_jwt"),
        ("client", "add", "rp-x", "--redirect-uri", "https://rp.example/cb", "--jwks", "nowhere.json"),
        ("client", "add", "rp-x", "--redirect-uri", "https://rp.example/cb", "--access-token-seconds", "1"),
        ("client", "add"),
        ("client", "add", "rp-x"),
        ("client", "add", "rp-x", "--public", "--secret", "s", "--redirect-uri", "https://rp.example/cb"),
        ("client", "add", "rp-x", "--redirect-uri", "javascript:alert(1)"),
        ("client", "add", "rp-x", "--redirect-uri", "https://rp.example/cb", "--scope", "root"),
        (*ADD, "--backchannel-logout-uri", "http://rp.example/out"),
        (*ADD, "--backchannel-logout-uri", "https://rp.example/out#x"),
        (*ADD, "--post-logout-uri", "https://rp.example/#x"),
        ("client", "add", "rp-x", "--public", "--grant", "client_credentials"),
        ("client", "add", "web", "--redirect-uri", "https://rp.example/cb"),
        ("client", "remove"),
        ("client", "add", "rp-x", "--grant", "client_credentials", "--department", "a", "--organisation", "b"),
        ("client", "add", "rp-x", "--grant", "client_credentials", "--organisation", "*"),
        ("client", "add", "rp-x", "--grant", "client_credentials", "--organisation", "b", "--until", "2020-01-01"),
        ("client", "add", "rp-x", "--grant", "client_credentials", "--organisation", "b", "--until", "soon"),
        ("client", "add", "gateway", "--grant", "client_credentials", "--organisation", "b"),
        ("client", "disable", "nobody"),
        ("client", "enable", "nobody"),
        ("user", "add", "anna", "--role", "king"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(run, arguments):
    run("demo", "seed")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("onehall: ")
    assert err.count("\n") == 1


def test_a_user_is_added_and_can_sign_in(run, new_id, monkeypatch, identity_database):
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret word\n"))
    code, out, _ = run("user", "add", new_id, "--password-stdin", "--role", "officer", "--department", "civil-affairs")
    added, driver = json.loads(out), Driver(identity_database)
    assert (code, added["roles"], added["department"]) == (0, ["officer"], "civil-affairs")
    signed_in = commands.sign_in(identity_database, at_once, new_id, "secret word", "web", driver.now)
    assert signed_in["subject"] == added["subject"]


def test_a_user_is_added_once(run, new_id, monkeypatch):
    for expected in (0, 2):
        monkeypatch.setattr(sys, "stdin", io.StringIO("secret word\n"))
        assert run("user", "add", new_id, "--password-stdin")[0] == expected


def test_production_wants_an_address_and_no_demo(run, new_id):
    assert run("user", "add", new_id, "--password-stdin", environment="production")[0] == 2
    code, _, err = run("demo", "seed", environment="production")
    assert code == 2
    assert "local runs only" in err


def test_the_platforms_own_clients_are_made_in_production_too(run, identity_database):
    assert run("client", "platform", environment="production", notify_client_secret="new")[0] == 0
    assert is_secret("new", stored(identity_database, "notify").secret_hash)
    assert run("client", "platform", notify_client_secret="notify-secret")[0] == 0


@pytest.mark.parametrize(
    "command", [(), ("client",), ("client", "add"), ("user", "add"), ("demo", "seed"), ("demo", "play")]
)
def test_every_command_explains_itself(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Usage: onehall" in out


def test_a_database_that_is_away_is_one_line(run):
    code, _, err = run("demo", "seed", identity_database_url="postgresql://x@127.0.0.1:1/identity")
    assert code == 2
    assert "database does not answer" in err


def test_audit_verify_prints_the_end_that_the_next_run_can_be_held_against(run, driver):
    with driver.database.transaction() as session:
        look = Look("somebody", "an-officer", "web", "officer", None, "web", "case", None, "handling")
        note_act(session, look, driver.now)
    seal_new_entries(driver.database, Seal(COOKIE_KEY, PURPOSE))
    code, out, err = run("audit", "verify")
    assert (code, err) == (0, "")
    end = out.split()[-1]
    assert run("audit", "verify", "--known", end)[0] == 0
    later = f"{int(end.partition(':')[0]) + 1}:{'0' * 64}"
    code, _, err = run("audit", "verify", "--known", later)
    assert (code, "missing at the end" in err) == (1, True)
    assert run("audit", "verify", "--known", "nonsense")[0] == 2


def test_an_operator_lets_somebody_in_again_by_a_link(run, identity_database, driver):
    clerk = driver.register(roles=("clerk",))
    code, out, _ = run("user", "recover", clerk.username, "--lost-factors")
    assert code == 0
    link = out.strip().removeprefix(f"{BASE}/recover/link/")
    lookup = Lookup(identity_database, NoticeKeys(COOKIE_KEY), LimitKeys(COOKIE_KEY))
    finishing.require_link(lookup, link, datetime.now(UTC))
    assert run("user", "recover", "nobody-at-all")[0] == 2


def add_user(run, monkeypatch, username, *more):
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    return run("user", "add", username, "--password-stdin", *more)


def test_staff_is_managed_and_each_change_is_listed_with_who_did_it(run, monkeypatch, new_id):
    monkeypatch.setenv("SUDO_USER", "wang")
    assert add_user(run, monkeypatch, new_id, "--role", "clerk", "--hall", "civic-centre")[0] == 0
    department = ("--department", "civil-affairs")
    assert run("user", "grant", new_id, "--role", "officer", *department)[:2] == (
        0,
        f"{new_id}: clerk, officer, department civil-affairs, hall civic-centre\n",
    )
    # the hall says which region's cases they decide
    left = f"{new_id}: officer, department civil-affairs, hall civic-centre\n"
    assert run("user", "revoke", new_id, "--role", "clerk")[1] == left
    assert run("user", "disable", new_id)[0] == run("user", "enable", new_id)[0] == 0
    assert run("user", "reset-factors", new_id)[0] == 0
    listed = [json.loads(line) for line in run("user", "list", "--role", "officer", *department)[1].splitlines()]
    assert new_id in {each["username"] for each in listed}
    assert json.loads(run("user", "show", new_id)[1])["roles"] == ["officer"]
    assert run("user", "revoke", new_id)[1] == f"{new_id}: no role\n"
    code, out, _ = run(
        "audit", "list", "--account", new_id, "--staff", "--since", "2020-01-01", "--until", "2999-12-31"
    )
    entries = [json.loads(line) for line in out.splitlines()]
    assert [entry["detail"].split(" ")[0] for entry in entries] == [
        "added", "granted", "revoked", "disabled", "enabled", "factors-reset", "revoked",
    ]  # fmt: skip
    assert (code, {entry["viewer"] for entry in entries}) == (0, {"os:wang"})
    # that somebody read it is the next entry
    again = run("audit", "list", "--account", new_id, "--what", "access-log", "--viewer", "os:wang")[1]
    assert len(again.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "disable", "nobody-here"), "there is no such account: nobody-here"),
        (
            ("user", "grant", "auditor", "--role", "officer", "--department", "civil-affairs"),
            "auditor goes with no other role",
        ),
        (("user", "grant", "citizen", "--role", "officer"), "department: it is missing"),
        (("user", "revoke", "citizen", "--role", "clerk"), "the account has no role clerk"),
        (("audit", "list", "--account", "nobody-here"), "there is no such account: nobody-here"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(run, seeded, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
