"""`rating` whose handler fails for some cases, with short retries: what the bus does about it."""

from contracts import topology

topology.RETRY_DELAYS = (1, 2)

from chassis.run import run  # noqa: E402

if __name__ == "__main__":
    run("tests.integration.failing_rating_service:FailingRatingService")
