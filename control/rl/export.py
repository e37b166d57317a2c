"""From a Stable-Baselines3 policy to an npz that needs neither torch nor trust."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.torch_layers import FlattenExtractor

from control.rl.mlp import Mlp
from traffic.errors import BadInput
from traffic.snapshot import FloatArray

NAMES = {torch.nn.Tanh: "tanh", torch.nn.ReLU: "relu"}


def mlp_of(model: OnPolicyAlgorithm, about: Mapping[str, str] | None = None) -> Mlp:
    """Return the acting part of an `MlpPolicy` as plain arrays.

    Raises
    ------
    BadInput
        If the policy is of another kind.
    """
    policy, action = model.policy, model.action_space
    is_known = isinstance(policy.features_extractor, FlattenExtractor) and isinstance(action, Discrete | Box)
    layers = [*policy.mlp_extractor.policy_net, policy.action_net]
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    between = {type(layer) for layer in layers if not isinstance(layer, torch.nn.Linear)}
    if not is_known or len(between) > 1 or not between <= set(NAMES):
        what = f"{type(policy).__name__} with {', '.join(sorted(kind.__name__ for kind in between))}"
        raise BadInput("policy", what, "an MlpPolicy with tanh or relu", "train one, or export your own with save_mlp")
    return Mlp(
        weights=tuple(_array(layer.weight) for layer in linear),
        biases=tuple(_array(layer.bias) for layer in linear),
        activation=NAMES[between.pop()] if between else "tanh",
        kind="discrete" if isinstance(action, Discrete) else "box",
        low=action.low.astype(np.float64) if isinstance(action, Box) else np.zeros(0),
        high=action.high.astype(np.float64) if isinstance(action, Box) else np.zeros(0),
        about=dict(about or {}),
    )


def _array(values: torch.Tensor) -> FloatArray:
    array: FloatArray = values.detach().cpu().numpy().astype(np.float64)
    return array
