"""Which pages there are, and where. Items and cases are the same at every place (`gateway.places`), under its path."""

from fastapi import APIRouter

from gateway.pages import (
    access_log,
    account,
    addresses_of_account,
    auditor,
    case_lists,
    cases,
    counter_assurance,
    counter_recovery,
    department,
    device,
    documents,
    drafts,
    evidence,
    evidence_requests,
    hall,
    home,
    inbox,
    items,
    joint,
    kiosk,
    mandates,
    not_me,
    operator,
    own_account,
    passkeys,
    person_cases,
    progress,
    ratings,
    recovering,
    registering,
    results,
    second_step,
    security,
    sessions,
    sign_in,
    statistics,
    uploads,
    verify,
    webhooks,
    work,
)
from gateway.places import KIOSK_PLACE, VISIT_PLACE

router = APIRouter(include_in_schema=False)
for part in (
    home,
    items,
    case_lists,
    cases,
    joint,
    drafts,
    documents,
    uploads,
    ratings,
    inbox,
    account,
    security,
    sessions,
    access_log,
    mandates,
    department,
    webhooks,
    sign_in,
    second_step,
    passkeys,
    recovering,
    not_me,
    results,
    verify,
    addresses_of_account,
):
    router.include_router(part.router)
for address in (
    registering.router,
    results.certificates,
    progress.router,
    progress.codes,
    evidence.on_case,
    evidence.own,
    own_account.router,
    own_account.closed,
    counter_assurance.router,
    counter_recovery.router,
):
    router.include_router(address)
for part in (device, kiosk, hall):
    router.include_router(part.router)
for part in (items, case_lists, cases, joint, drafts, documents, uploads, ratings, results):
    router.include_router(part.router, prefix=KIOSK_PLACE.base)
for at in (KIOSK_PLACE, VISIT_PLACE):
    router.include_router(progress.codes, prefix=at.base)
    router.include_router(evidence.on_case, prefix=at.base)
# who acts for somebody does not rate for them
for part in (items, case_lists, cases, joint, drafts, documents, uploads, results):
    router.include_router(part.router, prefix=VISIT_PLACE.base)
for part in (work, person_cases, statistics, operator, auditor, evidence_requests):
    router.include_router(part.router)
