"""A network in OpenVINO, converted once for each size of input and kept beside the user's other caches.

::

    ~/.cache/nga-tu/openvino/<digest of weights>-<height>x<width>-<openvino's version>/model.xml, model.bin
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vision.boxes import FloatArray

_HALF_MADE = ".part"


def cache_folder() -> Path:
    """Return where converted networks are kept: NGA_TU_CACHE, else ~/.cache/nga-tu."""
    return Path(os.environ.get("NGA_TU_CACHE", Path.home() / ".cache" / "nga-tu")) / "openvino"


def compiled(model: Any, sha256: str, size: tuple[int, int]) -> Callable[[FloatArray], FloatArray]:
    """Return the network for batches of one, shape (1, 3, height, width), on one thread.

    Parameters
    ----------
    model
        The torch network, in evaluation mode.
    sha256
        Digest of its weights.
    size
        Height and width of the input, pixels.
    """
    import openvino

    folder = cache_folder() / f"{sha256[:16]}-{size[0]}x{size[1]}-{openvino.__version__.split('-')[0]}"
    graph = folder / "model.xml"
    if not graph.is_file():
        with interrupts_held():
            _convert(model, size, folder)
    return compile_graph(str(graph))


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait until this is over: raised inside a conversion, it would be swallowed by the C++ beneath."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


def compile_graph(graph: Any) -> Callable[[FloatArray], FloatArray]:
    """Return an OpenVINO model, or the one in a file, as a function, on one thread."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()

    def run(batch: FloatArray) -> FloatArray:
        request.infer([batch], share_inputs=True)
        return np.asarray(request.get_output_tensor(0).data, np.float32)

    return run


def _convert(model: Any, size: tuple[int, int], folder: Path) -> None:
    """Convert, and put the folder in place whole: of two processes that convert, the first wins."""
    import openvino
    import torch

    class First(torch.nn.Module):
        """The head's boxes and scores without what only training needs."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, batch: Any) -> Any:
            output = self.inner(batch)
            return output[0] if isinstance(output, tuple | list) else output

    example = torch.zeros(1, 3, *size)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every shape; the input's is fixed
        First()(example)  # the head makes its anchors
        graph = openvino.convert_model(First().eval(), example_input=example, input=[1, 3, *size])
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, suffix=_HALF_MADE))
    openvino.save_model(graph, part / "model.xml", compress_to_fp16=True)
    try:
        part.rename(folder)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
