import pytest

from ecgmae_jax.errors import InputError
from ecgmae_jax.programs.record_files import record_files


def test_files_are_named_after_records():
    assert record_files(["a.1", "b"], folder="outputs", suffix=".csv") == [
        "outputs/a.1.csv",
        "outputs/b.csv",
    ]


@pytest.mark.parametrize("name", ["../a", "a/b", ".a", "", ".."])
def test_names_of_no_file_are_refused(name):
    with pytest.raises(InputError, match="cannot be the name of a file"):
        record_files(["b", name], folder="outputs", suffix=".csv")


def test_two_records_of_one_name_are_refused():
    with pytest.raises(InputError, match="2 records of different sources are called 'a'"):
        record_files(["a", "b", "a"], folder="outputs", suffix=".csv")
