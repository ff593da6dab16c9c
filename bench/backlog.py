"""From commit to a department's subscriber while another subscriber is 100,000 events behind, over without one."""

from __future__ import annotations

from bench import latency
from deploy.local.platform import Platform
from tests.backlog import add_history, far_behind


def measure(platform: Platform) -> tuple[float, float]:
    """The ratios of medians and of 99th percentiles."""
    add_history(platform)
    median, late = latency.measure(platform)
    with far_behind(platform):
        median_behind, late_behind = latency.measure(platform)
    return median_behind / median, late_behind / late
