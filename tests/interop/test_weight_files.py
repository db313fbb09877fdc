import numpy as np
import pytest
from safetensors.numpy import save_file

from ecgmae_jax.errors import InputError
from ecgmae_jax.interop.weight_files import read_weights


def test_a_file_gives_the_arrays_that_went_into_it(weights, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path)
    found = read_weights(path)
    assert found.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mae.pth", b"\x80\x02}q\x00.", "is no .safetensors file and is not opened; `safetensors"),
        ("model.safetensors", b"", "model.safetensors cannot be read: .*; fetch it again"),
        ("model.safetensors", b"\xff" * 64, "model.safetensors cannot be read"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}more", "model.safetensors cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_weights(tmp_path / name)


def test_a_cut_file_and_none_at_all_are_refused(weights, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(path)
    with pytest.raises(InputError, match="is no file; name the"):
        read_weights(tmp_path / "absent.safetensors")
