"""The local provider of short messages: answers as Tencent Cloud's `SendSms` does, and keeps each message as a file.

What its documentation says of requests and errors holds here: the signature (TC3-HMAC-SHA256) and its time, missing
and wrong parameters, numbers outside E.164, a template that nobody approved, the same number twice in half a minute,
too many for a number in a day, throttling. Nothing leaves this machine.
"""

from __future__ import annotations

import hmac
import json
import re
import sys
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

from services.notify.tencent_signature import authorization

SECRET_ID = "onehall-local"  # noqa: S105 (known to all, and good here only)
SECRET_KEY = "onehall-demo-sms"  # noqa: S105
APP_ID = "1400000000"
SIGN_NAME = "一网通办"
TEMPLATES = {
    "1000001": "您的验证码是{1}，{2}分钟内有效。请勿告诉任何人。",
    "1000002": "您的驗證碼是{1}，{2}分鐘內有效。切勿告訴任何人。",
    "1000003": "Your code is {1}, good for {2} minutes. Tell it to nobody.",
    "1000004": "您账号的登录方式有变动，详情见站内消息。如非本人操作，请打开本站 /not-me 页面，输入 {1}-{2}-{3}。",
    "1000005": "您帳號的登入方式有變動，詳情見站內訊息。如非本人操作，請開啟本站 /not-me 頁面，輸入 {1}-{2}-{3}。",
    "1000006": "How you sign in has changed, see your inbox. If it was not you, open /not-me and enter {1}-{2}-{3}.",
    "1000007": "您现在可以设置新密码：请打开本站 /recover/link 页面，输入 {1}-{2}-{3}。切勿告诉任何人。",
    "1000008": "您現在可以設定新密碼：請開啟本站 /recover/link 頁面，輸入 {1}-{2}-{3}。切勿告訴任何人。",
    "1000009": "You can set a new password now: open /recover/link and enter {1}-{2}-{3}. Tell it to nobody.",
}
FOR_CODES = ("1000001", "1000002", "1000003")

SETTINGS = {
    "ONEHALL_SMS_SECRET_ID": SECRET_ID,
    "ONEHALL_SMS_SECRET_KEY": SECRET_KEY,
    "ONEHALL_SMS_APP_ID": APP_ID,
    "ONEHALL_SMS_SIGN_NAME": SIGN_NAME,
    "ONEHALL_SMS_TEMPLATES": "zh-Hans=1000001,zh-Hant=1000002,en=1000003",
    "ONEHALL_SMS_NOTICE_TEMPLATES": "zh-Hans=1000004,zh-Hant=1000005,en=1000006",
    "ONEHALL_SMS_RECOVERY_TEMPLATES": "zh-Hans=1000007,zh-Hant=1000008,en=1000009",
}
"""What notify needs to send through it."""

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_MAINLAND = re.compile(r"\+861[3-9][0-9]{9}")
_NEEDED = ("PhoneNumberSet", "SmsSdkAppId", "TemplateId")
_MINUTES_OFF = 5
_MAX_BODY = 64 * 1024


class ApiError(Exception):
    """Args: the documented code."""


class Provider:
    """`same_number_seconds`, `a_day` and `a_second` are the limits; an operator sets the first two in its console."""

    def __init__(
        self,
        folder: Path,
        *,
        same_number_seconds: float = 30,
        a_day: int = 100,
        a_second: int = 3_000,
        now: Callable[[], float] = time.time,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._same_number_seconds = same_number_seconds
        self._a_day = a_day
        self._a_second = a_second
        self._now = now
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._requests: deque[float] = deque()
        self._numbers = count(1)
        self._lock = threading.Lock()

    def answer(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """The content of the response. Errors too come with the status 200."""
        request_id = str(uuid.uuid4())
        try:
            with self._lock:
                content = self._content(headers, body)
        except ApiError as error:
            content = {"Error": {"Code": error.args[0], "Message": "See the documentation of this error code."}}
        return {"Response": content | {"RequestId": request_id}}

    def _content(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        self._require_signature(headers, body)
        self._require_pace()
        if headers.get("x-tc-action") != "SendSms":
            raise ApiError("InvalidAction")
        if headers.get("x-tc-version") != "2021-01-11":
            raise ApiError("NoSuchVersion")
        if not headers.get("x-tc-region"):
            raise ApiError("MissingParameter")
        return {"SendStatusSet": self._send(_parsed(body))}

    def _require_signature(self, headers: dict[str, str], body: bytes) -> None:
        given = headers.get("authorization", "")
        if "Credential=" not in given:
            raise ApiError("AuthFailure.InvalidAuthorization")
        if f"Credential={SECRET_ID}/" not in given:
            raise ApiError("AuthFailure.SecretIdNotFound")
        timestamp = headers.get("x-tc-timestamp", "")
        if not timestamp.isdecimal() or abs(self._now() - int(timestamp)) > _MINUTES_OFF * 60:
            raise ApiError("AuthFailure.SignatureExpire")
        expected = authorization(
            SECRET_ID,
            SECRET_KEY,
            service="sms",
            host=headers.get("host", ""),
            action=headers.get("x-tc-action", ""),
            payload=body,
            timestamp=int(timestamp),
        )
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise ApiError("AuthFailure.SignatureFailure")

    def _require_pace(self) -> None:
        now = self._now()
        _forget(self._requests, now - 1)
        if len(self._requests) >= self._a_second:
            raise ApiError("RequestLimitExceeded")
        self._requests.append(now)

    def _send(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        numbers = request["PhoneNumberSet"]
        if len(numbers) > 200:
            raise ApiError("LimitExceeded.PhoneNumberCountLimit")
        if request["SmsSdkAppId"] != APP_ID:
            raise ApiError("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        parameters = request.get("TemplateParamSet", [])
        return [self._send_one(str(number), request, parameters) for number in numbers]

    def _send_one(self, number: str, request: dict[str, Any], parameters: list[str]) -> dict[str, Any]:
        code = self._code_for(number, request, parameters)
        serial = ""
        if code == "Ok":
            serial = f"5000:{uuid.uuid4().int % 10**19}"
            self._sent[number].append(self._now())
            self._keep(number, TEMPLATES[request["TemplateId"]], parameters)
        return {
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": int(code == "Ok"),
            "SessionContext": request.get("SessionContext", ""),
            "Code": code,
            "Message": "send success" if code == "Ok" else code,
            "IsoCode": "CN" if number.startswith("+86") else "",
        }

    def _code_for(self, number: str, request: dict[str, Any], parameters: list[str]) -> str:
        template = TEMPLATES.get(request["TemplateId"], "")
        if _NUMBER.fullmatch(number) is None or (number.startswith("+86") and _MAINLAND.fullmatch(number) is None):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if number.startswith("+86") and request.get("SignName") != SIGN_NAME:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if len(re.findall(r"\{[0-9]\}", template)) != len(parameters):
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        # a template for codes takes digits only; of every variable six characters at most
        possible = "[0-9]{0,6}" if request["TemplateId"] in FOR_CODES else ".{0,6}"
        if not all(re.fullmatch(possible, str(parameter)) for parameter in parameters):
            return "InvalidParameterValue.TemplateParameterFormatError"
        return self._limit_of(number)

    def _limit_of(self, number: str) -> str:
        now, sent = self._now(), self._sent[number]
        _forget(sent, now - 86_400)
        if sent and now - sent[-1] < self._same_number_seconds:
            return "LimitExceeded.PhoneNumberThirtySecondLimit"
        return "LimitExceeded.PhoneNumberDailyLimit" if len(sent) >= self._a_day else "Ok"

    def _keep(self, number: str, template: str, parameters: list[str]) -> None:
        text = template
        for place, parameter in enumerate(parameters, 1):
            text = text.replace(f"{{{place}}}", str(parameter))
        message = {"to": number, "text": f"【{SIGN_NAME}】{text}", "parameters": parameters, "at": self._now()}
        name = f"{time.monotonic():017.6f}.{next(self._numbers)}.json"
        new = self._folder / f".{name}"
        new.write_text(json.dumps(message, ensure_ascii=False))
        new.rename(self._folder / name)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        raise ApiError("FailedOperation.JsonParseFail") from None
    if not isinstance(request, dict) or not all(request.get(name) for name in _NEEDED):
        raise ApiError("MissingParameter")
    return request


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


def make_server(host: str, port: int, provider: Provider) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            if length > _MAX_BODY:
                self.send_error(413)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = json.dumps(provider.answer(headers, self.rfile.read(length))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Stay silent."""

    return ThreadingHTTPServer((host, port), Handler)


if __name__ == "__main__":
    make_server(sys.argv[1], int(sys.argv[2]), Provider(Path(sys.argv[3]))).serve_forever()
