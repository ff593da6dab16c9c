"""Short messages through Tencent Cloud's `SendSms` (version 2021-01-11), as its documentation says.

The text is a template that the provider has approved, one a language. Of a code's, the first parameter is the code, the
second for how many minutes it is good; of a notice's and a recovery's, three make up the code to type in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

import httpx2

from services.notify.settings import NotifySettings
from services.notify.tencent_signature import CONTENT_TYPE, authorization

CODE, NOTICE, RECOVERY = "code", "notice", "recovery"
"""What a template is for."""

_TEMPLATES: dict[str, Callable[[NotifySettings], dict[str, str]]] = {
    CODE: attrgetter("sms_template_of"),
    NOTICE: attrgetter("sms_notice_template_of"),
    RECOVERY: attrgetter("sms_recovery_template_of"),
}

_SECONDS = 5.0
_VERSION = "2021-01-11"
_TOO_SOON_SECONDS = 10

_LATER = ("LimitExceeded.PhoneNumberThirtySecondLimit", "LimitExceeded.DeliveryFrequencyLimit")
"""The same message to the same number may succeed within half a minute."""

_NUMBER_REFUSED = (
    "InvalidParameterValue.IncorrectPhoneNumber",
    "FailedOperation.PhoneNumberInBlacklist",
    "FailedOperation.PhoneNumberOnBlacklist",
    "LimitExceeded.PhoneNumberOneHourLimit",
    "LimitExceeded.PhoneNumberDailyLimit",
    "LimitExceeded.PhoneNumberSameContentDailyLimit",
    "UnsupportedOperation.UnsuportedRegion",
)
"""Nothing will come of this number within the life of a code; the others go on."""


class SmsUnavailable(Exception):
    """No fault of any message: no answer, no account, no credit, throttled. Args: the code."""


class SmsDeferred(Exception):
    """Later it may succeed. Args: the code, seconds."""


class SmsRefused(Exception):
    """To this number it will not. Args: the code."""


class SmsProvider:
    """`now` is the time in seconds since 1970: the provider refuses a signature five minutes off."""

    def __init__(self, settings: NotifySettings, http: httpx2.Client, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._http = http
        self._now = now

    def send(
        self, number: str, locale: str, parameters: Sequence[str], reference: str, template_for: str = CODE
    ) -> None:
        """Return when the provider has taken it; else raise one of this module's errors.

        `number` is as E.164 writes it, with `+`. `reference` comes back in the provider's reports.
        """
        settings = self._settings
        template = _TEMPLATES[template_for](settings).get(locale)
        if not settings.sms_secret_id or template is None:
            raise SmsRefused("NotConfigured")
        body = {
            "PhoneNumberSet": [number],
            "SmsSdkAppId": settings.sms_app_id,
            "SignName": settings.sms_sign_name,
            "TemplateId": template,
            "TemplateParamSet": list(parameters),
            "SessionContext": reference,
        }
        answer = self._call("SendSms", json.dumps(body).encode())
        if "Error" in answer:
            _raise(str(answer["Error"].get("Code")))
        # one number, one status
        code = str(answer["SendStatusSet"][0]["Code"])
        if code != "Ok":
            _raise(code)

    def _call(self, action: str, payload: bytes) -> dict[str, Any]:
        settings, timestamp = self._settings, int(self._now())
        signature = authorization(
            settings.sms_secret_id,
            settings.sms_secret_key.get_secret_value(),
            service="sms",
            host=urlsplit(settings.sms_url).netloc,
            action=action,
            payload=payload,
            timestamp=timestamp,
        )
        headers = {
            "Authorization": signature,
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": action,
            "X-TC-Version": _VERSION,
            "X-TC-Timestamp": str(timestamp),
            "X-TC-Region": settings.sms_region,
        }
        try:
            answer = self._http.post(f"{settings.sms_url}/", content=payload, headers=headers)
            response: dict[str, Any] = answer.raise_for_status().json()["Response"]
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise SmsUnavailable(type(error).__name__) from error
        return response


def open_provider(settings: NotifySettings) -> SmsProvider:
    return SmsProvider(settings, httpx2.Client(timeout=_SECONDS))


def _raise(code: str) -> None:
    if code in _LATER:
        raise SmsDeferred(code, _TOO_SOON_SECONDS)
    if code in _NUMBER_REFUSED:
        raise SmsRefused(code)
    # the account, the template or the provider itself: an operator's to mend, and the next code's too
    raise SmsUnavailable(code)
