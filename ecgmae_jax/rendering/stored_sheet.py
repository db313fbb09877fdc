"""Sheets back from their description."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from ecgmae_jax.errors import InputError
from ecgmae_jax.rendering.header import Header, Text
from ecgmae_jax.rendering.layouts import Field, layout_named
from ecgmae_jax.rendering.marks import Marks
from ecgmae_jax.rendering.paper import Paper
from ecgmae_jax.rendering.sheet import Sheet


def sheet_from_dict(described: Mapping[str, Any]) -> Sheet:
    """The sheet that `Sheet.as_dict` described.

    Raises:
        InputError: for a description of something else, or of a layout that is not in the
            catalogue.
    """
    missing = {"layout", "height", "width", "channels", "mm_per_s", "mm_per_mv"} - set(described)
    if missing:
        raise InputError(f"this does not describe a sheet: it has no {', '.join(sorted(missing))}")
    speed_and_gain = {name: described[name] for name in ("mm_per_s", "mm_per_mv")}
    try:
        return Sheet(
            layout_named(described["layout"]),
            Paper(**{**speed_and_gain, **_hashable(described.get("paper", {}))}),
            height=described["height"],
            width=described["width"],
            channels=described["channels"],
            field=Field(**described.get("field", {})),
            marks=Marks(**described.get("marks", {})),
            header=_header(described["header"]) if "header" in described else None,
        )
    except TypeError as error:
        raise InputError(f"this does not describe a sheet: {error}") from error


def _header(described: Mapping[str, Any]) -> Header:
    texts = tuple(Text(**text) for text in described["texts"])
    return dataclasses.replace(Header(**{**described, "texts": ()}), texts=texts)


def _hashable(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
