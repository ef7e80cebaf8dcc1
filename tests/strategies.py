"""Hypothesis strategies for any message struct, made from the struct's own types and limits."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect as mi

_LIMIT = 64
"""Longest byte string or text drawn: long enough to be interesting, short enough to be quick."""


def of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Valid values of a struct."""
    return _of(mi.type_info(kind))


def _of(info: mi.Type) -> st.SearchStrategy[Any]:
    match info:
        case mi.Metadata(type=inner):
            return _of(inner)
        case mi.NoneType():
            return st.none()
        case mi.BoolType():
            return st.booleans()
        case mi.IntType(ge=ge, gt=gt, le=le, lt=lt):
            low = ge if ge is not None else (gt + 1 if gt is not None else -(2**63))
            high = le if le is not None else (lt - 1 if lt is not None else 2**63 - 1)
            return st.integers(low, high)
        case mi.FloatType(ge=ge, le=le):
            return st.floats(ge, le, allow_nan=False, allow_infinity=False)
        case mi.BytesType(min_length=low, max_length=high):
            return st.binary(min_size=low or 0, max_size=max(low or 0, min(high or _LIMIT, _LIMIT)))
        case mi.StrType(pattern=str(pattern)):
            return st.from_regex(pattern.removesuffix("$") + r"\Z", fullmatch=False).filter(
                lambda text: len(text) <= (info.max_length or _LIMIT)
            )
        case mi.StrType(min_length=low, max_length=high):
            return st.text(min_size=low or 0, max_size=max(low or 0, min(high or _LIMIT, _LIMIT)))
        case mi.LiteralType(values=values):
            return st.sampled_from(values)
        case mi.ListType(item_type=item, min_length=low):
            return st.lists(_of(item), min_size=low or 0, max_size=max(low or 0, 3))
        case mi.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=3).map(tuple)
        case mi.DictType(key_type=key, value_type=value):
            return st.dictionaries(_of(key), _of(value), max_size=3)
        case mi.UnionType(types=types):
            return st.one_of([_of(each) for each in types])
        case mi.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: _of(field.type) for field in fields})
    raise TypeError(f"no strategy for {info}; add one beside the others ({msgspec.__name__})")
