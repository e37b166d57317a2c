"""Which channel of a controller's event log is which detector: the street's inventory, known to both its ends."""

from __future__ import annotations

from ops.log_delay import DetectorChannel, Place
from traffic.network import Network

__all__ = ["DetectorChannel", "Place", "detector_channels"]


def detector_channels(network: Network) -> tuple[DetectorChannel, ...]:
    """Return the channel of every detector: two an approach, in the order of the network."""
    return tuple(
        DetectorChannel(junction=crossing.id, approach=approach.link, place=place, channel=2 * number + place_number)
        for crossing in network.crossings.values()
        for number, approach in enumerate(crossing.approaches)
        for place_number, place in enumerate((Place.ADVANCE, Place.STOP), start=1)
    )
