"""A userspace UDP proxy that loses, doubles, delays and reorders datagrams, both ways."""

from __future__ import annotations

import heapq
import itertools
import random
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Chances and delays. `drop_answer` sees each answer's number and may have it lost."""

    loss: float = 0.0
    doubling: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    drop_answer: Callable[[int], bool] = lambda _: False


class UdpProxy:
    """Forwards one port of ours to one port of a controller; `with UdpProxy(port, weather) as proxy: proxy.port`."""

    def __init__(self, to_port: int, weather: Weather, seed: int = 1) -> None:
        self.weather, self.rng = weather, random.Random(seed)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.back.connect(("127.0.0.1", to_port))
        self.port = int(self.front.getsockname()[1])
        self.sender = ("127.0.0.1", 9)
        self.n_answers = self.n_lost = 0
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, bool, bytes]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> UdpProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.front.close()
        self.back.close()

    def _loop(self) -> None:
        while not self._stop.is_set():
            wait_s = min(max(self._waiting[0][0] - time.monotonic(), 0.0), 0.05) if self._waiting else 0.05
            ready, _, _ = select.select([self.front, self.back], [], [], wait_s)
            for end in ready:
                self._take(end)
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                _, _, is_request, data = heapq.heappop(self._waiting)
                if is_request:
                    self.back.send(data)
                else:
                    self.front.sendto(data, self.sender)

    def _take(self, end: socket.socket) -> None:
        is_request = end is self.front
        if is_request:
            data, self.sender = end.recvfrom(65_507)
        else:
            data = end.recv(65_507)
            self.n_answers += 1
        is_dropped = not is_request and self.weather.drop_answer(self.n_answers)
        for _ in range(1 + (self.rng.random() < self.weather.doubling)):
            if is_dropped or self.rng.random() < self.weather.loss:
                self.n_lost += 1
                continue
            at_s = time.monotonic() + self.rng.uniform(*self.weather.delay_s)
            heapq.heappush(self._waiting, (at_s, next(self._order), is_request, data))
