"""The one door: REST API, pages, the OAuth addresses. It keeps no data; services answer over RPC."""

from gateway import addresses

# routes are compiled when their modules are imported, so the convertor has to be known before any of them
addresses.register()
