"""Networks into the shared words, and every way in which a file can be no network."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.network import read_network
from sim.safe_xml import elements
from tests.unit.sim.net_files import net_text, write_net
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LinkId

C = JunctionId("C")


def test_a_junction_has_its_approaches_movements_and_conflicts(tmp_path: Path) -> None:
    network = read_network(write_net(tmp_path))
    crossing = network.crossings[C]
    assert [approach.link for approach in crossing.approaches] == ["W1", "S"]
    assert [approach.bearing_deg for approach in crossing.approaches] == [90.0, 0.0]
    assert list(network.movements) == ["C:W1>E", "C:S>N"]
    assert crossing.conflicts == {(0, 1)}
    assert crossing.permissive == {(0, 1)}
    assert crossing.n_links == 2


def test_paths_inside_a_node_carry_length_and_speed(tmp_path: Path) -> None:
    network = read_network(write_net(tmp_path))
    way = next(row for row in network.connections if row.from_link == LinkId("W1"))
    assert (way.length_m, way.speed_mps, way.link_index) == (10.0, 8.0, 0)
    assert [network.connections[place].from_link for place in way.foes] == ["S"]


def test_a_compressed_network_is_the_same_network(tmp_path: Path) -> None:
    packed = tmp_path / "small.net.xml.gz"
    packed.write_bytes(gzip.compress(net_text().encode()))
    assert read_network(packed).connections == read_network(write_net(tmp_path)).connections


BOMB = '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><net>&b;</net>'
OUTSIDE = '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]><net>&x;</net>'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "no element found", id="empty"),
        pytest.param(net_text()[:900], "", id="truncated"),
        pytest.param("not xml at all", "syntax error", id="not XML"),
        pytest.param(BOMB, "entities", id="entity bomb"),
        pytest.param(OUTSIDE, "entities", id="external entity"),
        pytest.param("<routes/>", "root <routes>", id="other root"),
        pytest.param(net_text(program=""), "no signals", id="no signals"),
        pytest.param(net_text().replace('to="E"', 'to="Q"'), "no such lane", id="unknown edge"),
        pytest.param(net_text().replace('length="100.0"', 'length="nan"'), "finite number", id="length NaN"),
        pytest.param(net_text().replace('state="rG"', 'state="r"'), "equally long", id="lamp strings differ"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadScenario) as caught:
        read_network(write_net(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "small.net.xml" in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="not there"):
        read_network(tmp_path / "none.net.xml")


def test_a_truncated_archive_is_one_clear_line(tmp_path: Path) -> None:
    packed = tmp_path / "small.net.xml.gz"
    packed.write_bytes(gzip.compress(net_text().encode())[:300])
    with pytest.raises(BadScenario, match="whole XML"):
        read_network(packed)


def test_a_file_that_unpacks_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "bomb.net.xml.gz"
    packed.write_bytes(gzip.compress(b"<net>" + b"<edge/>" * 100_000 + b"</net>"))
    with pytest.raises(BadScenario, match="too large"):
        list(elements(packed, "net", max_bytes=100_000))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_network_is_read_or_refused_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = net_text()
    start = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.text(st.characters(codec="utf-8"), max_size=8))
    path = write_net(tmp_path_factory.mktemp("net"), text[:start] + put + text[start + length :])
    try:
        found = read_network(path).crossings
    except BadScenario as error:
        refusal = error.line
    else:
        refusal = "" if found else "nothing read\n"
    assert "\n" not in refusal
