"""A trace of routing as Python holds it: read from JSON lines, looked at as a table, or made from router logits.

docs/TRACE_FORMAT.md says what every key and every column means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .gate import softmax
from .router_logits import trace_of_router_logits

#: Of a request, in this order; as in the tables that the figure saves.
COLUMNS = tuple("step layer token text rank expert logit probability score weight fate slot loss token_id bytes".split())


class Trace:
    """One run: a header that says where it comes from, and its steps, whole.

    It is a table too, of a row for every request: ``pandas.DataFrame(trace)``.
    """

    def __init__(self, header: dict[str, Any], steps: list[dict[str, Any]]):
        self.header = header
        self.steps = steps

    @classmethod
    def from_text(cls, text: str) -> Trace:
        """From JSON lines: a header, then a step a line."""
        lines = [json.loads(line) for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
        if len(lines) < 2:
            raise ValueError("a trace has a header line, and a line for each step")
        header, *sent = lines
        steps: list[dict[str, Any]] = []
        for step in sent:
            steps.append(_whole(step, steps[-1] if steps else None))
        return cls(header, steps)

    @classmethod
    def read(cls, path: str | Path) -> Trace:
        """From a file of JSON lines, such as the figure's *Save* gives."""
        return cls.from_text(Path(path).read_text("utf-8"))

    @classmethod
    def from_router_logits(
        cls,
        router_logits: Sequence[Any],
        tokens: Sequence[str | bytes],
        *,
        top_k: int,
        normalise: bool = True,
        token_ids: Sequence[int] | None = None,
        attention_mask: Any = None,
        model_name: str | None = None,
        version: str | None = None,
    ) -> Trace:
        """From what a model of the ``transformers`` library gives with ``output_router_logits=True``.

        ``router_logits``: for each layer with experts ``[tokens, experts]``, of one text; tensors, arrays or lists.
        ``tokens``: the text of each token. ``top_k``: experts that each token asks. ``normalise``: are the weights of
        the chosen ones divided by their sum (Mixtral, Qwen3-MoE), or probabilities as they are (OLMoE)?
        ``attention_mask``: 0 for tokens that are padding, which are left out.

        It holds for models that take the ``top_k`` largest of a softmax and turn nobody away. Raises ``ValueError``
        where the numbers are no such gate's.
        """
        header, step = trace_of_router_logits(
            router_logits,
            tokens,
            top_k=top_k,
            normalise=normalise,
            token_ids=token_ids,
            attention_mask=attention_mask,
            model_name=model_name,
            version=version,
        )
        return cls(header, [step])

    def to_text(self) -> str:
        """As JSON lines."""
        lines = [self.header, *self.steps]
        return "".join(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines)

    def write(self, path: str | Path) -> None:
        """As a file of JSON lines, which the element's ``trace`` opens too."""
        Path(path).write_text(self.to_text(), "utf-8")

    def rows(self, step: int | None = None) -> Iterator[dict[str, Any]]:
        """A row for every request: of one step, counted from the end if negative, or of all."""
        for of_step in self.steps if step is None else [self.steps[step]]:
            first = of_step.get("first_position", 0)
            for layer in of_step["layers"]:
                yield from _rows_of_layer(of_step, layer, first)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and (self.header, self.steps) == (other.header, other.steps)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        origin = self.header.get("origin", {})
        name = (self.header.get("model") or {}).get("name") or origin.get("model_name") or origin.get("producer")
        return f"<Trace of {name}: {len(self.steps)} steps, {origin.get('source')}>"


def _rows_of_layer(step: dict[str, Any], layer: dict[str, Any], first: int) -> Iterator[dict[str, Any]]:
    """The requests of a layer that a router decided; of other programs' choices nothing is known but weights."""
    logits, probs = layer.get("gate_logits"), layer.get("gate_probs")
    row_of = {token: row for row, token in enumerate(layer["rows"])} if layer.get("rows") is not None else None

    def numbers(column: dict[str, Any] | None, token: int) -> list[float] | None:
        row = token if row_of is None else row_of.get(token)
        if column is None or row is None:
            return None
        width = column["num_experts"]
        return column["values"][row * width : (row + 1) * width]

    for request in (layer.get("routing") or {}).get("assignments", []):
        token, expert = request["token"], request["expert"]
        of_token = step["tokens"][token]
        its_logits, its_probs = numbers(logits, token), numbers(probs, token)
        if its_probs is None and its_logits is not None:
            its_probs = softmax(its_logits)
        raw = bytes(of_token.get("bytes") or [])
        yield dict(
            zip(
                COLUMNS,
                (
                    step["step"],
                    layer["layer"],
                    first + token,
                    raw.decode("utf-8", "replace"),
                    request["rank"],
                    expert,
                    its_logits[expert] if its_logits else None,
                    its_probs[expert] if its_probs else None,
                    request["weight_raw"],
                    request["weight"],
                    request["fate"],
                    request.get("slot"),
                    of_token.get("loss"),
                    of_token.get("id"),
                    raw.hex(),
                ),
                strict=True,
            )
        )


def _whole(sent: dict[str, Any], previous: dict[str, Any] | None) -> dict[str, Any]:
    """A step with the rows that are as in the step before, where it was sent without them."""
    step = dict(sent)
    start = step.pop("input_start_position", None)
    kept = 0 if start is None else start - step["first_position"]
    if kept == 0:
        return step
    if previous is None:
        raise ValueError(f"step {step['step']} tells only what changed, and there is no step before it")
    step["tokens"] = previous["tokens"][:kept] + step["tokens"]
    step["layers"] = [_whole_layer(*pair, kept) for pair in zip(step["layers"], previous["layers"], strict=True)]
    return step


def _whole_layer(layer: dict[str, Any], before: dict[str, Any], kept: int) -> dict[str, Any]:
    whole = dict(layer)
    for name in ("gate_logits", "gate_probs", "selection_scores"):
        if layer.get(name) and before.get(name):
            old, new = before[name], layer[name]
            whole[name] = {**new, "values": old["values"][: kept * old["num_experts"]] + new["values"]}
    if layer.get("routing"):
        earlier = [request for request in before["routing"]["assignments"] if request["token"] < kept]
        whole["routing"] = {**layer["routing"], "assignments": earlier + layer["routing"]["assignments"]}
    return whole
