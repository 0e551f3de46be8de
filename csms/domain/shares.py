"""Rounded parts of a rounded whole that still add up to it (largest remainder). Integers only.

Money: parts in 10^-7 CNY, `unit` one fen. Energy: parts in Wh, `unit` 10 Wh (0.01 kWh).
"""

from collections.abc import Sequence
from decimal import Decimal

FEN = 100_000  # in 10^-7 CNY: Wh times a price in 10^-4 CNY per kWh
HUNDREDTH_KWH = 10  # in Wh


def shares(parts: Sequence[int], unit: int) -> list[int]:
    """Each part in whole units; together they are the sum of the parts, rounded half up.

    None is more than a unit off. Whoever lost most by rounding down gets a unit, the earlier one first. Parts
    must not be negative; one that is 0 stays 0.
    """
    whole = [part // unit for part in parts]
    missing = (2 * sum(parts) + unit) // (2 * unit) - sum(whole)
    # Less than one unit each was cut off, so there are at least as many cut parts as units missing.
    by_loss = sorted(range(len(parts)), key=lambda n: -(parts[n] % unit))
    for n in by_loss[:missing]:
        whole[n] += 1
    return whole


def fen(parts: Sequence[int]) -> list[Decimal]:
    """Money parts (in 10^-7 CNY) to the fen, adding up to their rounded sum."""
    return [Decimal(part).scaleb(-2) for part in shares(parts, FEN)]


def kwh(energies_wh: Sequence[int]) -> list[Decimal]:
    """Energies (Wh) as kWh with two decimals, adding up to their rounded sum."""
    return [Decimal(part).scaleb(-2) for part in shares(energies_wh, HUNDREDTH_KWH)]
