"""A database of cases as it is after years: departments, ages, states, limits, forms, and the history of each."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2

from services.cases.catalogue.files import shipped

YEARS = 5
OWN = 20
"""Cases of one citizen, whoever many others there are."""

_WRITERS = 2
_ITEMS = ("residence-permit", "elderly-card", "birth-registration")
_FOREIGN_KEY = "case_history_number_fkey"

# Numbers begin with the day, so what is newer stands further back in each index, as it would. Of those that were filed
# within the last fortnight most are open; of the older ones a few still wait.
_CASES = """
INSERT INTO cases (number, item, item_version, department, region, kind, applicant, channel, submitted_at, updated_at,
    status, status_before_correction, decision, sequence, step, assignee, clock_from, promised_left, statutory_left,
    due_on, statutory_due_on, due_stage, form, idempotency_key, request_digest)
SELECT next_case_number(day),
    CASE place WHEN 0 THEN (%(items)s::text[])[1 + n %% 3] ELSE 'item-' || place || '-' || n %% 40 END,
    CASE place WHEN 0 THEN (%(versions)s::integer[])[1 + n %% 3] ELSE 1 END,
    CASE place WHEN 0 THEN 'civil-affairs' ELSE 'department-' || place END, '511602', 'public-service',
    CASE WHEN n %% %(others)s = 0 THEN %(citizen)s ELSE 'applicant-' || n / 8 END,
    (ARRAY['web', 'app', 'hall', 'kiosk'])[1 + n / 7 %% 4], day, day + 3, status,
    CASE status WHEN 'correction_requested' THEN 'submitted' END,
    CASE status WHEN 'closed' THEN CASE WHEN n %% 13 = 0 THEN 'refused' ELSE 'approved' END END,
    CASE status WHEN 'submitted' THEN 1 WHEN 'closed' THEN 4 ELSE 2 END, 'review',
    CASE n %% 3 WHEN 0 THEN 'officer-' || n %% 500 END, CASE WHEN status IN ('submitted', 'accepted') THEN day END,
    10, 20, day + 12, day + 24, CASE WHEN status IN ('submitted', 'accepted') THEN n %% 4 ELSE 0 END,
    %(form)s::jsonb, md5(n::text)::uuid::text, decode(md5(n::text), 'hex')
FROM generate_series(%(first)s, %(last)s) AS n
CROSS JOIN LATERAL (
    SELECT n / 3 %% 10 AS place, current_date - (%(days)s * (%(end)s - n)::bigint / %(end)s)::integer AS day
) AS placed
CROSS JOIN LATERAL (SELECT (CASE WHEN current_date - day < 15 OR n %% 50 = 0
    THEN ARRAY['submitted', 'accepted', 'accepted', 'suspended', 'correction_requested']
    ELSE ARRAY['closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'closed', 'withdrawn', 'lapsed']
END) AS states) AS aged
CROSS JOIN LATERAL (SELECT states[1 + n / 11 %% cardinality(states)] AS status) AS stated
"""
_HISTORY = """
INSERT INTO case_history (number, sequence, at, event, channel, actor, actor_subject)
SELECT number, place, submitted_at + place * interval '1 day',
    (ARRAY['case.submitted', 'case.accepted', 'case.approved', 'case.closed'])[place], channel,
    CASE place WHEN 1 THEN 'citizen' ELSE 'officer' END, CASE place WHEN 1 THEN applicant ELSE 'officer-1' END
FROM cases CROSS JOIN LATERAL generate_series(1, sequence) AS place
WHERE NOT EXISTS (SELECT FROM case_history AS known WHERE known.number = cases.number)
"""
_TIMERS = """
INSERT INTO schedule (name, key, due_at, next_at, data)
SELECT 'case-clock', number, now() + interval '90 days', now() + interval '90 days', '{}' FROM cases
WHERE status IN ('submitted', 'accepted')
ON CONFLICT DO NOTHING
"""
_FIGURES = """
INSERT INTO case_figures (department, month, item, channel, event, days, kept, count)
SELECT department, date_trunc('month', submitted_at)::date, item, channel, event, days, kept, count(*)
FROM cases CROSS JOIN LATERAL (
    SELECT 'case.submitted' AS event, -1 AS days, -1 AS kept
    UNION ALL SELECT 'case.' || decision, 1 + ascii(right(number, 1)) * ascii(substr(number, 16, 1)) %% 40, 0
    WHERE decision IS NOT NULL
) AS happened
GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (department, month, item, channel, event, days, kept) DO UPDATE SET count = excluded.count
"""


def fill(url: str, citizen: str, first: int, end: int) -> None:
    """Cases `first` to `end` of a database that then has about `end`; `citizen` (an account) has `OWN` of them more."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'cases' AND indexdef !~ 'UNIQUE'")
        indexes = cursor.fetchall()
        # rows by the million come in without them, and each is made anew at once: the same tables, sooner
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(f"ALTER TABLE case_history DROP CONSTRAINT IF EXISTS {_FOREIGN_KEY}")
        values = {
            "items": list(_ITEMS),
            "versions": [shipped().get(code).version for code in _ITEMS],
            "citizen": citizen,
            "end": end,
            "days": YEARS * 365,
            "form": json.dumps(shipped().get(_ITEMS[0]).description["example"], ensure_ascii=False),
            "others": max((end - first + 1) // OWN, 1),
        }
        step = -(-(end - first + 1) // _WRITERS)
        parts = [(at, min(at + step - 1, end)) for at in range(first, end + 1, step)]
        _at_once([(url, _CASES, values | {"first": begin, "last": last}) for begin, last in parts])
        _at_once([(url, statement, values) for statement in (_HISTORY, _TIMERS)])
        _at_once([(url, definition, None) for _, definition in indexes])
        cursor.execute(_FIGURES, values)
        cursor.execute(
            f"ALTER TABLE case_history ADD CONSTRAINT {_FOREIGN_KEY} FOREIGN KEY (number) REFERENCES cases NOT VALID"
        )
        cursor.execute("VACUUM ANALYZE cases, case_history, schedule, case_figures")


def _at_once(work: list[tuple[str, str, object]]) -> None:
    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(lambda each: _run(*each), work))


def _run(url: str, statement: str, values: object) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '256MB'; SET work_mem = '128MB'; SET synchronous_commit = off")
        cursor.execute(statement, values)
