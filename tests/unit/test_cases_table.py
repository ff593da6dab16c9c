"""The table in docs/cases.md is what the code does: every status, every action, every role."""

from pathlib import Path

from services.cases.work.states import ACTIONS, BEFORE_CORRECTION, SAME, STATUSES, TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs" / "cases.md"
TARGETS = {SAME: "stays", BEFORE_CORRECTION: "as before"}


def table() -> str:
    """In Markdown: one line for each thing that may be done in a status."""
    lines = ["| status | action | by | becomes | events |", "|---|---|---|---|---|"]
    for status in STATUSES:
        for name, action in ACTIONS.items():
            after = TRANSITIONS.get((status, name))
            if after is not None:
                events = ", ".join(f"`{event.type}`" for event in action.events)
                becomes = TARGETS.get(after, f"`{after}`")
                lines.append(f"| `{status}` | `{name}` | {', '.join(action.by)} | {becomes} | {events} |")
    return "\n".join(lines)


def test_the_table_of_the_guide_is_what_the_code_does():
    assert table() in PAGE.read_text()
