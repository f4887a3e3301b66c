"""Router logits become the routing that the model computed, and what is no gate's numbers is refused."""

import json
import unittest
from pathlib import Path

from moe_playground import Trace

FIXTURES = Path(__file__).parents[4] / "crates/moe-trace/tests/fixtures/other_formats.json"


def by_hand(**more):
    """Two tokens, three experts. Both ask experts 0 and 2; of token 1 they are alike, and the lower number comes first."""
    logits = [[2.0, 0.0, 1.0], [1.0, -1.0, 1.0]]
    return Trace.from_router_logits([logits], ["The", " cat"], top_k=2, **more)


class RouterLogits(unittest.TestCase):
    def test_by_hand(self):
        rows = list(by_hand())
        self.assertEqual([(row["token"], row["rank"], row["expert"]) for row in rows], [(0, 0, 0), (0, 1, 2), (1, 0, 0), (1, 1, 2)])
        # e² / (e² + e), its complement, and halves.
        for row, weight in zip(rows, [0.7310586, 0.2689414, 0.5, 0.5], strict=True):
            self.assertAlmostEqual(row["weight"], weight, 6)
        # e² / (e² + 1 + e), by the whole softmax.
        self.assertAlmostEqual(rows[0]["score"], 0.6652409, 6)
        self.assertEqual(rows[0]["score"], rows[0]["probability"])
        # Each expert has a place for everybody, in order of the text.
        self.assertEqual([(row["fate"], row["slot"]) for row in rows], [("kept", 0), ("kept", 0), ("kept", 1), ("kept", 1)])
        self.assertEqual([row["text"] for row in rows], ["The", "The", " cat", " cat"])

    def test_weights_as_they_are(self):
        weights = [row["weight"] for row in by_hand(normalise=False)]
        self.assertAlmostEqual(weights[0] + weights[1], 1 - 0.0900306, 6)

    def test_padding_is_left_out(self):
        trace = by_hand(attention_mask=[[0, 1]])
        self.assertEqual({row["text"] for row in trace}, {" cat"})
        self.assertEqual(trace.header["request"]["prompt"], " cat")

    def test_other_programs_files(self):
        """Cases that others wrote down with the experts and weights that a right reader finds."""
        seen = 0
        cases = json.loads(FIXTURES.read_text())
        for case in cases if isinstance(cases, list) else cases["cases"]:
            if case["format"] != "hf-router-logits" or case["distribution"] not in ("logits", "probs"):
                continue
            tokens = [str(token) for token in case["tokens"]]
            trace = Trace.from_router_logits(case[case["distribution"]], tokens, top_k=case["top_k"])
            for layer, (ids, weights) in enumerate(zip(case["ids"], case["weights"], strict=True)):
                rows = [row for row in trace if row["layer"] == layer]
                self.assertEqual([row["expert"] for row in rows], [expert for row in ids for expert in row])
                for row, weight in zip(rows, [weight for row in weights for weight in row], strict=True):
                    self.assertAlmostEqual(row["weight"], weight, 5)
                seen += 1
        self.assertGreaterEqual(seen, 2)

    def test_refused(self):
        def check(logits, message, tokens=("a", "b"), top_k=2):
            with self.assertRaisesRegex(ValueError, message):
                Trace.from_router_logits(logits, list(tokens), top_k=top_k)

        check([], "no router logits")
        check([[[1.0, 2.0]]], "layer 0 has 1 rows, and there are 2 tokens")
        check([[[1.0, 2.0], [1.0, float("nan")]]], "not finite")
        check([[[1.0, 2.0], [1.0, 2.0]]], "top_k is 3; the gate has 2 experts", top_k=3)
        check([[[1.0], [1.0]]], "nobody says which", top_k=1)
        check([[[0.5, 0.5, 0.0], [0.25, 0.0, 0.75]]], "the weights of the chosen experts alone")

    def test_probabilities_stay_what_they_are(self):
        probs = [[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]]
        trace = Trace.from_router_logits([probs], ["a", "b"], top_k=1, normalise=False)
        self.assertEqual(trace.steps[0]["layers"][0]["gate_probs"]["values"], [0.7, 0.2, 0.1, 0.25, 0.25, 0.5])
        self.assertIn("gate_logits", trace.header["absent"])
        found = [(row["expert"], row["weight"], row["probability"], row["logit"]) for row in trace]
        self.assertEqual(found, [(0, 0.7, 0.7, None), (2, 0.5, 0.5, None)])


if __name__ == "__main__":
    unittest.main()
