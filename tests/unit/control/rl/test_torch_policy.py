"""The universal policy in torch gives the kernel's worths, and comes back as the weights it was given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from control.core.policy import N_CELLS, N_INPUTS, N_ROWS, weigh, worth_of
from control.policy_runs import Weights
from control.policy_table import desk_of
from control.rl.torch_policy import STAGES, UniversalNet, is_stage
from tests.unit.control.queue_sites import make_exercise
from traffic.errors import BadWeights

MOST = 16


def random_weights(seed: int) -> Weights:
    return np.random.default_rng(seed).normal(0.0, 0.5, (N_ROWS, N_CELLS)).astype(np.float32)


def in_kernel(inputs: np.ndarray, weights: Weights) -> np.ndarray:
    """Return the worths of stages, (n_stage,), as the core's kernel has them."""
    sight = desk_of(make_exercise().stages.sight)._replace(weights=weights)
    sight.inputs[: len(inputs)] = inputs
    with np.errstate(over="ignore"):
        weigh.py_func(len(inputs), sight)
        return np.array([worth_of.py_func(stage, sight) for stage in range(len(inputs))])


@pytest.mark.parametrize("n", [1, 2, 4, 8, 13, 16])
def test_worths_are_those_of_the_kernel_whatever_is_padded(n: int) -> None:
    rng, weights = np.random.default_rng(n), random_weights(n)
    inputs = np.zeros((5, MOST, N_INPUTS), np.float32)
    inputs[:, :n] = rng.uniform(0.0, 3.0, (5, n, N_INPUTS))
    inputs[:, :n, STAGES] = 0.125 * n
    found = UniversalNet(weights)(torch.from_numpy(inputs)).detach().numpy()
    for row, ours in zip(inputs, found, strict=True):
        theirs = in_kernel(row[:n], weights)
        assert ours[:n] == pytest.approx(theirs, abs=1e-5 * max(1.0, float(np.abs(theirs).max())))
        assert (ours[n:] < -1e8).all()


def test_weights_come_back_as_they_were() -> None:
    weights = random_weights(1)
    net = UniversalNet(weights)
    assert net.to_weights().dtype == np.float32
    assert np.array_equal(net.to_weights(), weights)
    with pytest.raises(BadWeights, match=r"weights: \(2, 2\)"):
        net.from_weights(np.zeros((2, 2), np.float32))


def test_stages_are_told_from_padding() -> None:
    inputs = torch.zeros(1, 3, N_INPUTS)
    inputs[0, :2, STAGES] = 0.25
    assert is_stage(inputs).tolist() == [[True, True, False]]


def test_every_weight_that_the_kernel_uses_has_a_gradient() -> None:
    net = UniversalNet(np.abs(random_weights(2)))
    inputs = torch.rand(4, 6, N_INPUTS)
    net(inputs).sum().backward()
    grad = net.weights.grad
    assert grad is not None
    used = N_ROWS * N_CELLS - (2 * N_CELLS - N_INPUTS)
    assert int((grad != 0.0).sum()) == used
