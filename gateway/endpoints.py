"""Looks at where a webhook is to go before anything is made of it."""

from __future__ import annotations

from chassis.webhooks import addresses
from chassis.webhooks.addresses import AddressRefused, HostNotFound, Networks, Resolve, ResolverBusy, UrlRefused
from contracts.errors import InvalidInput, ServiceUnavailable


class Endpoints:
    """Here and not in the service: a look-up must not happen in a transaction, and needs a way out of the inside."""

    def __init__(self, resolve: Resolve, networks: Networks) -> None:
        self._resolve = resolve
        self._networks = networks

    async def require_allowed(self, url: str, owner: str) -> None:
        """Raise `InvalidInput` for a URL that webhooks may not go to. Each connection is looked at again."""
        addresses.asking_for.set(owner)
        try:
            endpoint = addresses.parse(url)
            await addresses.find(endpoint.host, endpoint.port, self._resolve, self._networks)
        except UrlRefused as error:
            raise _fault(error.args[0]) from error
        except HostNotFound as error:
            raise _fault("unknown") from error
        except AddressRefused as error:
            raise _fault("private") from error
        except ResolverBusy as error:
            raise ServiceUnavailable("resolver") from error


def _fault(rule: str) -> InvalidInput:
    return InvalidInput([{"pointer": "/url", "rule": "webhookUrl", "value": rule}])
