// An article in React whose text follows its figure: properties go in, events come out.

import { MoePlayground } from "moe-playground";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import "./article.css";

// Where `moe-playground copy` put the element's files, relative to the page.
MoePlayground.assets = "moe-playground/assets/";

const PROMPT = "The cat sat on the mat, and the dog lay down beside her.";

/** How the newest step went: its requests, in all layers together, and how many of them were turned away. */
function outcome({ run, layers }) {
  const requests = layers.flatMap(({ routing }) => routing.assignments);
  const lost = requests.filter(({ fate }) => fate === "lost").length;
  return { isLive: run > 0, requests: requests.length, lost };
}

function Article() {
  const [factor, setFactor] = useState(1);
  const [step, setStep] = useState(null);
  const [problem, setProblem] = useState(null);
  return (
    <>
      <h1>How much room do experts need?</h1>
      <p>
        Each token asks two of a layer’s eight experts. If all were asked equally often, an even share of slots would be
        enough for everybody. They are not. Give the experts more room, or less, and see what it costs.
      </p>
      <p>
        <label>
          Room, in even shares:{" "}
          <input
            type="range"
            min="0.5"
            max="2"
            step="0.25"
            value={factor}
            onChange={({ target }) => setFactor(Number(target.value))}
          />{" "}
          {factor}
        </label>
      </p>
      <moe-playground
        view="lanes"
        controls="none"
        prompt={PROMPT}
        maxTokens={0}
        capacityFactor={factor}
        onmoe-step={({ detail }) => setStep(outcome(detail))}
        onmoe-error={({ detail }) => setProblem(`${detail.what} ${detail.why}`)}
      >
        <p>Figure: each expert’s slots, and the requests that found none.</p>
      </moe-playground>
      <p>
        <output>
          {step === null
            ? "The figure is on its way."
            : `Of ${step.requests} requests ${step.lost} were turned away (${step.isLive ? "live" : "recorded"}).`}
        </output>{" "}
        {problem}
      </p>
      <p>
        The figure shows one layer, the sentence above counts all four. Even with twice an even share somebody may be
        turned away: what a sentence is about decides whom its tokens ask, and this one is about a cat.
      </p>
    </>
  );
}

createRoot(document.querySelector("main")).render(<Article />);
