"""The universal policy by PPO of Stable-Baselines3 on the batched core; it runs wherever the shipped one does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from control.policy_files import save_policy
from control.policy_runs import Weights
from control.rl.torch_policy import UniversalActorCritic
from traffic.errors import BadInput, BadWeights

Told = Callable[[int, float], None]
"""Agent steps so far, and the mean reward of an agent's step since the update before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PpoSettings:
    """How to train.

    Attributes
    ----------
    total_steps
        Decisions of all agents together.
    n_steps
        Decisions of each agent between two updates.
    discount
        Of a reward one decision later.
    entropy
        Weight of the entropy of decisions: the more, the longer all stages are tried.
    start
        Weights to start from; small random ones if None.
    device
        `auto` takes a GPU if there is one; with a network this small the CPU is mostly faster.
    """

    total_steps: int
    n_steps: int = 32
    batch_size: int = 2048
    n_epochs: int = 4
    learning_rate: float = 3e-3
    discount: float = 0.95
    gae_lambda: float = 0.9
    entropy: float = 0.0
    seed: int = 0
    start: Weights | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("total_steps", "n_steps", "batch_size", "n_epochs"):
            if getattr(self, name) < 1:
                raise BadInput(f"training: {name}", getattr(self, name), "at least 1", "give a larger number")


def train_universal_ppo(
    vec_env: VecEnv,
    settings: PpoSettings,
    folder: Path,
    *,
    tell: Told | None = None,
    about: dict[str, Any] | None = None,
) -> Weights:
    """Train, and keep the policy in `folder`, for `evaluate --control universal --model FOLDER`; return its weights.

    Parameters
    ----------
    vec_env
        A `CoreVecEnv`, or another one with views (n_stage, N_INPUTS) and actions that number stages.
    about
        What else the card should say.

    Raises
    ------
    BadWeights
        If the weights are not finite in the end, or the disk does not take them.
    """
    torch.set_num_threads(1)
    started_s = time.process_time()
    model = make_ppo(vec_env, settings)
    model.learn(settings.total_steps, callback=_Teller(tell))
    weights: Weights = model.policy.net.to_weights()  # type: ignore[union-attr,operator]
    if not np.isfinite(weights).all():
        raise BadWeights("training", "weights are not finite", "all must be numbers", "lower the learning rate")
    facts = {name: value for name, value in asdict(settings).items() if name != "start"}
    card = {"trainer": "PPO", "steps": model.num_timesteps, "training_cpu_s": time.process_time() - started_s}
    save_policy(folder, weights, {**card, **(about or {}), "settings": facts})
    return weights


def make_ppo(vec_env: VecEnv, settings: PpoSettings) -> PPO:
    """Return the trainer before its first step."""
    return PPO(
        UniversalActorCritic,
        vec_env,
        learning_rate=settings.learning_rate,
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.n_epochs,
        gamma=settings.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        seed=settings.seed,
        policy_kwargs={"start": settings.start},
        device=settings.device,
    )


def collect_s(vec_env: VecEnv, n_steps: int) -> float:
    """Return the wall time of `n_steps` steps of all agents as PPO collects them, policy and value included, s."""
    torch.set_num_threads(1)
    model = make_ppo(vec_env, PpoSettings(total_steps=1, n_steps=n_steps, batch_size=n_steps * vec_env.num_envs))
    _, callback = model._setup_learn(n_steps * vec_env.num_envs)
    started_s = time.perf_counter()
    model.collect_rollouts(vec_env, callback, model.rollout_buffer, n_steps)
    return time.perf_counter() - started_s


class _Teller(BaseCallback):
    """Tells how far it is after every collection."""

    def __init__(self, tell: Told | None) -> None:
        super().__init__()
        self._tell = tell

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        if self._tell is not None:
            buffer = self.locals["rollout_buffer"]
            self._tell(self.num_timesteps, float(buffer.rewards.mean()))
