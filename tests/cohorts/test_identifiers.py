import hmac
import os
import stat

import pytest

from ecgmae_jax.cohorts.identifiers import key_mark, pseudonym, read_key
from ecgmae_jax.cohorts.private_files import private_files
from ecgmae_jax.errors import InputError

GOOD = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cohort").mkdir()
    return tmp_path / "cohort"


def _key(folder, text, *, mode=0o600):
    path = folder.with_name("my.key")
    path.write_text(text)
    path.chmod(mode)
    return "../my.key"


def test_a_pseudonym_is_an_hmac():
    expected = hmac.digest(b"k" * 32, b"patient\x00007", "sha256").hex()[:16]
    assert pseudonym(b"k" * 32, "patient", "007") == expected


def test_pseudonyms_differ_by_key_kind_and_text():
    a, b = GOOD.encode(), GOOD[::-1].encode()
    found = {
        pseudonym(a, "patient", "7"),
        pseudonym(b, "patient", "7"),
        pseudonym(a, "record", "7"),
        pseudonym(a, "patient", "07"),
        # A name that is not valid Unicode, as Python reads it from the disk.
        pseudonym(a, "record", "\udce4.png"),
    }
    assert len(found) == 5
    assert key_mark(a) != key_mark(b)


def test_a_key_is_read_without_its_last_newline(folder):
    assert read_key(folder, _key(folder, GOOD + "\n")) == GOOD.encode()
    assert read_key(folder, str(folder.with_name("my.key"))) == GOOD.encode()


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("short", 0o600, r"has 5 bytes, 5 of them different; expected at least 32 random ones"),
        ("a" * 64, 0o600, r"has 64 bytes, 1 of them different"),
        (GOOD, 0o640, r"can be read by others: run `chmod 600 "),
    ],
)
def test_a_key_that_keeps_nothing_secret_is_refused(folder, text, mode, message):
    with pytest.raises(InputError, match=message):
        read_key(folder, _key(folder, text, mode=mode))


def test_a_missing_or_misplaced_key_is_refused(folder):
    with pytest.raises(InputError, match=r"names no key: .* make one with .*key_file = \"FILE\""):
        read_key(folder, "")
    with pytest.raises(InputError, match=r"none.key cannot be read \(No such file"):
        read_key(folder, "../none.key")
    with pytest.raises(InputError, match="is no regular file"):
        read_key(folder, "..")
    (folder / "my.key").write_text(GOOD)
    with pytest.raises(InputError, match="lies in the cohort's folder: keep it elsewhere"):
        read_key(folder, "my.key")


def test_private_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0o022)
    try:
        with private_files():
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "b").touch()
        (tmp_path / "c").touch()
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "c")]
    assert modes == [0o700, 0o600, 0o644]
