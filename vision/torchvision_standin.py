"""Import ultralytics where torchvision does not import.

A torchvision wheel beside a torch built elsewhere raises `operator torchvision::nms does not exist`.
ultralytics wants the module, its version and `ops.nms`, which it has in plain torch itself. The
stand-in is used only when the real one fails.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from traffic.errors import MissingTool


def import_ultralytics(module: str = "ultralytics") -> ModuleType:
    """Return a module of ultralytics: offline, installing nothing, keeping its settings out of the home folder.

    Raises
    ------
    MissingTool
        If it is not installed.
    """
    settings = Path(tempfile.gettempdir()) / f"nga-tu-yolo-{os.getuid()}"
    os.environ.setdefault("YOLO_CONFIG_DIR", str(settings))
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    settings.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        needs_nms = not has_torchvision()
        if needs_nms:
            install_standin()
        importlib.import_module("ultralytics")
        if needs_nms:
            nms = importlib.import_module("ultralytics.utils.nms").TorchNMS.nms
            sys.modules["torchvision.ops"].nms = nms  # type: ignore[attr-defined]
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingTool(str(error.name), "not installed", next_move="run: python3 run.py test") from error


def has_torchvision() -> bool:
    """Whether torchvision, or its stand-in, is imported or can be; leaves no half-imported module behind."""
    if "torchvision" in sys.modules:
        return True
    try:
        importlib.import_module("torchvision")
    except (RuntimeError, ImportError, OSError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    return True


def install_standin() -> None:
    """Put a module of torchvision's name, version and `ops` where an import finds it."""
    try:
        version = importlib.metadata.version("torchvision")
    except importlib.metadata.PackageNotFoundError:
        version = "0.0.0"
    package, ops = ModuleType("torchvision"), ModuleType("torchvision.ops")
    package.__version__ = version  # type: ignore[attr-defined]
    package.is_standin = True  # type: ignore[attr-defined]
    package.ops = ops  # type: ignore[attr-defined]
    package.__path__ = []
    sys.modules["torchvision"], sys.modules["torchvision.ops"] = package, ops
