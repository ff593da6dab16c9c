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


class IdConvertor(Convertor[int]):
    """The number of a row. Python itself refuses to read one of thousands of digits, and a `bigint` holds these."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def register() -> None:
    register_url_convertor("code", CodeConvertor())
    register_url_convertor("id", IdConvertor())
