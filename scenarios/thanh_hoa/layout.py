"""The schematic's facts and assumptions as tables: places, legs, lanes, signal types, flows.

Everything that is not marked `verified` or `geometry` in the README is assumed.

::

              bac
               |
      ---- ql47 ----
               |
  -- nguyen_trai -- buu_dien --        Lê Lợi runs west-east
               |       |
                      giua
                       |
             ---- ql45
"""

from __future__ import annotations

from dataclasses import dataclass

SPACING_M = {"gate": 220.0, "bac": 400.0, "ql47": 450.0, "buu_dien": 380.0, "giua": 430.0, "nguyen_trai": 400.0}
SPEED_MPS = 13.89
LANE_M = 3.5
BOX_M = 4.0

PLACES = {
    "bac": ((0.0, 1660.0), "Bà Triệu × đường ra Bến xe phía Bắc"),
    "ql47": ((0.0, 1260.0), "Bà Triệu × QL45/QL47"),
    "buu_dien": ((0.0, 810.0), "Ngã tư Bưu điện (Trần Phú × Lê Lợi)"),
    "giua": ((0.0, 430.0), "Trần Phú × đường ngang"),
    "ql45": ((0.0, 0.0), "Quang Trung × QL45"),
    "nguyen_trai": ((-400.0, 810.0), "Ngã tư Nguyễn Trãi (× Lê Lợi)"),
}

LEGS = {
    "bac": {"n": "bac_n", "e": "bac_e", "s": "ql47", "w": "bac_w"},
    "ql47": {"n": "bac", "e": "ql47_e", "s": "buu_dien", "w": "ql47_w"},
    "buu_dien": {"n": "ql47", "e": "buu_dien_e", "s": "giua", "w": "nguyen_trai"},
    "giua": {"n": "buu_dien", "e": "giua_e", "s": "ql45", "w": "giua_w"},
    "ql45": {"n": "giua", "s": "ql45_s", "w": "ql45_w"},
    "nguyen_trai": {"n": "nguyen_trai_n", "e": "buu_dien", "s": "nguyen_trai_s", "w": "nguyen_trai_w"},
}

ONE_LANE_GATES = frozenset({"bac_e", "bac_w"})

ROAD_NAMES = {
    frozenset({"bac_n", "bac"}): "Bà Triệu",
    frozenset({"bac", "ql47"}): "Bà Triệu",
    frozenset({"ql47", "buu_dien"}): "Trần Phú",
    frozenset({"buu_dien", "giua"}): "Trần Phú",
    frozenset({"giua", "ql45"}): "Quang Trung",
    frozenset({"ql45", "ql45_s"}): "Quang Trung",
    frozenset({"nguyen_trai", "buu_dien"}): "Lê Lợi",
    frozenset({"buu_dien", "buu_dien_e"}): "Lê Lợi",
    frozenset({"nguyen_trai_w", "nguyen_trai"}): "Lê Lợi",
    frozenset({"nguyen_trai_n", "nguyen_trai"}): "Nguyễn Trãi",
    frozenset({"nguyen_trai", "nguyen_trai_s"}): "Nguyễn Trãi",
    frozenset({"ql47_w", "ql47"}): "QL45/QL47",
    frozenset({"ql45_w", "ql45"}): "QL45",
}

STEP = {"n": (0.0, 1.0), "e": (1.0, 0.0), "s": (0.0, -1.0), "w": (-1.0, 0.0)}
TURNS = {
    "n": {"r": "w", "s": "s", "l": "e"},
    "e": {"r": "n", "s": "w", "l": "s"},
    "s": {"r": "e", "s": "n", "l": "w"},
    "w": {"r": "s", "s": "e", "l": "n"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Which phases a junction has: {phase: {leg: turns}}, `g` marking turns that yield; rings; barriers."""

    serves: dict[int, dict[str, str]]
    rings: tuple[tuple[int, ...], ...]
    barriers: tuple[tuple[int, ...], ...]
    coordinated: int
    yields: frozenset[tuple[int, str, str]] = frozenset()


TIMINGS = {
    "buu_dien": Timing(
        serves={
            1: {"s": "l"},
            2: {"n": "sr"},
            3: {"w": "l"},
            4: {"e": "sr"},
            5: {"n": "l"},
            6: {"s": "sr"},
            7: {"e": "l"},
            8: {"w": "sr"},
        },
        rings=((1, 2, 3, 4), (5, 6, 7, 8)),
        barriers=((1, 2, 5, 6), (3, 4, 7, 8)),
        coordinated=2,
    ),
    "ql47": Timing(
        serves={1: {"s": "l"}, 2: {"n": "sr"}, 4: {"e": "srl"}, 5: {"n": "l"}, 6: {"s": "sr"}, 8: {"w": "srl"}},
        rings=((1, 2, 4), (5, 6, 8)),
        barriers=((1, 2, 5, 6), (4, 8)),
        coordinated=2,
        yields=frozenset({(4, "e", "l"), (8, "w", "l")}),
    ),
    "bac": Timing(
        serves={1: {"n": "srl", "s": "srl"}, 2: {"e": "srl", "w": "srl"}},
        rings=((1, 2),),
        barriers=((1, 2),),
        coordinated=1,
        yields=frozenset({(1, "n", "l"), (1, "s", "l"), (2, "e", "l"), (2, "w", "l")}),
    ),
    "giua": Timing(
        serves={1: {"n": "sr", "s": "sr"}, 2: {"n": "l", "s": "l"}, 3: {"e": "srl", "w": "srl"}},
        rings=((1, 2, 3),),
        barriers=((1, 2, 3),),
        coordinated=1,
        yields=frozenset({(3, "e", "l"), (3, "w", "l")}),
    ),
    "ql45": Timing(
        serves={1: {"n": "sr", "s": "s"}, 2: {"s": "sl", "w": "r"}, 3: {"w": "rl"}},
        rings=((1, 2, 3),),
        barriers=((1, 2, 3),),
        coordinated=1,
    ),
    "nguyen_trai": Timing(
        serves={1: {"e": "sr", "w": "sr"}, 2: {"e": "l", "w": "l"}, 3: {"n": "sr", "s": "sr"}, 4: {"n": "l", "s": "l"}},
        rings=((1, 2, 3, 4),),
        barriers=((1, 2, 3, 4),),
        coordinated=1,
    ),
}

GATE_FLOWS_VPH = {
    "bac_n": 780,
    "bac_e": 160,
    "bac_w": 200,
    "ql47_w": 520,
    "ql47_e": 220,
    "nguyen_trai_w": 480,
    "nguyen_trai_n": 220,
    "nguyen_trai_s": 220,
    "buu_dien_e": 440,
    "giua_e": 180,
    "giua_w": 190,
    "ql45_w": 350,
    "ql45_s": 740,
}

TURN_SHARES = {
    "bac": {"n": (0.06, 0.90, 0.04), "e": (0.30, 0.35, 0.35), "s": (0.08, 0.87, 0.05), "w": (0.35, 0.35, 0.30)},
    "ql47": {"n": (0.12, 0.76, 0.12), "e": (0.30, 0.45, 0.25), "s": (0.10, 0.72, 0.18), "w": (0.45, 0.35, 0.20)},
    "buu_dien": {"n": (0.14, 0.70, 0.16), "e": (0.18, 0.62, 0.20), "s": (0.14, 0.68, 0.18), "w": (0.20, 0.60, 0.20)},
    "giua": {"n": (0.08, 0.84, 0.08), "e": (0.35, 0.30, 0.35), "s": (0.07, 0.85, 0.08), "w": (0.35, 0.30, 0.35)},
    "ql45": {"n": (0.25, 0.75, 0.0), "s": (0.0, 0.78, 0.22), "w": (0.45, 0.0, 0.55)},
    "nguyen_trai": {"n": (0.2, 0.5, 0.3), "e": (0.16, 0.68, 0.16), "s": (0.3, 0.5, 0.2), "w": (0.14, 0.72, 0.14)},
}

CLASS_SHARES = {"mc": 0.80, "car": 0.15, "bus": 0.02, "truck": 0.03}
CLASSES = {"mc": "motorcycle", "car": "car", "bus": "bus", "truck": "truck"}
MCU = {"motorcycle": 1.0, "car": 3.4, "bus": 10.5, "truck": 8.3}

BEGIN_S, PERIOD_S = 25200, 900
PROFILE = (0.90, 1.00, 1.00, 0.90)
END_S = BEGIN_S + PERIOD_S * len(PROFILE)
HISTORIC_SEED = 2026
