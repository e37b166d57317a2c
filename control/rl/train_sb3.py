"""The reference trainer: PPO of Stable-Baselines3, one thread a process, with checkpoints that are whole or not there.

::

    folder/checkpoint.json      which file, its sha256, steps, settings      written last, moved into place
    folder/steps_<n>.zip        Stable-Baselines3's own, for this trainer only (it holds pickles: never a stranger's)
    folder/policy.npz           the network, for everybody (control.rl.mlp)
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecMonitor

from control.rl.export import mlp_of
from control.rl.mlp import Mlp, save_mlp
from control.rl.shared_vec_env import SharedVecEnv
from control.rl.town_env import TownEnv
from traffic.errors import BadInput, BadWeights
from traffic.files import write_whole

CHECKPOINT, POLICY = "checkpoint.json", "policy.npz"
_FREE = {"total_steps": 0, "device": ""}
Environment = gymnasium.Env[Any, Any] | TownEnv
Told = Callable[[int, float], None]
"""Steps so far, and the mean return of the last episodes (NaN before the first ends)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train; a run is resumed under the same settings only, `total_steps` and `device` apart.

    Attributes
    ----------
    total_steps
        Steps of all environments together.
    n_steps
        Steps of each environment between two updates.
    reward_scale
        Rewards are multiplied by this, so that they are of the order of one.
    n_processes
        Environments, each in a process of its own if there are several.
    device
        `auto` takes a GPU if there is one.
    """

    total_steps: int
    n_steps: int = 256
    batch_size: int = 64
    learning_rate: float = 3e-4
    discount: float = 0.99
    hidden: tuple[int, ...] = (64, 64)
    reward_scale: float = 0.01
    seed: int = 0
    n_processes: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("total_steps", "n_steps", "batch_size", "n_processes"):
            if getattr(self, name) < 1:
                raise BadInput(f"training: {name}", getattr(self, name), "at least 1", "give a larger number")


def train(
    make_env: Callable[[], Environment],
    settings: TrainSettings,
    folder: Path,
    *,
    tell: Told | None = None,
    about: Mapping[str, str] | None = None,
) -> Mlp:
    """Train, or go on where a checkpoint in `folder` stands; return the network, which lies in `folder`, too.

    Parameters
    ----------
    make_env
        Makes one environment; picklable if there are several processes.
    tell
        Called after every update.
    about
        Written into the npz beside settings and steps.

    Raises
    ------
    BadInput
        If the settings do not fit the environment, or are not those of the checkpoint.
    BadWeights
        If the checkpoint is not what was written, or the disk is full.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    envs = make_vec_env(make_env, settings)
    try:
        model = _resumed(envs, settings, folder) or _fresh(envs, settings)
        left = settings.total_steps - model.num_timesteps
        if left > 0:
            model.learn(left, callback=_Keeper(settings, folder, tell), reset_num_timesteps=False)
            save_checkpoint(model, settings, folder)
        facts = {"steps": str(model.num_timesteps), "settings": json.dumps(asdict(settings)), **(about or {})}
        network = mlp_of(model, facts)
    finally:
        envs.close()
    save_mlp(network, folder / POLICY)
    return network


def make_vec_env(make_env: Callable[[], Environment], settings: TrainSettings) -> VecEnv:
    """Return as many environments as there are processes; the agents of a `TownEnv` share one."""
    if settings.n_processes > 1:
        return SubprocVecEnv([partial(_scaled, make_env, settings.reward_scale)] * settings.n_processes, "spawn")
    env = make_env()
    if isinstance(env, TownEnv):
        return VecMonitor(_ScaledShared(env, settings.reward_scale))
    return DummyVecEnv([partial(_wrapped, env, settings.reward_scale)])


def _scaled(make_env: Callable[[], Environment], scale: float) -> gymnasium.Env[Any, Any]:
    torch.set_num_threads(1)
    return _wrapped(make_env(), scale)


def _wrapped(env: Environment, scale: float) -> gymnasium.Env[Any, Any]:
    if isinstance(env, TownEnv):
        raise BadInput("training", "a town in several processes", "one process", "set n_processes=1")
    return gymnasium.wrappers.TransformReward(Monitor(env), lambda reward: scale * float(reward))


class _ScaledShared(SharedVecEnv):
    """Shared agents whose rewards are scaled."""

    def __init__(self, env: TownEnv, scale: float) -> None:
        super().__init__(env)
        self._scale = scale

    def step_wait(self) -> Any:
        seen, rewards, dones, infos = super().step_wait()
        return seen, rewards * self._scale, dones, infos


def _fresh(envs: VecEnv, settings: TrainSettings) -> PPO:
    return PPO(
        "MlpPolicy",
        envs,
        learning_rate=settings.learning_rate,
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        gamma=settings.discount,
        seed=settings.seed,
        policy_kwargs={"net_arch": list(settings.hidden)},
        device=settings.device,
    )


def save_checkpoint(model: PPO, settings: TrainSettings, folder: Path) -> None:
    """Write a checkpoint; until its last step the one before stands.

    Raises
    ------
    BadWeights
        If the disk does not take it.
    """
    name = f"steps_{model.num_timesteps}.zip"
    try:
        model.save(folder / f"{name}.part")
        (folder / f"{name}.part").replace(folder / name)
        record = {"file": name, "sha256": _digest(folder / name), "settings": _plain(settings)}
        write_whole(folder / CHECKPOINT, json.dumps(record).encode("utf-8"))
    except OSError as error:
        where, next_move = f"checkpoint in {folder}", "make room and start again: the checkpoint before stands"
        raise BadWeights(where, error, "must be written whole", next_move) from error
    for old in folder.glob("steps_*.zip*"):
        if old.name != name:
            old.unlink(missing_ok=True)


def _resumed(envs: VecEnv, settings: TrainSettings, folder: Path) -> PPO | None:
    """Return the model of the checkpoint, checked; None where there is none."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        file, digest, made = folder / str(record["file"]), str(record["sha256"]), record["settings"]
        is_whole = file.parent == folder and _digest(file) == digest
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadWeights(str(path), error, "a checkpoint of this trainer", "remove the folder, or mend it") from error
    if not is_whole:
        raise BadWeights(str(file), "another sha256", "what was written", "remove the folder: it is not loaded")
    if {**made, **_FREE} != {**_plain(settings), **_FREE}:
        raise BadInput(f"settings of {folder}", made, "the same to go on", "choose another folder")
    model = PPO.load(file, env=envs, device=settings.device)
    model.set_random_seed(settings.seed + model.num_timesteps)
    return model


def _plain(settings: TrainSettings) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return plain


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Keeper(BaseCallback):
    """Keeps a checkpoint after every rollout, and tells how far it is."""

    def __init__(self, settings: TrainSettings, folder: Path, tell: Told | None) -> None:
        super().__init__()
        self._settings, self._folder, self._tell = settings, folder, tell

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps:
            save_checkpoint(self.model, self._settings, self._folder)  # type: ignore[arg-type]  # it is a PPO
        if self._tell:
            returns = [row["r"] for row in self.model.ep_info_buffer or ()]
            self._tell(self.num_timesteps, sum(returns) / len(returns) if returns else float("nan"))
