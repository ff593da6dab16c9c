"""`python -m bench`: every figure in one run on a platform of its own, as a table of ratios."""

from __future__ import annotations

import os
from pathlib import Path

import trustme

from bench import at_scale, backlog, catalogue, consumer, filings, latency, logins, relay, tokens, webhooks
from deploy.local.platform import Platform
from tests.platforms import fresh

PORT = int(os.environ.get("ONEHALL_PORT", "8000")) + 11_000


def main() -> None:
    state = Path(os.environ.get("ONEHALL_STATE", "var"))
    ca, ca_file = trustme.CA(), state / "bench-ca.pem"
    state.mkdir(parents=True, exist_ok=True)
    ca.cert_pem.write_to_path(str(ca_file))
    # the platform reads it when it is made
    os.environ["ONEHALL_WEBHOOK_CA_FILE"] = str(ca_file)
    print(f"{'figure':<62}{'measured':>10}{'aim':>10}")
    checked, remembered = tokens.measure()
    report("access tokens checked in a second of one core", f"{checked:,.0f}", "5,000")
    report("the same of tokens seen before", f"{remembered:,.0f}", "-")
    report("one password hash (argon2id), CPU", f"{logins.measure_hash():.0f} ms", "-")
    late, count = catalogue.measure_search()
    report(f"search among {count:,} service items, 95th percentile", f"{late:.1f} ms", "20 ms")
    report("proofs of 10,000 service items checked", f"{catalogue.measure_proofs():.2f} s", "2 s")
    with fresh(state / "bench", PORT) as platform:
        platform.up_servers()
        platform.migrate()
        raw, relayed, burdened = relay.measure(platform)
        report(f"relay over a raw pika publisher ({relayed:,.0f}/{raw:,.0f} a second)", f"{relayed / raw:.2f}", "0.70")
        report("relay with 1,000,000 events of history over none", f"{burdened / relayed:.2f}", "0.95")
        handled, bare = consumer.measure(platform)
        report(
            f"consumer with inbox over a bare one ({handled:,.0f}/{bare:,.0f} a second)",
            f"{handled / bare:.2f}",
            "0.50",
        )
        platform.up()
        report("search over the API, 95th percentile", f"{catalogue.measure_requests(platform):.1f} ms", "20 ms")
        filed, echoed = filings.measure(platform)
        report(
            f"filings, mails out, over an echo RPC ({filed:,.0f}/{echoed:,.0f} a second)",
            f"{filed / echoed:.2f}",
            "0.20",
        )
        logged_in, echoed = logins.measure(platform)
        report(
            f"logins of five requests over an echo RPC ({logged_in:,.0f}/{echoed:,.0f} a second)",
            f"{logged_in / echoed:.2f}",
            "0.15",
        )
        median, late = latency.measure(platform)
        report("commit to department, median at 50 filings a second", f"{median:.1f} ms", "10 ms")
        report("commit to department, 99th percentile", f"{late:.1f} ms", "50 ms")
        median, late = latency.measure(platform, subscribers=10)
        report("the same with ten subscribers, median", f"{median:.1f} ms", "10 ms")
        report("the same with ten subscribers, 99th percentile", f"{late:.1f} ms", "50 ms")
        median, late = backlog.measure(platform)
        report("the same with another 100,000 events behind, over without", f"{median:.2f}", "1.10")
        report("the same, 99th percentiles", f"{late:.2f}", "1.50")
        median, ratio = webhooks.measure(platform, ca)
        report("commit to webhook, median when idle", f"{median:.1f} ms", "50 ms")
        report("95th percentile of nine webhooks, the tenth dead over alive", f"{ratio:.2f}", "1.10")
        report_scale(platform)


def report_scale(platform: Platform) -> None:
    """Last: it leaves a million cases behind."""
    measured = at_scale.measure(platform)
    for name, late in measured.reads_of_many.items():
        before = measured.reads_of_few[name]
        figure = f"{name}, 1,000,000 cases over 10,000 ({late:.1f}/{before:.1f} ms)"
        report(figure, f"{late / before:.2f}", "1.30" if name in at_scale.AIMED else "-")
    none, many = measured.filings_to_none, measured.filings_to_many
    report(f"filings, 1,000,000 cases over none ({many:,.0f}/{none:,.0f} a second)", f"{many / none:.2f}", "1.00")


def report(figure: str, measured: str, aim: str) -> None:
    print(f"{figure:<62}{measured:>10}{aim:>10}", flush=True)


if __name__ == "__main__":
    main()
