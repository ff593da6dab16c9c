"""Looks at where a webhook is to go before anything is made of it."""

from __future__ import annotations

from chassis.webhooks import addresses
from chassis.webhooks.addresses import AddressRefused, HostNotFound, Networks, Resolve, UrlRefused
from contracts.errors import InvalidInput


class Endpoints:
    """Here and not in the service: a look-up must not happen in a transaction, and needs a way out of the inside."""

    def __init__(self, resolve: Resolve, networks: Networks) -> None:
        self._resolve = resolve
        self._networks = networks

    async def require_allowed(self, url: str) -> None:
        """Raise `InvalidInput` for a URL that webhooks may not go to. Each connection is looked at again."""
        try:
            endpoint = addresses.parse(url)
            await addresses.find(endpoint.host, endpoint.port, self._resolve, self._networks)
        except UrlRefused as error:
            raise _fault(error.args[0]) from error
        except HostNotFound as error:
            raise _fault("unknown") from error
        except AddressRefused as error:
            raise _fault("private") from error


def _fault(rule: str) -> InvalidInput:
    return InvalidInput([{"pointer": "/url", "rule": "webhookUrl", "value": rule}])
