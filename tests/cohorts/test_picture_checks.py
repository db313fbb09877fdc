import io

import numpy as np
import pytest
from PIL import Image

from ecgmae_jax.cohorts.picture_checks import check_pictures
from ecgmae_jax.cohorts.picture_hashes import (
    ALIKE_AS_THEY_ARE,
    PictureHash,
    hash_picture,
    low_frequencies,
    pairs_alike,
)
from ecgmae_jax.cohorts.scans import Scan


def _jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


COPIES = {
    "a small JPEG": lambda picture: _jpeg(picture, 30),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "darker": lambda picture: picture.point(lambda level: min(255, int(level * 0.8 + 30))),
}


def _scan(path, *, patient="p", **features):
    return Scan(path, "s", path.stem, patient, f"the row of {path.stem}", features=features)


def _check(scans):
    found = check_pictures(scans, [hash_picture(scan.path) for scan in scans])
    return {(finding.code, finding.place, finding.detail) for finding in found}


@pytest.fixture
def save(tmp_path, draw_curves):
    def save(name, seed, **options):
        draw_curves(seed).save(tmp_path / name, **options)
        return tmp_path / name

    return save


def test_equal_pixels_are_told_apart_from_equal_files(save):
    first, copy, other = save("a.png", 1), save("b.tif", 1), save("c.png", 2)
    hashes = [hash_picture(path) for path in (first, copy, other)]
    assert hashes[0].exact == hashes[1].exact != hashes[2].exact


def test_duplicates_are_weighed_by_patient_and_outcome(save):
    scans = [
        _scan(save("a.png", 1), labels={"x": 1}),
        _scan(save("b.bmp", 1), labels={"x": 1}),
        _scan(save("c.png", 2), labels={"x": 0}),
        _scan(save("d.png", 2), labels={"x": 1}, patient="q"),
        _scan(save("e.png", 3), labels={"x": 0}),
        _scan(save("f.png", 3), labels={"x": -1}),
        _scan(save("g.png", 4), labels={"x": 0}),
    ]
    assert _check(scans) == {
        ("duplicate", "the row of b", "the same pixels as the row of a"),
        ("mislabelled", "the row of d", "the same pixels as the row of c, and another x"),
        ("two-patients", "the row of d", "the same pixels as the row of c, another patient"),
        ("duplicate", "the row of f", "the same pixels as the row of e"),
    }


def test_another_number_is_another_outcome(save):
    values = ({"value": 1.0}, {"value": 2.0}, {"value": float("nan")})
    paths = [save(f"{name}.png", 1) for name in "abc"]
    scans = [_scan(p, targets={"ef": v}, labels={}) for p, v in zip(paths, values, strict=True)]
    assert [code for code, _, _ in sorted(_check(scans))] == ["duplicate", "mislabelled"]


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("others", [3, 30])
def test_a_planted_copy_is_found_among_sheets_of_one_form(draw_curves, copy, others):
    pictures = [draw_curves(seed) for seed in range(others)]
    pictures.append(COPIES[copy](pictures[1]))
    waves = np.stack([low_frequencies(picture) for picture in pictures])
    pairs = [pair[:2] for pair in pairs_alike(waves)]
    assert (1, others) in pairs
    assert len(pairs) == 1 or others == 3


def test_a_near_duplicate_says_what_differs(tmp_path, draw_curves):
    draw_curves(1).save(tmp_path / "a.png")
    COPIES["darker"](draw_curves(1)).save(tmp_path / "b.png")
    scans = [
        _scan(tmp_path / "a.png", labels={"x": 1}),
        _scan(tmp_path / "b.png", labels={"x": 0}, patient="q"),
    ]
    ((code, place, detail),) = _check(scans)
    assert (code, place) == ("near-duplicate", "the row of b")
    assert detail.startswith("like the row of a (")
    assert detail.endswith("% alike); another patient; another x")


def test_likeness_is_the_cosine_of_the_roots():
    rng = np.random.default_rng(0)
    first = rng.normal(size=50).astype(np.float32)
    waves = np.stack([first, 4 * first, -first, 0 * first])
    assert list(pairs_alike(waves)) == [(0, 1, pytest.approx(1.0, abs=1e-6))]
    assert ALIKE_AS_THEY_ARE < 1


def test_blank_pages_are_like_nothing():
    page = low_frequencies(Image.new("L", (80, 60), 255))
    assert list(pairs_alike(np.stack([page, page]))) == []


def test_unreadable_files_are_found(save, tmp_path):
    good = save("a.png", 1)
    (tmp_path / "b.png").write_bytes(good.read_bytes()[:-60])
    (tmp_path / "c.png").write_text("nothing")
    (tmp_path / "d.png").touch()
    found = _check([_scan(tmp_path / f"{name}.png") for name in "abcd"])
    assert {(code, place[-1], detail.split(":")[0]) for code, place, detail in found} == {
        ("unreadable", "b", "undecodable"),
        ("unreadable", "c", "not-a-picture"),
        ("unreadable", "d", "empty-file"),
    }


def test_the_published_scans_hold_one_pair(real_data):
    """ecg00010 and ecg00014 are one picture; all others are of different recordings."""
    paths = sorted(p for p in (real_data / "scans").iterdir() if p.suffix not in ("", ".csv"))
    found = check_pictures([_scan(path) for path in paths], [hash_picture(path) for path in paths])
    assert [(finding.code, finding.records) for finding in found] == [
        ("duplicate", ("ecg00010", "ecg00014"))
    ]


def test_copies_of_the_published_scans_are_found(real_data):
    paths = sorted(p for p in (real_data / "scans").iterdir() if p.suffix not in ("", ".csv"))
    pictures = [Image.open(path).convert("RGB") for path in paths if path.stem != "ecg00014"]
    waves = [low_frequencies(picture) for picture in pictures]
    for copy in COPIES.values():
        copies = [low_frequencies(copy(picture)) for picture in pictures[::3]]
        expected = {(3 * i, len(waves) + i) for i in range(len(copies))}
        assert {pair[:2] for pair in pairs_alike(np.stack(waves + copies))} == expected


def test_a_hash_of_a_readable_file_is_one(save):
    assert isinstance(hash_picture(save("a.png", 1)), PictureHash)
