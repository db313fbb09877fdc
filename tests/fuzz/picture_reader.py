"""The reader of pictures as fuzzed, and as the corpus is read again."""

import answers

from ecgmae_jax.records.recording import RejectedRecord
from ecgmae_jax.scans.decoding import read_picture


def read(data: bytes) -> str:
    """Decodes the bytes as one file; PDFs are left out, since each takes a process of its own."""
    if b"%PDF-" in data[:1024]:
        return "left out"
    with answers.files({"r.png": data}) as folder:
        try:
            found, num_pages = read_picture(folder / "r.png", record_id="r", channels=1)
        except RejectedRecord as rejected:
            return answers.refused(rejected)
    answers.require(found.mode == "L" and 0 < found.width * found.height <= 80_000_000, "size")
    answers.require(num_pages >= 1, "pages")
    return "read"
