"""Router logits of another program's model as a trace: the choice is made again, by the rule that the model routes by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .gate import are_probabilities, best, softmax

SCHEMA_VERSION = 2


def trace_of_router_logits(
    router_logits: Sequence[Any],
    tokens: Sequence[str | bytes],
    *,
    top_k: int,
    normalise: bool,
    token_ids: Sequence[int] | None,
    attention_mask: Any,
    model_name: str | None,
    version: str | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and step of a trace; ``Trace.from_router_logits`` says what the arguments are."""
    kept = [at for at, is_text in enumerate(_flat(attention_mask, len(tokens))) if is_text]
    layers = [_rows(of_layer, len(tokens), number) for number, of_layer in enumerate(router_logits)]
    if not layers or not kept:
        raise ValueError("there are no router logits, or no tokens")
    num_experts = len(layers[0][0])
    if not 1 <= top_k <= num_experts:
        raise ValueError(f"top_k is {top_k}; the gate has {num_experts} experts")
    if any(len(row) != num_experts for rows in layers for row in rows):
        raise ValueError("the layers have different numbers of experts")
    if num_experts == 1:
        raise ValueError("there is one number for each token: that of the chosen expert, and nobody says which")

    layers = [[rows[at] for at in kept] for rows in layers]
    # Some versions of the library give probabilities in the place of logits.
    column = "gate_probs" if are_probabilities([row for rows in layers for row in rows], top_k) else "gate_logits"

    texts = [token.encode() if isinstance(token, str) else bytes(token) for token in tokens]
    weighting = {"form": "norm" if normalise else "raw"}
    rule = {"rule": "top_k", "k": top_k, "weighting": weighting}
    origin = {"source": "imported", "producer": "transformers", "format": "hf-router-logits"}
    origin |= {key: value for key, value in (("version", version), ("model_name", model_name)) if value}
    header = {
        "schema_version": SCHEMA_VERSION,
        "origin": origin,
        # Which blocks of the model have experts is not said: layers count those that have.
        "routes": {
            "num_layers": None,
            "top_k": top_k,
            "moe_layer_ids": None,
            "num_experts": {"exactly": num_experts},
            "id_space": "logical_global",
            "rank_order": "preference",
            "weight_kind": "applied",
        },
        "model": None,
        "request": {
            "run": 0,
            "prompt": b"".join(texts[at] for at in kept).decode("utf-8", "replace"),
            "max_new_tokens": 0,
            "sampling": {"method": "greedy"},
            "routing": {"router": rule, "overflow": {"kind": "dropless"}},
            "group": "this_text",
            "seed": 0,
        },
        "absent": ["moe_layer_ids", "losses", "expectations"]
        + (["gate_logits"] if column == "gate_probs" else [])
        + (["token_ids"] if token_ids is None else []),
        "notes": ["What its gates said was recorded, and the choice of experts was made again from that."],
    }

    def token(at: int) -> dict[str, Any]:
        known = {} if token_ids is None else {"id": int(token_ids[at])}
        return {**known, "bytes": list(texts[at]), "loss": None}

    step = {
        "run": 0,
        "step": 0,
        "first_position": 0,
        "tokens": [token(at) for at in kept],
        "layers": [_layer(number, column, rows, top_k, normalise) for number, rows in enumerate(layers)],
    }
    return header, step


def _layer(number: int, column: str, rows: list[list[float]], top_k: int, normalise: bool) -> dict[str, Any]:
    """All requests of a layer. Such models turn nobody away, so each has a slot: the next of its expert."""
    num_experts = len(rows[0])
    taken = [0] * num_experts
    assignments = []
    for token, row in enumerate(rows):
        probs = row if column == "gate_probs" else softmax(row)
        chosen = best(row, top_k)
        total = sum(probs[expert] for expert in chosen) if normalise else 1.0
        for rank, expert in enumerate(chosen):
            weights = {"weight": probs[expert] / total, "weight_raw": probs[expert]}
            fate = {"fate": "kept", "slot": taken[expert]}
            assignments.append({"token": token, "rank": rank, "expert": expert, **weights, **fate})
            taken[expert] += 1
    routing = {"num_tokens": len(rows), "num_experts": num_experts, "capacity": None, "assignments": assignments}
    values = [value for row in rows for value in row]
    return {"layer": number, column: {"num_experts": num_experts, "values": values}, "routing": routing}


def _rows(of_layer: Any, num_tokens: int, number: int) -> list[list[float]]:
    """``[tokens, experts]`` as lists; a text's own axis of length 1 in front is taken off."""
    of_layer = of_layer.detach().cpu() if hasattr(of_layer, "detach") else of_layer
    rows = of_layer.tolist() if hasattr(of_layer, "tolist") else [list(row) for row in of_layer]
    if len(rows) == 1 and rows[0] and isinstance(rows[0][0], list):
        rows = rows[0]
    if len(rows) != num_tokens:
        raise ValueError(f"layer {number} has {len(rows)} rows, and there are {num_tokens} tokens: give it one text")
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for row in rows for value in row):
        raise ValueError(f"layer {number} has numbers that are not finite, or rows that are no rows")
    return rows


def _flat(attention_mask: Any, num_tokens: int) -> list[int]:
    if attention_mask is None:
        return [1] * num_tokens
    mask = attention_mask.tolist() if hasattr(attention_mask, "tolist") else list(attention_mask)
    mask = mask[0] if mask and isinstance(mask[0], list) else mask
    if len(mask) != num_tokens:
        raise ValueError(f"the attention mask has {len(mask)} entries, and there are {num_tokens} tokens")
    return mask
