"""The catalogue with a whole district's items: searches, and the check of proofs at 10,000 items."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from chassis.database import Database
from deploy.local.platform import Platform
from services.cases.catalogue import files, importing, listing, papers, proofs, publishing
from services.cases.catalogue.model import Catalogue, Filter, ServiceItem
from services.cases.catalogue.proofs import ProofGraph
from services.cases.catalogue.script import to_pinyin, to_traditional
from tests.official_lists import as_csv, rows
from tests.processes import wait_until
from tests.proof_graphs import crossed

REAL_LIST = Path("../shared/data/service-items-guangan.csv")
MADE = 1_135
SEARCHES = 1_000
PROOFS = 10_000


def measure_search() -> tuple[float, int]:
    """The 95th percentile in milliseconds of what `cases` does for one search, and how many items there are."""
    catalogue = Catalogue([*files.shipped().all(), *(ServiceItem(each | {"version": 1}) for each in _imported())])
    _ = catalogue.index
    spent = []
    for q in _queries():
        begin = time.perf_counter()
        listing.list_items(catalogue, q, Filter(), None, None, with_facets=True)
        spent.append(time.perf_counter() - begin)
    return _late(spent), len(catalogue.all())


def measure_requests(platform: Platform) -> float:
    """The same over the API, as a client sees it."""
    database = Database(platform.environment["ONEHALL_CASES_DATABASE_URL"], pool_size=1)
    with database.transaction() as session:
        publishing.publish_import(session, _imported(), datetime.now(UTC))
    with httpx2.Client(base_url=platform.environment["ONEHALL_BASE_URL"]) as client:
        wait_until("what was imported is found", lambda: _total(client) > MADE - 10, 30)
        spent = []
        for q in _queries():
            begin = time.perf_counter()
            client.get("/api/v1/items", params={"q": q}).raise_for_status()
            spent.append(time.perf_counter() - begin)
    return _late(spent)


def measure_proofs() -> float:
    """Seconds for the check of all proofs of a right catalogue in which each item needs three others."""
    items = crossed(PROOFS)
    begin = time.perf_counter()
    if list(proofs.faults_of(ProofGraph.of(items, papers.papers_of(items)))):
        raise RuntimeError("a right catalogue was blamed")
    return time.perf_counter() - begin


def _imported() -> list[dict[str, Any]]:
    content = REAL_LIST.read_bytes() if REAL_LIST.is_file() else as_csv(rows(MADE))
    return importing.read_list(
        content, {str(each.description.get("official_code")) for each in files.shipped().all()}
    ).items


def _queries() -> Iterator[str]:
    """Parts of names as people ask: in either script, in pinyin and its initials, with a slip; and words."""
    chosen = random.Random(1)
    names = [each["name"]["zh-Hans"] for each in _imported()]
    words = (
        "居住证",
        "上户口",
        "开店",
        "怎么办理居住证",
        "孩子生了怎么给他办户口",
        "失业了怎么领钱",
        "how can I get my money back from the hospital",
        "residence permit",
        "residense permit",
        "elderly",
        "证",
        "登记",
    )
    for number in range(SEARCHES):
        name = chosen.choice(names)
        begin = chosen.randrange(max(1, len(name) - 6))
        part = name[begin : begin + chosen.randint(2, 8)]
        slip = part[:1] + part[2:3] + part[1:2] + part[3:]
        spoken = to_pinyin(part)
        initials = "".join(syllable[:1] for syllable in spoken)
        kinds = (part, name, to_traditional(part), "".join(spoken), initials, slip, chosen.choice(words))
        yield kinds[number % len(kinds)]


def _total(client: httpx2.Client) -> int:
    return int(client.get("/api/v1/items", params={"limit": 1}).json()["total"])


def _late(spent: list[float]) -> float:
    return statistics.quantiles(spent, n=20)[18] * 1_000
