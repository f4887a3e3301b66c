"""What a gate's numbers are, and whom they choose."""

from __future__ import annotations

import math
from collections.abc import Sequence


def softmax(logits: Sequence[float]) -> list[float]:
    """Probabilities of one token's experts, ``[experts]``."""
    largest = max(logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def best(scores: Sequence[float], top_k: int) -> list[int]:
    """The experts with the largest logits or probabilities; the lower number on a tie, as the figure's router has it."""
    return sorted(range(len(scores)), key=lambda expert: (-scores[expert], expert))[:top_k]


def are_probabilities(rows: Sequence[Sequence[float]], top_k: int) -> bool:
    """Some versions of ``transformers`` give these in the place of logits: none negative, and each row sums to 1."""
    nonnegative = all(value >= 0 for row in rows for value in row)
    if not nonnegative or not all(abs(sum(row) - 1) <= 1e-3 for row in rows):
        return False
    if all(sum(value > 0 for value in row) <= top_k for row in rows):
        raise ValueError(
            "these are the weights of the chosen experts alone, with zeros for all others: the gate's logits are not in "
            "them. Record them with another version of transformers."
        )
    return True
