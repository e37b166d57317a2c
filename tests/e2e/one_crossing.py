"""Two one-way streets that cross at a signal: two stages, no turns, demand from the west only."""

from __future__ import annotations

from pathlib import Path

from sim.netconvert import convert
from traffic.scenario import Scenario

NODES = """<nodes>
<node id="c" x="0" y="0" type="traffic_light"/><node id="w" x="-300" y="0"/><node id="e" x="300" y="0"/>
<node id="n" x="0" y="300"/><node id="s" x="0" y="-300"/>
</nodes>"""
EDGES = """<edges>
<edge id="wc" from="w" to="c" numLanes="1" speed="13.89"/><edge id="ce" from="c" to="e" numLanes="1" speed="13.89"/>
<edge id="nc" from="n" to="c" numLanes="1" speed="13.89"/><edge id="cs" from="c" to="s" numLanes="1" speed="13.89"/>
</edges>"""
CONNECTIONS = '<connections><connection from="wc" to="ce"/><connection from="nc" to="cs"/></connections>'


def make_crossing(folder: Path, west_vph: float, north_vph: float, *, end_s: float = 600.0) -> Scenario:
    """Write the network and its flows; return the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("nod", NODES), ("edg", EDGES), ("con", CONNECTIONS)):
        (folder / f"{name}.xml").write_text(text, encoding="utf-8")
    network = folder / "crossing.net.xml"
    files = [f"--{kind}-files={folder / name}.xml" for kind, name in (("node", "nod"), ("edge", "edg"))]
    convert([*files, f"--connection-files={folder / 'con'}.xml", "--no-turnarounds", "true"], network)
    flows = "\n".join(
        f'<flow id="{start}" begin="0" end="{end_s}" period="exp({vph / 3600.0:.6f})" from="{start}" to="{goal}" '
        'departSpeed="max"/>'
        for start, goal, vph in (("wc", "ce", west_vph), ("nc", "cs", north_vph))
        if vph > 0.0
    )
    routes = folder / "crossing.rou.xml"
    routes.write_text(f"<routes>\n{flows}\n</routes>\n", encoding="utf-8")
    return Scenario(
        name="crossing", title="crossing", folder=folder, network=network, routes=(routes,), begin_s=0.0, end_s=end_s
    )
