"""Property: whatever the bytes, pictures and tables are read or refused, and never misread."""

import csv
import io
import pathlib
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ecgmae_jax.cohorts.tables import read_table
from ecgmae_jax.errors import InputError
from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16), dtype=np.uint8)


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


PICTURES = {
    "PNG": saved("PNG"),
    "JPEG": saved("JPEG"),
    "TIFF": saved("TIFF", compression="tiff_deflate"),
    "BMP": saved("BMP"),
}
edits = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8), st.booleans()), max_size=3)


def decoded(content: bytes) -> np.ndarray | None:
    """The pixels, or None where the bytes are refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "r.png"
        path.write_bytes(content)
        try:
            return np.asarray(read_picture(path, record_id="r", channels=1)[0])
        except RejectedRecord as rejected:
            assert rejected.detail.isprintable()
            return None


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(list(PICTURES)), edits=edits)
def test_an_edited_picture_is_decoded_or_refused(kind, edits):
    content = PICTURES[kind]
    for where, piece, overwrites in edits:
        position = int(where * len(content))
        end = position + len(piece) if overwrites else position
        content = content[:position] + piece + content[end:]
    found = decoded(content)
    assert found is None or (found.ndim == 2 and found.size > 0)


@settings(deadline=None, max_examples=60)
@given(start=st.sampled_from([content[:8] for content in PICTURES.values()]), rest=st.binary())
def test_any_bytes_after_the_start_of_a_picture(start, rest):
    assert decoded(start + rest) is None


@settings(deadline=None, max_examples=60)
@given(where=st.integers(8, len(PICTURES["PNG"]) - 13), change=st.integers(1, 255))
def test_no_changed_byte_of_a_png_changes_the_picture(where, change):
    content = bytearray(PICTURES["PNG"])
    content[where] ^= change
    found = decoded(bytes(content))
    # Pixels have a checksum of their own, within that of their chunk.
    assert found is None or np.array_equal(found, PIXELS)


def table_of(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "table.csv"
        path.write_bytes(content)
        return read_table(path)


# Without what ends a line: Windows and Unix write it differently within quotes, too.
words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8)


@settings(deadline=None, max_examples=80)
@given(
    rows=st.lists(st.lists(words, min_size=3, max_size=3), min_size=1, max_size=4),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_every_table_comes_back_as_it_was_written(rows, separator):
    columns = ["path", "patient_id", "outcome"]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([columns, *rows])
    expected = [[cell.strip() for cell in row] for row in rows]
    expected = [dict(zip(columns, row, strict=True)) for row in expected if any(row)]
    content = text.getvalue().encode("utf-8")
    if expected:
        assert table_of(content).rows == expected
    else:
        with pytest.raises(InputError, match="no rows"):
            table_of(content)


@settings(deadline=None, max_examples=80)
@given(content=st.one_of(st.binary(max_size=200), words.map(str.encode)))
def test_any_bytes_are_a_table_or_an_error_for_people(content):
    try:
        table = table_of(content)
    except InputError:
        return
    assert all(list(row) == list(table.columns) for row in table.rows)
    assert all(isinstance(cell, str) for row in table.rows for cell in row.values())
