from __future__ import annotations

import pytest

from services.notify.settings import NotifySettings
from services.notify.tencent_signature import authorization

NEEDED = {
    "ONEHALL_ENVIRONMENT": "local",
    "ONEHALL_BASE_URL": "http://127.0.0.1:8000",
    "AMQP_URI": "amqp://",
    "ONEHALL_RPC_SECRET": "s" * 16,
    "ONEHALL_API_URL": "http://127.0.0.1:8000",
    "ONEHALL_NOTIFY_CLIENT_SECRET": "secret",
    "ONEHALL_SMTP_HOST": "127.0.0.1",
    "ONEHALL_MAIL_FROM": "no-reply@onehall.example",
}
SMS = {
    "ONEHALL_SMS_SECRET_ID": "id",
    "ONEHALL_SMS_SECRET_KEY": "key",
    "ONEHALL_SMS_APP_ID": "1400006666",
    "ONEHALL_SMS_SIGN_NAME": "OneHall",
    "ONEHALL_SMS_TEMPLATES": "zh-Hans=1,zh-Hant=2,en=3",
}


def test_a_request_is_signed_as_in_the_provider_s_own_example() -> None:
    payload = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = authorization(
        "AKID" + "*" * 32,
        "*" * 32,
        service="cvm",
        host="cvm.tencentcloudapi.com",
        action="DescribeInstances",
        payload=payload,
        timestamp=1551113065,
    )
    assert signed.endswith("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> NotifySettings:
    for name, value in (NEEDED | given).items():
        monkeypatch.setenv(name, value)
    return NotifySettings()


def test_a_language_has_its_template(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch).sms_template_of == {}
    assert settings(monkeypatch, **SMS).sms_template_of == {"zh-Hans": "1", "zh-Hant": "2", "en": "3"}
