"""The readers of tables and lists as fuzzed, and as the corpus is read again."""

import pathlib

import answers

from data_builders.account import Account
from data_builders.ptb_xl.records import COLUMNS, DATABASE, entries_by_split
from ecgmae_jax.cohorts.description import Description, read_description
from ecgmae_jax.cohorts.listings import read_listing
from ecgmae_jax.cohorts.tables import read_table
from ecgmae_jax.errors import InputError

_TABLES = {
    b"t": "table.csv",
    b"l": "annotations.txt",
    b"d": "cohort.toml",
    b"j": "cohort.json",
    b"x": DATABASE,
}


def read(data: bytes) -> str:
    """Reads the bytes as one of the text files a cohort or PTB-XL has; the first says which."""
    name = _TABLES.get(data[:1])
    if name is None:
        return "left out"
    content = data[1:]
    if name == DATABASE:
        content = ",".join(COLUMNS).encode() + b"\n" + content
    listed = {"table.csv": b"path,outcome\na.png,1\n"} if name.startswith("cohort") else {}
    with answers.files({**listed, name: content, "a.png": b""}) as folder:
        try:
            _read_tables(folder, name)
        except InputError as fault:
            answers.require(str(fault).strip() != "", "message")
            return "InputError"
    return "read"


def _read_tables(folder: pathlib.Path, name: str) -> None:
    if name == DATABASE:
        entries_by_split(folder, Account())
        return
    if name == "table.csv":
        rows = read_table(folder / name).rows
        answers.require(
            all(isinstance(cell, str) for row in rows for cell in row.values()), "cells"
        )
    read_listing(folder, read_description(folder, Description()))
