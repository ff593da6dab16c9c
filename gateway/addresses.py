"""What can stand for `{...}` in an address of ours."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class CodeConvertor(Convertor[str]):
    """A code or number in an address: what cannot be one is not found, and no service is asked."""

    regex = "[A-Za-z0-9][A-Za-z0-9-]{0,63}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def register() -> None:
    register_url_convertor("code", CodeConvertor())
