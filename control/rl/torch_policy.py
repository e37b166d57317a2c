"""The universal policy of `control.core.policy` in torch, weights laid out alike, and an actor-critic around it.

::

    x (n_stage, N_INPUTS) --W1,b1--> relu --+-- own ----------W2--> relu --w3--+--> worth of each stage
                                            +-- mean, most --+b2                +-- straight from the inputs

A stage that is padded is a row of zeros: a real one says in `stages` how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Space
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from control.core.policy import INPUTS, N_CELLS, N_INPUTS, N_ROWS
from control.policy_runs import Weights
from traffic.errors import BadWeights

_PARTS = (N_INPUTS, 1, N_CELLS, N_CELLS, N_CELLS, 1, 1, 1, 1)
"""Rows of W1, b1, W2 of the own cells, of their mean, of the most, b2, w3, and of the two straight ones."""
STAGES = INPUTS.index("stages")
_NEVER = -1e9
"""Worth of a stage that is not there; infinity would make the entropy undefined."""


def is_stage(inputs: Tensor) -> Tensor:
    """Return which rows (..., n_stage) are stages, from inputs (..., n_stage, N_INPUTS)."""
    return inputs[..., STAGES] > 0.0


class UniversalNet(nn.Module):
    """What every stage is worth; `weights` is one parameter, (N_ROWS, N_CELLS), as the core has it."""

    def __init__(self, weights: Weights | None = None) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(N_ROWS, N_CELLS))
        if weights is not None:
            self.from_weights(weights)

    def from_weights(self, weights: Weights) -> None:
        """Take weights of the core.

        Raises
        ------
        BadWeights
            If they have another shape.
        """
        if weights.shape != (N_ROWS, N_CELLS):
            raise BadWeights("weights", weights.shape, f"must be {(N_ROWS, N_CELLS)}", "use those of this architecture")
        with torch.no_grad():
            self.weights.copy_(torch.from_numpy(np.array(weights, np.float32)))

    def to_weights(self) -> Weights:
        """Return the weights for the core."""
        weights: Weights = self.weights.detach().cpu().numpy().astype(np.float32).copy()
        return weights

    def forward(self, inputs: Tensor) -> Tensor:
        """Return worths (..., n_stage) of inputs (..., n_stage, N_INPUTS), least for a stage that is not there."""
        w1, b1, w_own, w_mean, w_most, b2, w3, skip, skip_2 = torch.split(self.weights, list(_PARTS))
        here = is_stage(inputs)
        first = torch.relu(inputs @ w1 + b1) * here.unsqueeze(-1)
        n = here.sum(-1, keepdim=True).clamp(min=1)
        shared = (first.sum(-2) / n) @ w_mean + first.amax(-2) @ w_most + b2
        second = torch.relu(first @ w_own + shared.unsqueeze(-2))
        straight = torch.cat([skip[0], skip_2[0, : N_INPUTS - N_CELLS]])
        return (second @ w3[0] + inputs @ straight).masked_fill(~here, _NEVER)


class _Halves(nn.Module):
    """The acting net, and beside it a net of its own for the value: stages summed up by mean and maximum."""

    def __init__(self, n_stages: int, hidden: int) -> None:
        super().__init__()
        self.latent_dim_pi, self.latent_dim_vf = n_stages, 2 * hidden
        self._shape = (n_stages, N_INPUTS)
        self.net = UniversalNet()
        self.critic = nn.Sequential(nn.Linear(N_INPUTS, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        worths: Tensor = self.net(features.view(-1, *self._shape))
        return worths

    def forward_critic(self, features: Tensor) -> Tensor:
        inputs = features.view(-1, *self._shape)
        here = is_stage(inputs).unsqueeze(-1)
        cells = self.critic(inputs) * here
        return torch.cat([cells.sum(-2) / here.sum(-2).clamp(min=1), cells.amax(-2)], dim=-1)


class UniversalActorCritic(ActorCriticPolicy):
    """For Stable-Baselines3: worths are the logits of the stages; the value has a net of its own.

    Parameters
    ----------
    start
        Weights to start from; small random ones if None.
    hidden
        Cells of each layer of the value's net.
    """

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        lr_schedule: Any,
        *,
        start: Weights | None = None,
        hidden: int = 32,
        **kwargs: Any,
    ) -> None:
        self._start, self._hidden = start, hidden
        super().__init__(observation_space, action_space, lr_schedule, ortho_init=False, **kwargs)

    @property
    def net(self) -> UniversalNet:
        """The acting net."""
        net = self.mlp_extractor.net
        assert isinstance(net, UniversalNet)
        return net

    def _build_mlp_extractor(self) -> None:
        n_stages = self.observation_space.shape[0]  # type: ignore[index]
        self.mlp_extractor = _Halves(n_stages, self._hidden)  # type: ignore[assignment]
        if self._start is None:
            nn.init.normal_(self.net.weights, std=0.1)
        else:
            self.net.from_weights(self._start)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()
        rate = lr_schedule(1)
        self.optimizer = self.optimizer_class(self.parameters(), lr=rate, **self.optimizer_kwargs)  # type: ignore[call-arg]
