"""The command `python -m ecgmae_jax.evaluation.challenge`."""

import sys

from ecgmae_jax.evaluation.challenge.evaluator import main

sys.exit(main(sys.argv[1:]))
