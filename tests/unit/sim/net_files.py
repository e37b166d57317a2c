"""A small SUMO network as text: two one-way roads that cross, the one from the west split before the line.

::

              N
              |                link index 0: W1 -> E     1: S -> N
    w --W0-- n --W1-- C --E--  n has no signals; W0 also leads to X, off the zone
              |
              S
"""

from __future__ import annotations

from pathlib import Path

CYCLE = '<phase duration="20" state="Gr"/><phase duration="3" state="yr"/><phase duration="30" state="rG"/>'
PROGRAM = f'<tlLogic id="C" type="static" programID="0" offset="7">{CYCLE}<phase duration="3" state="ry"/></tlLogic>'


def net_text(program: str = PROGRAM, *, w1_length_m: float = 20.0) -> str:
    edges = "".join(
        f'<edge id="{name}" from="{start}" to="{end}"><lane id="{name}_0" index="0" speed="10" length="{length}" '
        f'shape="{shape}"/></edge>'
        for name, start, end, length, shape in (
            ("W0", "w", "n", 100.0, "0,0 100,0"),
            ("X", "n", "x", 50.0, "100,0 100,-50"),
            ("W1", "n", "C", w1_length_m, "100,0 120,0"),
            ("S", "s", "C", 200.0, "125,-200 125,-5"),
            ("E", "C", "e", 80.0, "130,0 210,0"),
            ("N", "C", "no", 90.0, "125,5 125,95"),
        )
    )
    inner = "".join(
        f'<edge id=":{name}" function="internal"><lane id=":{name}_0" index="0" speed="8" length="10" '
        f'shape="120,0 130,0"/></edge>'
        for name in ("C_0", "C_1", "n_0", "n_1")
    )
    ends = "".join(
        f'<junction id="{name}" type="dead_end" x="0" y="0" incLanes="{lanes}" intLanes=""/>'
        for name, lanes in (("w", ""), ("s", ""), ("x", "X_0"), ("e", "E_0"), ("no", "N_0"))
    )
    return f"""<net version="1.20"><location convBoundary="0,-200,210,95"/>{inner}{edges}{program}
    <junction id="C" type="traffic_light" x="125" y="0" incLanes="W1_0 S_0" intLanes=":C_0_0 :C_1_0">
      <request index="0" response="10" foes="10" cont="0"/><request index="1" response="00" foes="01" cont="0"/>
    </junction>
    <junction id="n" type="priority" x="100" y="0" incLanes="W0_0" intLanes=":n_0_0 :n_1_0">
      <request index="0" response="00" foes="00" cont="0"/><request index="1" response="00" foes="00" cont="0"/>
    </junction>{ends}
    <connection from="W0" to="X" fromLane="0" toLane="0" via=":n_0_0" dir="r" state="M"/>
    <connection from="W0" to="W1" fromLane="0" toLane="0" via=":n_1_0" dir="s" state="M"/>
    <connection from="W1" to="E" fromLane="0" toLane="0" via=":C_0_0" tl="C" linkIndex="0" dir="s" state="O"/>
    <connection from="S" to="N" fromLane="0" toLane="0" via=":C_1_0" tl="C" linkIndex="1" dir="s" state="O"/>
    </net>"""


def write_net(folder: Path, text: str | None = None, name: str = "small.net.xml") -> Path:
    path = folder / name
    path.write_text(net_text() if text is None else text, encoding="utf-8")
    return path
