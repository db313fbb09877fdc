import pytest

from ecgmae_jax.seals import seal


@pytest.mark.parametrize("size", [10, 65_536, 65_537, 300_000])
def test_a_seal_follows_size_beginning_and_end(tmp_path, size):
    content = bytes(i * i % 251 for i in range(size))
    path = tmp_path / "shard"

    def sealed(changed):
        path.write_bytes(changed)
        return seal(path)

    first = sealed(content)
    assert len(first) == 16 and sealed(content) == first
    others = {
        sealed(content + b"\0"),
        sealed(content[:-1]),
        sealed(b"\xff" + content[1:]),
        sealed(content[:-1] + b"\xff"),
    }
    assert first not in others and len(others) == 4
