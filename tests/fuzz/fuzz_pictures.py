"""Coverage-guided fuzzing of the reader of pictures; arguments are those of libFuzzer.

    pip install -r requirements-fuzz.txt
    python tests/fuzz/fuzz_pictures.py /tmp/found tests/fuzz/corpus/pictures -max_total_time=600

New inputs go into the first folder.
"""

import sys

import atheris

with atheris.instrument_imports(include=["ecgmae_jax", "PIL"]):
    import picture_reader

if __name__ == "__main__":
    atheris.Setup(sys.argv, picture_reader.read)
    atheris.Fuzz()
