"""`onehall`: the operators' command line. An error is one line and exit code 2."""

from __future__ import annotations

import sys

import click

from cli import agreements, audit, catalogue, clients, demos, events, keys, recoveries, registries, sources, users
from contracts.errors import Fault, InvalidInput, NotFound, ServiceError, ServiceUnavailable, UsernameTaken
from services.identity.domain import DemoDataInProduction

FAILED = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def onehall() -> None:
    """Operate a OneHall platform: its clients, its accounts, its events and who hears them, its demo.

    The environment says which platform; without ONEHALL_ENVIRONMENT it is the local one of this checkout.
    """


onehall.add_command(clients.client)
onehall.add_command(users.user)
users.user.add_command(recoveries.recover)
onehall.add_command(demos.demo)
onehall.add_command(events.events)
onehall.add_command(agreements.agreement)
onehall.add_command(agreements.subscription)
onehall.add_command(registries.registry)
onehall.add_command(sources.source)
onehall.add_command(keys.key)
onehall.add_command(audit.audit)
onehall.add_command(catalogue.catalogue)


def main() -> None:
    try:
        onehall(prog_name="onehall", standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped")
    except DemoDataInProduction:
        _fail("demo accounts have a password that everybody knows: they are made in local runs only")
    except ServiceError as error:
        _fail(_sentence(error))


def _fail(message: str) -> None:
    click.echo("onehall: " + " ".join(message.split()), err=True)
    sys.exit(FAILED)


def _sentence(error: ServiceError) -> str:
    match error:
        case InvalidInput():
            return "; ".join(_fault(fault) for fault in error.faults)
        case NotFound():
            return f"there is no such {error.args[0]}: {error.args[1]}"
        case UsernameTaken():
            return f"the user name {error.args[0]} is taken"
        case ServiceUnavailable():
            return f"the {error.args[0]} does not answer: is the platform running (make up)?"
    return f"{type(error).__name__}: {' '.join(map(str, error.args))}"


_RULES = {
    "known": "choose from {value}",
    "notSubscribable": "choose from {value}",
    "matchesNothing": "no service item passes it: every value exists, but not together",
    "future": "{value} is over",
    "alone": "{value} goes with no other role",
    "needsRole": "it needs one of the roles {value}",
    "has": "the account has no role {value}",
    "required": "it is missing",
    "owner": "{value} is no name of small letters, digits and -, or it is a department's",
    "address": "{value} is no address: https, a host, perhaps a path; no user name in it",
    "no-such-item": "there is no service item {value}",
}


def _fault(fault: Fault) -> str:
    value = fault["value"]
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    rule = _RULES.get(fault["rule"], "{value} breaks the rule {rule}").format(value=shown, rule=fault["rule"])
    return f"{fault['pointer'].removeprefix('/')}: {rule}"


if __name__ == "__main__":
    main()
