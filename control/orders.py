"""What carries plans to junctions: orders with identity, sequence and validity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from traffic.decisions import SelectPattern
from traffic.ids import JunctionId
from traffic.signals import Junction, Order, Plan

STREET_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""Midnight of a simulated street's day: simulated seconds count from here."""


def order_of(junction: Junction, plan: Plan, *, sequence_number: int, time_s: float, valid_s: float) -> Order:
    """Return the order that carries a plan, valid from `time_s` on the street's clock for `valid_s`."""
    begin = STREET_DAY + timedelta(seconds=time_s)
    return Order(
        plan=plan,
        config_hash=junction.config_hash,
        sequence_number=sequence_number,
        valid_from=begin,
        expires=begin + timedelta(seconds=valid_s),
        issuer="centre",
    )


def orders_of(
    junctions: Mapping[JunctionId, Junction], plans: Sequence[Plan], *, sequence_number: int, time_s: float
) -> list[SelectPattern]:
    """Return the decisions that put plans in force for four hours from `time_s`."""
    return [
        SelectPattern(
            order_of(junctions[plan.junction], plan, sequence_number=sequence_number, time_s=time_s, valid_s=14_400.0)
        )
        for plan in plans
    ]
