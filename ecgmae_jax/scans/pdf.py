"""The first page of a PDF, drawn by pdfium in a process of its own; as a script, that process.

A PDF is a program: a few hundred bytes of it can ask for any amount of memory and time, and a fault
of the library in C would end the whole build.
"""

import contextlib
import resource
import subprocess
import sys
from typing import Any

from PIL import Image

_MOST_SECONDS = 60
_MOST_BYTES = 3 * 2**30
_TOO_LARGE = 2


class TooLarge(ValueError):
    """A page, or a picture on it, with more pixels than are wanted."""


def first_page(data: bytes, *, dpi: int, most_pixels: int) -> tuple[Image.Image, int]:
    """The page in RGB, and the number of pages.

    Raises:
        TooLarge: the page at that resolution, or a picture on it, has more than `most_pixels`.
        ValueError: the file cannot be drawn, or not within a minute and 3 GB.
    """
    # -P: modules beside this file must not hide those of other packages.
    command = [sys.executable, "-P", __file__, str(dpi), str(most_pixels)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=2 * _MOST_SECONDS)
    except subprocess.TimeoutExpired as fault:
        raise ValueError(f"not drawn within {fault.timeout:.0f} s") from fault
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        # A process that a limit or a fault has ended says nothing.
        detail = said[-1] if said else f"its reader ended with status {done.returncode}"
        raise (TooLarge if done.returncode == _TOO_LARGE else ValueError)(detail)
    head, _, pixels = done.stdout.partition(b"\n")
    num_pages, width, height = map(int, head.split())
    return Image.frombytes("RGB", (width, height), pixels), num_pages


def _draw(data: bytes, *, dpi: int, most_pixels: int) -> tuple[Image.Image, int]:
    # Only this process needs it.
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    if len(document) == 0:
        raise ValueError("a PDF without pages")
    page, scale = document[0], dpi / 72
    pictures: Any = page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    width, height = page.get_size()
    sizes = [(width * scale, height * scale), *(found.get_px_size() for found in pictures)]
    for width, height in sizes:
        if width * height > most_pixels:
            raise TooLarge(f"{width:.0f} x {height:.0f} pixels")
    zoom: Any = scale
    return page.render(scale=zoom, may_draw_forms=False).to_pil().convert("RGB"), len(document)


def _main(dpi: str, most_pixels: str) -> int:
    # macOS knows no such limit.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    try:
        data = sys.stdin.buffer.read()
        picture, num_pages = _draw(data, dpi=int(dpi), most_pixels=int(most_pixels))
    except Exception as fault:
        print(" ".join(str(fault).split()) or type(fault).__name__, file=sys.stderr)
        return _TOO_LARGE if isinstance(fault, TooLarge) else 1
    sys.stdout.buffer.write(f"{num_pages} {picture.width} {picture.height}\n".encode())
    sys.stdout.buffer.write(picture.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
