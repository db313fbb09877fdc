import jax
import jax.numpy as jnp
import pytest

from ecgmae_jax.programs.step_trace import (
    instruction_parts,
    part_of,
    part_shares,
    self_times,
)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("jit(step)/jvp(encoder)/while/body/dot_general", "encoder"),
        ("jit(step)/transpose(jvp(decoder))/while/body/mul", "decoder"),
        ("jit(step)/jvp()/draw/while/body/closed_call/exp", "draw"),
        ("jit(step)/transpose(jvp())/mul", "loss"),
        ("jit(step)/mul", "optimizer"),
        ("jit(step)/redraw", "optimizer"),
    ],
)
def test_the_name_of_an_operation_tells_its_part(name, part):
    assert part_of(name) == part


def test_an_operation_counts_without_those_inside_it():
    events = [
        ("b", 2.0, 5.0),
        ("loop", 0.0, 10.0),
        ("c", 5.0, 6.0),
        ("d", 3.0, 4.0),
        ("e", 12.0, 13.0),
    ]
    assert dict(self_times(events)) == {"loop": 6.0, "b": 2.0, "c": 1.0, "d": 1.0, "e": 1.0}


def test_shares_of_a_traced_program(tmp_path):
    def step(x, w):
        def loss(w):
            with jax.named_scope("encoder"):
                hidden = x @ w @ w @ w @ w
            with jax.named_scope("decoder"):
                return jnp.sum(jnp.tanh(hidden @ w))

        return w - jax.grad(loss)(w)

    x = jnp.ones((300, 300))
    compiled = jax.jit(step).lower(x, x).compile()
    with jax.profiler.trace(str(tmp_path)):
        compiled(x, x).block_until_ready()
    shares = part_shares(tmp_path, instruction_parts(compiled.as_text()))
    assert sum(shares.values()) == pytest.approx(1)
    # Four products and their gradients against one and its own.
    assert shares["encoder"] > shares["decoder"] > 0
    assert set(shares) <= {"encoder", "decoder", "loss", "optimizer", "other"}
