"""Coverage-guided fuzzing of the reader of tables; arguments are those of libFuzzer.

    pip install -r requirements-fuzz.txt
    python tests/fuzz/fuzz_tables.py /tmp/found tests/fuzz/corpus/tables -max_total_time=600

New inputs go into the first folder.
"""

import sys

import atheris

with atheris.instrument_imports(include=["ecgmae_jax", "data_builders.ptb_xl"]):
    import table_reader

if __name__ == "__main__":
    atheris.Setup(sys.argv, table_reader.read)
    atheris.Fuzz()
