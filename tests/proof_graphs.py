"""Catalogues made for the tests of proofs: small items, and what one of them needs of another."""

from __future__ import annotations

from typing import Any


def item(
    code: str,
    needs: list[list[str]] | None = None,
    gives: str | None = None,
    electronic: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """`needs` is a list of documents, each a list of papers of which any one serves; `gives` is its result's paper."""
    documents = [
        {
            "code": f"document-{number}",
            "name": text(f"document {number}"),
            "required": True,
            "source": "applicant",
            "electronic": True,
            "proofs": papers,
        }
        for number, papers in enumerate(needs or [])
    ]
    result = {"code": gives or f"paper-of-{code}", "name": text(f"paper of {code}"), "electronic": electronic}
    return {"code": code, "name": text(code.upper()), "documents": documents, "result": result, **changes}


def text(words: str) -> dict[str, str]:
    return {"zh-Hans": f"简{words}", "zh-Hant": f"繁{words}", "en": words}


def ring(length: int, prefix: str = "ring") -> list[dict[str, Any]]:
    """Each needs what the next gives, the last what the first gives."""
    return [item(f"{prefix}-{i}", [[f"paper-of-{prefix}-{(i + 1) % length}"]]) for i in range(length)]


def chain(length: int, prefix: str = "chain", start: str = "photograph") -> list[dict[str, Any]]:
    """Each needs what the one before gives, the first what anybody has."""
    return [item(f"{prefix}-{i}", [[f"paper-of-{prefix}-{i - 1}" if i else start]]) for i in range(length)]


def crossed(length: int) -> list[dict[str, Any]]:
    """A right catalogue in which each item needs three earlier ones."""
    return [
        item(f"i{number}", [[f"paper-of-i{number // part}"] for part in (2, 3, 5)] if number > 4 else None)
        for number in range(length)
    ]
