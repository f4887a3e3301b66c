"""The widget: the attributes of ``<moe-playground>`` as traits, synchronised both ways.

Its front end (``widget.js``) is small: the element itself is loaded from the address ``src``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .trace import Trace

#: The element of the version that this package goes with. A class without a network serves its own (``npx
#: moe-playground``) and says so in the environment.
DEFAULT_SRC = "https://cdn.jsdelivr.net/npm/moe-playground@0.1.0/assets/element.js"


def _text(words: str) -> traitlets.Unicode:
    return traitlets.Unicode(None, allow_none=True, help=words).tag(sync=True, attribute=True)


def _count(words: str) -> traitlets.Int:
    return traitlets.Int(None, allow_none=True, help=words).tag(sync=True, attribute=True)


def _number(words: str) -> traitlets.Float:
    return traitlets.Float(None, allow_none=True, help=words).tag(sync=True, attribute=True)


class MoEPlayground(anywidget.AnyWidget):
    """A figure of a Mixture-of-Experts model at work, or of a recorded run.

    Every attribute of the element is a trait, ``capacity-factor`` as ``capacity_factor`` (and ``keys``, which widgets
    have already, as ``keys_``); ``None`` is its default. What a reader changes in the figure is in the traits too.
    docs/EMBEDDING.md says what each does. A value that cannot be used is in ``error``.
    """

    _esm = Path(__file__).parent / "widget.js"
    # Outputs cut off what is beyond their edges, such as the outline of a figure's last button.
    _css = ".moe-playground-widget { display: flow-root; margin: 8px 0; }"

    src = traitlets.Unicode(help="The address of the element's script.").tag(sync=True)

    view = _text("Panels with blanks between their names, or `full`.")
    depth = _text("`story`, `inspect` or `lab`; of the whole page.")
    controls = _text("What readers may change, with blanks between; `none`.")
    loading = _text("`lazy` or `eager`.")
    model = _text("A model beside the element's files, or an address.")
    prompt = _text("The text to begin with.")
    seed = _count("Of sampling and random routing.")
    max_tokens = _count("Tokens that the model writes at most.")
    temperature = _number("Of sampling; 0 takes the most probable token.")
    sampling_top_k = _count("The next token is one of so many.")
    sampling_top_p = _number("The next token is one of so much probability.")
    capacity_factor = _number("Slots per expert, as a multiple of an even share.")
    policy = _text("What happens when an expert is full.")
    router = _text("The routing rule.")
    method = _text("What the panel `methods` tries.")
    interventions = _text("What is changed inside the model.")
    group = _text("`this-text` or `decode-step`.")
    against = _text("What the run is compared with: the settings that differ, with semicolons between.")
    batch = _text("The texts that the panel `batch` runs in step, one a line.")
    lab_factor = _number("The capacity factor of the policy lab.")
    step = _count("The step to look at, from 0.")
    layer = _count("The layer to look at, from 0.")
    token = _count("The token to look at, from 0.")
    expert = _count("The expert to look at, from 0.")
    moment = _count("The moment of the training that the time machine shows, from 0.")
    experiment = _text("What the training lab trains.")
    microscope = _text("The open step of the microscope.")
    lesson = _text("A lesson to go through.")
    backend = _text("What to run on; `recorded` loads no engine.")
    activate = _text("When the engine may start.")
    keys_ = _text("The attribute `keys`: `on` or `off`.")
    theme = _text("`auto`, `light` or `dark`.")
    lang = _text("The language of the page's sentences: `auto`, `en` or `zh`.")

    trace = traitlets.Any(
        None, help="The run on the screen, a `Trace`. One to show: a `Trace`, a file of JSON lines, or an address."
    )
    source = traitlets.Unicode(
        None, allow_none=True, help="Where the numbers come from: `live_gpu`, `live_cpu`, `recorded` or `imported`."
    ).tag(sync=True)
    error = traitlets.Dict(
        None, allow_none=True, help="What went wrong last, in three sentences: `what`, `why`, `try_this`."
    ).tag(sync=True)

    #: The trace to show: an address or JSON lines.
    _shown = traitlets.Unicode("").tag(sync=True)
    #: For the front end: of each trait that is an attribute its name, and whether it is a number.
    _attributes = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any):
        traits.setdefault("src", os.environ.get("MOE_PLAYGROUND_SRC", DEFAULT_SRC))
        self._is_told = False
        super().__init__(**traits)
        self._attributes = {
            name: [name.rstrip("_").replace("_", "-"), not isinstance(trait, traitlets.Unicode)]
            for name, trait in self.traits(attribute=True).items()
        }
        self.on_msg(self._on_message)

    def run(self, prompt: str | None = None) -> None:
        """Runs the model, on this prompt or on the one that stands; the run is in ``trace`` when it has ended."""
        self._call("run", *([] if prompt is None else [prompt]))

    def stop(self) -> None:
        """Stops the run before its next step."""
        self._call("stop")

    def seek(self, **place: int) -> None:
        """Goes to a place of the run: any of ``step``, ``layer``, ``token``, ``expert``, from 0."""
        self._call("seek", place)

    def _call(self, method: str, *values: Any) -> None:
        self.send({"type": "call", "method": method, "values": list(values)})

    @traitlets.validate("trace")
    def _checked(self, proposal: Any) -> Trace | str | None:
        value = proposal["value"]
        if isinstance(value, Path):
            return Trace.read(value)
        if value is None or isinstance(value, (Trace, str)):
            return value
        raise traitlets.TraitError(f"trace is a Trace, a path, an address or None, not a {type(value).__name__}")

    @traitlets.observe("trace")
    def _show(self, change: Any) -> None:
        if self._is_told:
            return
        trace = change["new"]
        if isinstance(trace, Trace) and self.backend is None:
            # It is looked at; no model runs in its place.
            self.backend = "recorded"
        self._shown = trace.to_text() if isinstance(trace, Trace) else trace or ""

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """The front end tells the run that is on its screen."""
        if content.get("type") != "trace":
            return
        self._is_told = True
        try:
            self.trace = Trace.from_text(content["text"])
        finally:
            self._is_told = False
