"""From a parsed TOML table to a struct of settings, with every mistake in it explained, not only the first."""

import difflib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

Checks = Mapping[str, Callable[[Any], list[str]]]
"""What a setting has to fulfil beyond its type, by dotted name: given the value, the sentences that tell what is wrong."""


def read_struct(
    struct: type[Struct], table: Mapping[str, Any], problems: list[str], *, checks: Checks, place: str = ""
) -> Struct | None:
    """The settings of a table, `place` being its dotted name with a dot at the end.

    None when something is wrong; then a sentence for each mistake was added to `problems`.
    """
    kinds = kinds_of(struct)
    values: dict[str, Any] = {}
    before = len(problems)
    for key, value in table.items():
        name = f"{place}{key}"
        if key not in kinds:
            problems.append(explain_unknown(name, key, kinds))
        elif isinstance(kinds[key], type) and issubclass(kinds[key], Struct):
            if isinstance(value, dict):
                values[key] = read_struct(kinds[key], value, problems, checks=checks, place=f"{name}.")
            else:
                problems.append(f"{name} is {value!r}; write a table [{name}]")
        else:
            values[key] = read_value(kinds[key], value, name, problems)
    for field in msgspec.structs.fields(struct):
        if field.required and field.name not in table:
            problems.append(f"{place}{field.name} is missing; add it ({_limit(kinds[field.name])})")
    for key, value in values.items():
        if value is not None and f"{place}{key}" in checks:
            problems += checks[f"{place}{key}"](value)
    return struct(**values) if len(problems) == before else None


def kinds_of(struct: type[Struct]) -> dict[str, Any]:
    """The type of each setting, with its limits."""
    return typing.get_type_hints(struct, include_extras=True)


def read_value(kind: Any, value: Any, name: str, problems: list[str]) -> Any:
    """The value as one of `kind`; None, and a sentence more in `problems`, when it is none."""
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        shown = repr(mask(value)) if isinstance(value, str) else repr(value)
        problems.append(f"{name} is {shown}; set it to {_limit(kind)}")
        return None


def explain_unknown(name: str, key: str, kinds: Mapping[str, Any]) -> str:
    """What to say of a name that is no setting: the nearest one, or all there are."""
    near = difflib.get_close_matches(key, kinds, n=1)
    prefix = name[: len(name) - len(key)]
    advice = f"did you mean {prefix}{near[0]}?" if near else f"remove it; known here: {', '.join(sorted(kinds))}"
    return f"{name} is not a setting; {advice}"


def _limit(kind: Any) -> str:
    """What a setting may be, in words."""
    if typing.get_origin(kind) is Annotated:
        base, *metas = typing.get_args(kind)
        low = next((meta.ge for meta in metas if meta.ge is not None), None)
        high = next((meta.le for meta in metas if meta.le is not None), None)
        return f"{_limit(base)} {low}–{high}"
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in typing.get_args(kind))
    if typing.get_origin(kind) in (dict, types.UnionType):
        return "a table"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}[kind]


def mask(text: str) -> str:
    """An address with its user and password hidden; other text as it is."""
    if "://" not in text or "@" not in text:
        return text
    scheme, _, rest = text.partition("://")
    return f"{scheme}://***@{rest.rpartition('@')[2]}"
