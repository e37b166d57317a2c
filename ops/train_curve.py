"""The learning curve of a training: a table, a picture, and events for TensorBoard."""

from __future__ import annotations

import csv
import io
import math
import os
import time
from pathlib import Path
from typing import BinaryIO

from matplotlib.figure import Figure
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from control.rl.training import CURVE, Training, validations
from traffic.files import write_whole

TABLE, PICTURE = "curve.csv", "curve.png"
_TAGS = {
    "delay_s": "training/delay_s",
    "difference": "training/difference",
    "rate": "training/rate",
    "spread": "training/spread",
    "validation": "validation/ratio_to_greedy",
}


class Events:
    """A file of TensorBoard events in a folder; another one each time that a training is taken up.

    Written at once, by no thread of its own: where the disk is full, whoever writes is told.
    """

    def __init__(self, folder: Path, first_generation: int) -> None:
        name = f"events.out.tfevents.{int(time.time())}.{os.uname().nodename}.{os.getpid()}"
        self._file: BinaryIO = (folder / name).open("wb")
        self._records, self._generation = RecordWriter(self._file), first_generation
        self._write(Event(file_version="brain.Event:2"))
        if first_generation > 0:  # what an earlier process wrote beyond its last checkpoint is void
            self._write(Event(session_log=SessionLog(status=SessionLog.START), step=first_generation + 1))

    def add(self, training: Training) -> None:
        """Write the generations that are new."""
        for row in training.curve[training.curve[:, 0] > self._generation].tolist():
            named = dict(zip(CURVE, row, strict=True))
            values = [
                Summary.Value(tag=tag, simple_value=named[name])
                for name, tag in _TAGS.items()
                if not math.isnan(named[name])
            ]
            self._write(Event(summary=Summary(value=values), step=int(named["generation"])))
        self._generation = training.evolution.generation
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())


def write_table(folder: Path, training: Training) -> None:
    """Write the curve as CSV; what was not judged is empty."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CURVE)
    for row in training.curve.tolist():
        rows.writerow([int(row[0]), *("" if math.isnan(value) else f"{value:.6g}" for value in row[1:])])
    write_whole(folder / TABLE, text.getvalue().encode("utf-8"))


def write_picture(folder: Path, training: Training, title: str) -> None:
    """Draw the validation against generations, greedy control as 1."""
    judged = validations(training)
    figure = Figure(figsize=(8.0, 4.5), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.axhline(1.0, color="0.5", linewidth=1.0, linestyle="--", label="greedy")
    axes.plot(judged[:, 0], judged[:, 1], marker=".", color="#1f6f8b", label="policy")
    axes.plot([training.best_generation], [training.best_ratio], "o", color="#c0392b", label="best, kept")
    axes.set(xlabel="generation", ylabel="delay / delay of greedy control, validation", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(folder / PICTURE, picture.getvalue())
