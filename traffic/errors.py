"""Errors, named by what the caller can do about them.

TrafficError
├── BadInput         mend the file, the option or the name
│   ├── BadScenario  ... of a scenario, its network, demand, signals
│   ├── BadVideo     ... a video, a camera file
│   └── BadWeights   ... the weights of a finder or a policy
├── UnsafeCommand    refuse it, keep the running plan
├── Oversaturated    choose another policy, no cycle serves this demand
├── PlantLost        fall back to local control
├── ControllerFault  release the controller, its own plan runs; a person looks
└── MissingTool      install what the message names
"""

from __future__ import annotations


class TrafficError(Exception):
    """One clear line: where, which value, which limit, what to do next."""

    def __init__(self, where: str, value: object = None, limit: str = "", next_move: str = "") -> None:
        self.where, self.value, self.limit, self.next_move = where, value, limit, next_move
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message in one line."""
        text = self.where
        if self.value is not None:
            text += f": {self.value}"
        if self.limit:
            text += f" ({self.limit})"
        if self.next_move:
            text += f"; {self.next_move}"
        return " ".join(text.split())

    def __reduce__(self) -> tuple[type[TrafficError], tuple[str, object, str, str]]:
        """Pickle by the four parts, so that a worker's error reaches the parent whole."""
        value = self.value if self.value is None else str(self.value)
        return type(self), (self.where, value, self.limit, self.next_move)

    def as_json(self) -> dict[str, str | None]:
        """Return the keys that `--json` prints under `error`."""
        return {
            "kind": type(self).__name__,
            "where": self.where,
            "value": None if self.value is None else str(self.value),
            "limit": self.limit,
            "next": self.next_move,
        }


class BadInput(TrafficError):
    """A file, option or name has to be mended."""


class BadScenario(BadInput):
    """A scenario, its network, demand, signals or counts have to be mended."""


class BadVideo(BadInput):
    """A video or a camera file has to be mended."""


class BadWeights(BadInput):
    """The weights of a finder or a policy are missing or not what they should be."""


class UnsafeCommand(TrafficError):
    """The guard refused; the running plan stays."""


class Oversaturated(TrafficError):
    """No cycle serves the demand; choose another policy."""


class PlantLost(TrafficError):
    """The plant no longer answers; local control takes over."""


class ControllerFault(TrafficError):
    """A controller is not what it should be; release it, a person looks."""


class MissingTool(TrafficError):
    """A tool of the system is missing; the message says how to install it."""
