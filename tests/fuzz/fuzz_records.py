"""Coverage-guided fuzzing of the reader of records; arguments are those of libFuzzer.

    pip install -r requirements-fuzz.txt
    python tests/fuzz/fuzz_records.py /tmp/found tests/fuzz/corpus/records -max_total_time=600

New inputs go into the first folder.
"""

import sys

import atheris

with atheris.instrument_imports(include=["ecgmae_jax", "wfdb"]):
    import record_reader

if __name__ == "__main__":
    atheris.Setup(sys.argv, record_reader.read)
    atheris.Fuzz()
