"""Contacts outside the device that join two of its pins, as the keys of a matrix do, and the levels that follow from them."""

from __future__ import annotations

from typing import Any


class Wires:
    """Closed contacts between pins. Not thread-safe."""

    def __init__(self) -> None:
        self._joined: set[frozenset[int]] = set()
        self.touched: set[int] = set()
        """Every pin that has ever been joined to another."""
        self.shorts = 0
        """How often a pin that drives high was found joined to one that drives low: on a real board something would burn."""

    def join(self, one: int, other: int, closed: bool) -> set[int]:
        """Close or open the contact between two pins; returns the pins whose level may have changed."""
        pair = frozenset((one, other))
        self.touched |= pair
        reached = self.net(one) | self.net(other)
        (self._joined.add if closed else self._joined.discard)(pair)
        return reached | self.net(one) | self.net(other)

    def net(self, pin: int) -> set[int]:
        """All pins that are joined to `pin`, itself among them."""
        found, wave = {pin}, {pin}
        while wave:
            wave = {pin for pair in self._joined if pair & wave for pin in pair} - found
            found |= wave
        return found

    def level(self, net: set[int], pin_of: Any) -> bool | None:
        """The level that outputs put on `net`; None when none of it is an output. `pin_of(number)` gives a gpiozero pin."""
        driven = {bool(pin.state) for pin in map(pin_of, net) if pin.function == "output"}
        if driven == {True, False}:
            self.shorts += 1
        return None if not driven else all(driven)
