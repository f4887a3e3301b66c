"""A trace is read as the page reads it, written losslessly, and is a table."""

import unittest
from pathlib import Path

import pandas
from moe_playground import Trace
from moe_playground.trace import COLUMNS

SHIPPED = Path(__file__).parents[3] / "site/traces/default.jsonl"


class Traces(unittest.TestCase):
    def test_the_shipped_run_is_whole_at_every_step(self):
        trace = Trace.read(SHIPPED)
        self.assertEqual(len(trace.steps), trace.header["request"]["max_new_tokens"] + 1)
        num_layers, num_experts = trace.header["model"]["num_layers"], trace.header["model"]["num_experts"]
        for before, now in zip(trace.steps, trace.steps[1:]):
            self.assertEqual(len(now["tokens"]), len(before["tokens"]) + 1)
            self.assertEqual(now["tokens"][-1]["id"], before["next"]["chosen"]["id"])
            self.assertEqual(len(now["layers"]), num_layers)
            for layer in now["layers"]:
                self.assertEqual(layer["routing"]["num_tokens"], len(now["tokens"]))
                self.assertEqual(len(layer["gate_logits"]["values"]), len(now["tokens"]) * num_experts)
                tokens = {request["token"] for request in layer["routing"]["assignments"]}
                self.assertEqual(tokens, set(range(len(now["tokens"]))))

    def test_written_is_read(self):
        trace = Trace.read(SHIPPED)
        self.assertEqual(Trace.from_text(trace.to_text()), trace)

    def test_it_is_a_table(self):
        trace = Trace.read(SHIPPED)
        table = pandas.DataFrame(trace)
        self.assertEqual(tuple(table.columns), COLUMNS)
        requests = [layer["routing"]["assignments"] for step in trace.steps for layer in step["layers"]]
        self.assertEqual(len(table), sum(map(len, requests)))
        last = pandas.DataFrame(trace.rows(-1))
        self.assertEqual(set(last["step"]), {len(trace.steps) - 1})
        # What the recorded run computed in 32 bits.
        self.assertTrue(((table["score"] - table["probability"]).abs() < 1e-5).all())
        self.assertEqual(set(table["fate"]), {"kept", "lost"})

    def test_what_is_no_trace(self):
        for text in ["", '{"schema_version":2}']:
            with self.assertRaisesRegex(ValueError, "a header line, and a line for each step"):
                Trace.from_text(text)


if __name__ == "__main__":
    unittest.main()
