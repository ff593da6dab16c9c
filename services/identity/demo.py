"""The accounts and clients of local runs, and the platform's own client. Scripts rely on their names."""

from __future__ import annotations

from services.identity.domain import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    SECRET_AUTH_METHODS,
    TOKEN_EXCHANGE,
    Account,
    Client,
)
from services.identity.persons.identifiers import Particulars, with_check_digit

PASSWORD = "onehall-demo"  # noqa: S105 (known to all, and refused in production)
CLIENT_SECRET = "onehall-demo-secret"  # noqa: S105
"""Hashed like every client secret (`sealing.hash_secret`): it can be guessed, and guards nothing but a local run."""

DEPARTMENTS = {
    "civil-affairs": "民政局",
    "market-regulation": "市场监督管理局",
    "medical-insurance": "医疗保障局",
    "human-resources": "人力资源和社会保障局",
}
ORGANISATIONS = {"city-hospital": "市人民医院"}
"""Outside government: sources of evidence, each under an agreement."""

_PERSONAL = ("openid", "profile", "email", "offline_access", "cases")


def _account(username: str, name: str, *roles: str, department: str | None = None, hall: str | None = None) -> Account:
    return Account("", username=username, name=name, roles=roles, department=department, hall=hall)


ACCOUNTS = (
    _account("citizen", "陈晓明"),
    _account("citizen2", "林雨桐"),
    # the comprehensive window takes cases for every department, so the clerk belongs to none
    _account("clerk", "王芳", "clerk", hall="civic-centre"),
    _account("officer", "李建国", "officer", department="civil-affairs"),
    _account("officer2", "赵敏", "officer", department="market-regulation"),
    _account("operator", "周强", "operator"),
    _account("auditor", "孙丽", "auditor"),
    _account("officer3", "吴静", "officer", department="medical-insurance"),
    _account("officer4", "郑浩", "officer", department="human-resources"),
    # in another region: they take in there what Guang'an decides, and decide nothing of it
    _account("clerk2", "何丽", "clerk", hall="chengdu-centre"),
    _account("officer5", "罗军", "officer", department="civil-affairs", hall="chengdu-centre"),
    _account("supervisor", "黄慧", "officer", "supervisor", department="civil-affairs"),
)

PARTICULARS = {
    account.username: Particulars(
        # the check is right, and nobody can be meant: the day is before anybody who lives was born
        id_number=with_check_digit(f"11010118900101{serial:03}"),
        # a number of this country by its form; nothing is ever sent to it, local runs have a sink
        phone=f"+861990000{serial:04}",
        email=f"{account.username}@example.org",
    )
    for serial, account in enumerate(ACCOUNTS, start=1)
}
"""Confirmed, as if a registry and the person had done it."""


def clients(base_url: str, secret_hash: str) -> tuple[Client, ...]:
    return (
        _own("web", "政务服务网", (f"{base_url}/callback",), secret_hash, (f"{base_url}/",), (TOKEN_EXCHANGE,)),
        _own(
            "hall", "政务大厅", (f"{base_url}/hall/callback",), secret_hash, (f"{base_url}/hall/",), (TOKEN_EXCHANGE,)
        ),
        _own("app", "掌上政务", ("http://127.0.0.1/callback", "http://[::1]/callback", "onehall://callback")),
        Client(
            "kiosk",
            "自助终端",
            grants=(DEVICE_CODE, REFRESH_TOKEN),
            scopes=_PERSONAL,
            first_party=True,
            channel="kiosk",
        ),
        *(_department(code, name, secret_hash) for code, name in DEPARTMENTS.items()),
        *(_organisation(code, name, secret_hash) for code, name in ORGANISATIONS.items()),
        Client(
            "rp-test",
            "Relying party of the tests",
            secret_hash,
            SECRET_AUTH_METHODS,
            ("http://127.0.0.1:9555/callback",),
            ("http://127.0.0.1:9555/signed-out",),
            scopes=_PERSONAL,
        ),
    )


def notify_client(secret_hash: str) -> Client:
    """The service `notify` asks the API for addresses as any other program does: with a token of its own."""
    return Client(
        "notify",
        "消息服务",
        secret_hash,
        SECRET_AUTH_METHODS,
        grants=(CLIENT_CREDENTIALS,),
        scopes=("contacts", "codes"),
    )


def _own(
    channel: str,
    name: str,
    redirect_uris: tuple[str, ...],
    secret_hash: str | None = None,
    post_logout_uris: tuple[str, ...] = (),
    grants: tuple[str, ...] = (),
) -> Client:
    """A client of the platform itself, named like its channel; people are not asked to agree to it."""
    return Client(
        channel,
        name,
        secret_hash,
        SECRET_AUTH_METHODS if secret_hash else ("none",),
        redirect_uris,
        post_logout_uris,
        grants=(AUTHORIZATION_CODE, REFRESH_TOKEN, *grants),
        scopes=_PERSONAL,
        first_party=True,
        channel=channel,
    )


def _department(code: str, name: str, secret_hash: str) -> Client:
    return Client(
        f"dept-{code}",
        name,
        secret_hash,
        SECRET_AUTH_METHODS,
        grants=(CLIENT_CREDENTIALS,),
        scopes=("cases", "events"),
        department=code,
    )


def _organisation(code: str, name: str, secret_hash: str) -> Client:
    return Client(
        f"org-{code}",
        name,
        secret_hash,
        SECRET_AUTH_METHODS,
        grants=(CLIENT_CREDENTIALS,),
        scopes=("events", "evidence:answer"),
        organisation=code,
    )
