"""Errors that cross RPC come back as themselves."""

import json

import pytest

from chassis.rpc import reply_to_caller
from contracts.errors import ERROR_OF_PATH, ServiceError

FAULT = {"pointer": "/birth_date", "rule": "format", "value": "date"}
EXAMPLES = {
    "StepUpRequired": (2,),
    "NotFound": ("case", "202611240000012"),
    "NotPermitted": ("approve",),
    "ItemVersionOutdated": ("elderly-card", 2),
    "DraftChanged": ("1d7c1c52-7b5e-4f0b-9a39-0f6f3c2a9e71", 4),
    "TooManyDrafts": (20,),
    "UploadMoved": (1024,),
    "TooManyUploads": (20,),
    "ItemNotOnline": ("dog-licence",),
    "ItemIsJoint": ("birth",),
    "NotFiledHere": ("elderly-card", "civil-affairs", "511602", {"en": "Guang'an"}, [{"en": "Civic Centre"}]),
    "ActionNotAllowed": ("approve", "submitted"),
    "CorrectionAlreadyRequested": ("202611240000012",),
    "CaseChanged": ("202611240000012", 4),
    "VersionNeeded": ("assign",),
    "InvalidInput": ([FAULT],),
    "IdempotencyKeyReused": ("key",),
    "CaseAlreadyRated": ("202611240000012",),
    "CaseNotClosed": ("202611240000012",),
    "SignInRefused": (),
    "TooManyAttempts": (30,),
    "SessionEnded": (),
    "SignInTooOld": (),
    "UsernameTaken": ("citizen",),
    "SubscriptionNameTaken": ("permits",),
    "SubscriptionEnded": ("permits",),
    "TooManySubscriptions": (100,),
    "TooManyNewSubscriptions": (200,),
    "AgreementNeeded": (["market-regulation"],),
    "ReplayUnderWay": ("permits",),
    "ReplayTooSoon": (60,),
    "TooManyWaiting": (100_000,),
    "DeliveryNotFailed": ("7", "delivered"),
    "WebhookTestUnderWay": ("hook",),
    "WebhookJustResumed": ("hook",),
    "ServiceUnavailable": ("database",),
}


def every_subclass(error: type[ServiceError]) -> set[type[ServiceError]]:
    return {error}.union(*(every_subclass(child) for child in error.__subclasses__()))


def test_every_error_is_in_the_table():
    ours = {error for error in every_subclass(ServiceError) - {ServiceError} if error.__module__ == "contracts.errors"}
    assert set(ERROR_OF_PATH.values()) == ours


@pytest.mark.parametrize("error_class", ERROR_OF_PATH.values(), ids=lambda error: error.__name__)
def test_an_error_comes_back_as_itself(error_class):
    error = error_class(*EXAMPLES[error_class.__name__])
    wire = json.loads(json.dumps(reply_to_caller(None, (error_class, error, None))))["error"]
    back = ERROR_OF_PATH[wire["exc_path"]](*wire["exc_args"])
    assert type(back) is error_class
    assert back.args == error.args


def test_an_error_of_ours_tells_nobody_what_it_says():
    error = ValueError("SELECT secret FROM accounts")
    wire = reply_to_caller(None, (ValueError, error, None))["error"]
    assert wire["exc_path"] not in ERROR_OF_PATH
    assert "secret" not in json.dumps(wire)
