"""A trained network without torch: an npz of plain arrays, read without pickle, and its answers in NumPy.

::

    version, kind, activation, weight_0, bias_0, ... weight_n, bias_n, low, high, about
    hidden = activation(weight @ x + bias)       the last layer has no activation
    kind   discrete: the output with the highest value; box: the outputs, cut off at low and high
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from traffic.errors import BadWeights
from traffic.files import write_whole
from traffic.snapshot import FloatArray

VERSION = 1
ACTIVATIONS: Mapping[str, Callable[[FloatArray], FloatArray]] = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0)}
_MOST_LAYERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlp:
    """A network of full layers.

    Attributes
    ----------
    weights, biases
        Of each layer, shapes (n_out, n_in) and (n_out,).
    kind
        `discrete` or `box`.
    low, high
        Bounds of a box of actions; empty for `discrete`.
    about
        What the network was trained on, as text by name.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    activation: str = "tanh"
    kind: str = "discrete"
    low: FloatArray = field(default_factory=lambda: np.zeros(0))
    high: FloatArray = field(default_factory=lambda: np.zeros(0))
    about: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fault = _fault(self)
        if fault:
            raise BadWeights("network", fault, "layers that fit one another", "export it again")

    @property
    def n_inputs(self) -> int:
        """How many values an observation has."""
        return int(self.weights[0].shape[1])

    @property
    def n_outputs(self) -> int:
        """How many values come out: one an action, or one a dimension of it."""
        return int(self.weights[-1].shape[0])

    def outputs(self, observation: npt.ArrayLike) -> FloatArray:
        """Return what the last layer says, shape (..., n_outputs), for observations (..., n_inputs).

        Raises
        ------
        BadWeights
            If an observation has another length, or holds NaN.
        """
        x = np.asarray(observation, dtype=np.float64)
        if x.shape[-1:] != (self.n_inputs,) or np.isnan(x).any():
            what = f"shape {x.shape}" if x.shape[-1:] != (self.n_inputs,) else "NaN"
            raise BadWeights(
                "observation", what, f"{self.n_inputs} known numbers", "use the observation it learned from"
            )
        activate = ACTIVATIONS[self.activation]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = activate(x @ weight.T + bias)
        y: FloatArray = x @ self.weights[-1].T + self.biases[-1]
        return y

    def act(self, observation: npt.ArrayLike, mask: npt.ArrayLike | None = None) -> Any:
        """Return the action for one observation: a number, never a masked one, or a box's values."""
        y = self.outputs(observation)
        if self.kind == "box":
            return np.clip(y, self.low, self.high).astype(np.float32)
        return int(np.where(np.asarray(mask, dtype=bool), y, -np.inf).argmax() if mask is not None else y.argmax())


def save_mlp(network: Mlp, path: Path) -> None:
    """Write a network whole or not at all.

    Raises
    ------
    BadWeights
        If the disk does not take it; what was there before is untouched.
    """
    arrays: dict[str, Any] = {
        "version": np.array(VERSION),
        "kind": np.array(network.kind),
        "activation": np.array(network.activation),
        "low": network.low,
        "high": network.high,
        "about": np.array(json.dumps(dict(network.about), sort_keys=True)),
    }
    for number, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        arrays |= {f"weight_{number}": weight, f"bias_{number}": bias}
    buffer = io.BytesIO()
    try:
        np.savez(buffer, **arrays)
        write_whole(path, buffer.getvalue())
    except OSError as error:
        raise BadWeights(str(path), error, "must be written whole", "make room, or choose another folder") from error


def load_mlp(path: Path) -> Mlp:
    """Read a network.

    Raises
    ------
    BadWeights
        If the file is not there, is no npz of these arrays, needs pickle, or its layers do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise BadWeights(str(path), error, "an npz without pickled objects", "export the policy again") from error
    try:
        return _network(arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise BadWeights(str(path), error, f"a network of version {VERSION}", "export the policy again") from error
    except BadWeights as error:
        raise BadWeights(str(path), error.value, error.limit, error.next_move) from error


def _network(arrays: Mapping[str, npt.NDArray[Any]]) -> Mlp:
    if int(arrays["version"]) != VERSION:
        raise ValueError(f"version {int(arrays['version'])}")
    n_layers = next(n for n in range(_MOST_LAYERS + 1) if f"weight_{n}" not in arrays)
    known = {"version", "kind", "activation", "low", "high", "about"}
    known |= {f"{name}_{n}" for n in range(n_layers) for name in ("weight", "bias")}
    if set(arrays) != known:
        raise ValueError(f"arrays {sorted(set(arrays) ^ known)}")
    return Mlp(
        weights=_floats(arrays[f"weight_{n}"] for n in range(n_layers)),
        biases=_floats(arrays[f"bias_{n}"] for n in range(n_layers)),
        activation=str(arrays["activation"]),
        kind=str(arrays["kind"]),
        low=arrays["low"].astype(np.float64),
        high=arrays["high"].astype(np.float64),
        about=json.loads(str(arrays["about"])),
    )


def _floats(rows: Any) -> tuple[FloatArray, ...]:
    return tuple(np.asarray(row, dtype=np.float64) for row in rows)


def _fault(network: Mlp) -> str:
    """Return what does not fit, or nothing."""
    weights, biases = network.weights, network.biases
    if not weights or len(weights) != len(biases):
        return f"{len(weights)} weights, {len(biases)} biases"
    if network.activation not in ACTIVATIONS or network.kind not in ("discrete", "box"):
        return f"{network.kind} with {network.activation}"
    shapes = [row.shape for row in weights]
    is_chain = all(len(shape) == 2 for shape in shapes) and all(
        before[0] == after[1] for before, after in pairwise(shapes)
    )
    if not is_chain or any(bias.shape != shape[:1] for bias, shape in zip(biases, shapes, strict=True)):
        return f"shapes {shapes}"
    if not all(np.isfinite(row).all() for row in (*weights, *biases)):
        return "NaN or infinity"
    bounds: Sequence[tuple[int, ...]] = [network.low.shape, network.high.shape]
    return f"bounds {bounds}" if network.kind == "box" and any(b != (shapes[-1][0],) for b in bounds) else ""
