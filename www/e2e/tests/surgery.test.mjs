// Changes inside the model: an expert muted, a token sent elsewhere, experts swapped, the gate bent; each runs again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** The assignments of one layer at the last step. */
const requestsOf = ({ steps }, layer) => steps.at(-1).layers[layer].routing.assignments;
const asked = (trace, layer, expert) => requestsOf(trace, layer).filter((it) => it.expert === expert).length;
const losses = ({ steps }) => steps.at(-1).tokens.map(({ loss }) => loss);
const runOf = ({ header }) => header.request.run;

/** The list of what is changed, as it stands. */
const listed = (figure) => figure.host.locator(".changes li > span").allTextContents();

test("a muted expert gets no requests; undo brings the numbers back, a link opens it again", async (t) => {
  const { page, figure, problems } = await openFigure(site, t);
  const before = await figure.finished();
  await figure.selected({});
  const { layer } = await figure.selection();
  const busiest = [0, 1, 2, 3, 4, 5, 6, 7].sort((a, b) => asked(before, layer, b) - asked(before, layer, a))[0];
  const lane = figure.panel("lanes").locator(".lane").nth(busiest);
  await lane.getByRole("button", { name: `Mute expert ${busiest}` }).click();

  const muted = await figure.finished({ after: runOf(before) });
  assert.deepEqual(muted.header.request.interventions, [{ kind: "mute", layer, expert: busiest }]);
  assert.ok(asked(before, layer, busiest) > 0 && asked(muted, layer, busiest) === 0);
  assert.notDeepEqual(losses(muted), losses(before), "the loss is another");
  await lane.filter({ hasText: "muted" }).waitFor();
  assert.match(await lane.getAttribute("aria-label"), /0 requests.*, muted$/);
  assert.deepEqual(await listed(figure), [`expert ${busiest} of layer ${layer} muted`]);
  assert.match(await figure.panel("loss").textContent(), new RegExp(`expert ${busiest} of layer ${layer} muted`));
  assert.match(await figure.panel("load").locator(".source").textContent(), /· 1 change$/);

  const text = `mute:${layer},${busiest}`;
  await page.waitForFunction((text) => location.hash.includes(encodeURIComponent(text)), text);
  await figure.button("Undo").click();
  const undone = await figure.finished({ after: runOf(muted) });
  assert.equal(undone.header.request.interventions, undefined);
  assert.deepEqual(losses(undone), losses(before));
  assert.deepEqual(requestsOf(undone, layer), requestsOf(before, layer));
  assert.deepEqual(await listed(figure), []);
  // Flip goes between the two, and the controls with it.
  await figure.button("This run").click();
  await lane.filter({ hasText: "muted" }).waitFor();
  assert.deepEqual(await listed(figure), [`expert ${busiest} of layer ${layer} muted`]);

  await page.goto(`${site.url}#v=1&interventions=${encodeURIComponent(text)}`);
  await page.reload();
  const again = await figure.finished();
  assert.deepEqual(again.header.request.interventions, muted.header.request.interventions);
  assert.deepEqual(losses(again), losses(muted));
  // What the page before was still loading is given up.
  assert.deepEqual(
    problems.filter((problem) => !problem.endsWith("net::ERR_ABORTED")),
    [],
  );
});

test("a token is sent to an expert, two experts are swapped, and each is taken back by its chip", async (t) => {
  const { figure, problems } = await openFigure(site, t);
  const before = await figure.finished();
  await figure.tokens.nth(3).click();
  await figure.selected({ token: 3 });
  const { layer } = await figure.selection();
  const firstOf = (trace) => requestsOf(trace, layer).find(({ token, rank }) => token === 3 && rank === 0).expert;
  const away = (firstOf(before) + 1) % 8;
  const part = figure.panel("token").getByRole("region", { name: "What if" });
  await part.getByRole("combobox", { name: /^Send .* to$/ }).selectOption(`E${away}`);
  const sent = await figure.finished({ after: runOf(before) });
  assert.equal(firstOf(sent), away);
  assert.deepEqual(await listed(figure), [`token 3 sent to expert ${away} in layer ${layer}`]);

  const swap = part.getByRole("combobox", { name: /^Swap E\d with$/ });
  const asking = Number((await swap.locator("xpath=..").textContent()).match(/Swap E(\d)/)[1]);
  const partner = (asking + 1) % 8;
  await swap.selectOption(`E${partner}`);
  const swapped = await figure.finished({ after: runOf(sent) });
  assert.deepEqual(swapped.header.request.interventions[1], { kind: "swap", layer, experts: [asking, partner] });
  // Who is asked stays; who computes, and so what follows, does not.
  const ofPrompt = (trace) => requestsOf(trace, 0).filter(({ token }) => token < trace.steps[0].tokens.length);
  assert.deepEqual(ofPrompt(swapped), ofPrompt(sent));
  assert.notDeepEqual(losses(swapped), losses(sent));
  await figure.panel("lanes").locator(".lane").nth(asking).getByText(`by E${partner}`).waitFor();

  await figure.button(`Take back: experts ${asking} and ${partner} of layer ${layer} swapped`).click();
  const one = await figure.finished({ after: runOf(swapped) });
  assert.deepEqual(losses(one), losses(sent));
  await figure.button("Reset all").click();
  const none = await figure.finished({ after: runOf(one) });
  assert.deepEqual(losses(none), losses(before));
  assert.deepEqual(problems, []);
});

test("a token that is dragged onto a lane asks that expert", async (t) => {
  const { figure, problems } = await openFigure(site, t);
  const before = await figure.finished();
  await figure.selected({});
  const { layer } = await figure.selection();
  const request = requestsOf(before, layer).find(({ rank, fate }) => rank === 0 && fate === "kept");
  const { token, expert, slot } = request;
  const away = (expert + 1) % 8;
  const lanes = figure.panel("lanes").locator(".lane");
  await lanes.nth(expert).locator(".slots .slot").nth(slot).dragTo(lanes.nth(away));
  const sent = await figure.finished({ after: runOf(before) });
  assert.deepEqual(sent.header.request.interventions, [{ kind: "force", layer, position: token, expert: away }]);
  assert.equal(requestsOf(sent, layer).find((it) => it.token === token && it.rank === 0).expert, away);
  assert.deepEqual(problems, []);
});

test("by keyboard: the gate is bent by sliders, with the seed's noise", async (t) => {
  const { page, figure, problems } = await openFigure(site, t);
  const before = await figure.finished();
  const gate = figure.panel("token").locator(".bend");
  await gate.locator("summary").focus();
  await page.keyboard.press("Enter");
  const noise = gate.getByRole("slider", { name: "Gate noise" });
  await noise.focus();
  await page.keyboard.press("End");
  const noisy = await figure.finished({ after: runOf(before) });
  assert.deepEqual(noisy.header.request.interventions, [{ kind: "gate_noise", layer: null, deviation: 2 }]);
  assert.notDeepEqual(losses(noisy), losses(before));
  await page.keyboard.press("Home");
  const calm = await figure.finished({ after: runOf(noisy) });
  assert.deepEqual(losses(calm), losses(before), "no noise is no change");
  assert.equal(await noise.getAttribute("aria-valuetext"), "0.00");
  assert.deepEqual(problems, []);
});

test("what the engine refuses is told in its words, and nothing is lost", async (t) => {
  const { figure } = await openFigure(site, t, { attributes: { interventions: "mute:0,1 force:0,2,1" } });
  const words = await figure.told("The model cannot be changed like that.");
  assert.match(words, /token 2 is forced to expert 1 of layer 0, which is muted/);
  assert.match(words, /Take that change back, or choose another rule\./);
  assert.equal(await figure.panel("strip").locator(".source").textContent(), "recorded", "the run before stays");
  assert.equal((await listed(figure)).length, 2);
  await figure.button("Take back: token 2 sent to expert 1 in layer 0").click();
  const muted = await figure.finished();
  assert.equal(asked(muted, 0, 1), 0);
});

test("a figure has it by controls=surgery, and a bad text says how it would be right", async (t) => {
  const { figure } = await openFigure(site, t, {
    attributes: { view: "lanes", controls: "surgery", interventions: "mute:1", activate: "auto" },
  });
  const words = await figure.told("interventions");
  assert.match(words, /“mute:1” does not say a layer and an expert; write it like mute:1,3\./);
  const before = await figure.step(0).then(() => figure.trace());
  const part = figure.host.locator(".figure-bar").getByRole("region", { name: "What if" });
  await part.getByRole("button", { name: /^Mute E\d$/ }).click();
  const { run } = await figure.step(0, { after: runOf(before) });
  const now = await figure.trace();
  assert.equal(runOf(now), run);
  assert.equal(now.header.request.interventions.length, 1);
  assert.match(await figure.host.locator(".figure-foot").textContent(), /· 1 change/);
  await part.getByRole("button", { name: "Undo" }).waitFor();
});
