"""Training: it knows a loss function `loss_fn(params, batch, key)`, never a model.

A step is a pure function of (state, batch, key), so a run that is killed and started again repeats
itself to the bit on the same devices.
"""
