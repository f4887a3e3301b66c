"""The widget's traits are the element's attributes, and messages of its front end arrive in them."""

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import traitlets
from moe_playground import MoEPlayground, Trace

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "site/traces/default.jsonl"


def attributes():
    """The element's, with their types."""
    manifest = json.loads((ROOT / "packages/moe-playground/custom-elements.json").read_text())
    (element,) = manifest["modules"][0]["declarations"]
    return {attribute["name"]: attribute["type"]["text"] for attribute in element["attributes"]}


class Widget(unittest.TestCase):
    def test_every_attribute_is_a_trait(self):
        known = {attribute: is_number for attribute, is_number in MoEPlayground()._attributes.values()}
        expected = {name: "number" in kind for name, kind in attributes().items() if name != "trace"}
        self.assertEqual(known, expected)
        self.assertIn("trace", attributes())

    def test_traits_are_sent(self):
        figure = MoEPlayground(prompt="The cat", view="strip lanes", capacity_factor=0.75)
        state = figure.get_state()
        self.assertEqual((state["prompt"], state["view"], state["capacity_factor"]), ("The cat", "strip lanes", 0.75))
        self.assertEqual(state["_attributes"]["capacity_factor"], ["capacity-factor", True])
        with self.assertRaises(traitlets.TraitError):
            figure.capacity_factor = "much"

    def test_what_the_reader_changes_arrives(self):
        figure = MoEPlayground()
        seen = []
        figure.observe(lambda change: seen.append(change["new"]), "capacity_factor")
        figure.set_state({"capacity_factor": 0.5, "token": 3, "source": "live_cpu"})
        self.assertEqual((figure.capacity_factor, figure.token, figure.source), (0.5, 3, "live_cpu"))
        self.assertEqual(seen, [0.5])

    def test_the_run_on_the_screen_arrives_and_is_not_sent_back(self):
        figure = MoEPlayground()
        figure._on_message(figure, {"type": "trace", "text": SHIPPED.read_text()}, [])
        self.assertEqual(figure.trace, Trace.read(SHIPPED))
        self.assertEqual(figure._shown, "")
        self.assertIsNone(figure.backend)

    def test_a_trace_of_python_is_shown_without_a_model(self):
        trace = Trace.from_router_logits([[[2.0, 0.0, 1.0]]], ["The"], top_k=2)
        figure = MoEPlayground(trace=trace)
        self.assertEqual(Trace.from_text(figure._shown), trace)
        self.assertEqual(figure.backend, "recorded")
        self.assertEqual(MoEPlayground(trace=trace, backend="cpu").backend, "cpu")

    def test_traces_by_path_and_address(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.jsonl"
            Trace.read(SHIPPED).write(path)
            self.assertEqual(MoEPlayground(trace=path).trace, Trace.read(SHIPPED))
        self.assertEqual(MoEPlayground(trace="https://example.org/run.jsonl")._shown, "https://example.org/run.jsonl")
        with self.assertRaisesRegex(traitlets.TraitError, "not a int"):
            MoEPlayground(trace=7)

    def test_the_address_of_the_element(self):
        version = json.loads((ROOT / "packages/moe-playground/package.json").read_text())["version"]
        with mock.patch.dict(os.environ):
            os.environ.pop("MOE_PLAYGROUND_SRC", None)
            self.assertIn(f"/moe-playground@{version}/assets/element.js", MoEPlayground().src)
            os.environ["MOE_PLAYGROUND_SRC"] = "http://localhost/assets/element.js"
            self.assertEqual(MoEPlayground().src, "http://localhost/assets/element.js")

    def test_methods_are_messages(self):
        figure = MoEPlayground()
        with mock.patch.object(figure, "send") as send:
            figure.run("Hello")
            figure.seek(token=3)
        sent = [call.args[0] for call in send.call_args_list]
        self.assertEqual(sent[0], {"type": "call", "method": "run", "values": ["Hello"]})
        self.assertEqual(sent[1], {"type": "call", "method": "seek", "values": [{"token": 3}]})


if __name__ == "__main__":
    unittest.main()
