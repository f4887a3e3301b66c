// The element's queue of engines, without a browser: who joins which worker, whose turn it is, and what becomes of the others
// when one stops, leaves, or the worker dies.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Engines } from "../../packages/moe-playground/src/engines.js";

const LOAD = { load: { manifest_url: "https://models.example/tiny/manifest.json", backend: "auto" } };
const READY = { ready: { model: { name: "tiny" }, backend: { rung: "cpu" } } };

/** Engines whose workers write down what they are told. */
function engines() {
  const workers = [];
  const start = (url) => {
    const worker = {
      url,
      told: [],
      isOver: false,
      postMessage: (command) => worker.told.push(command),
      terminate: () => (worker.isOver = true),
      say: (data) => worker.onmessage({ data }),
    };
    workers.push(worker);
    return worker;
  };
  return { engines: new Engines(/** @type {any} */ (start)), workers };
}

/** A figure that writes down what it hears; signs of life are `undefined`. */
function figure(engines, first = LOAD) {
  const [it, heard] = [{}, []];
  const joined = () => {
    const port = engines.connect("worker.js", first, it);
    port.onmessage = ({ data }) => heard.push(data);
    port.onerror = (event) => heard.push(event);
    return port;
  };
  let port = joined();
  const run = (number, { isPatient = false } = {}) => {
    port.isPatient = isPatient;
    port.postMessage({ run: { run: number, prompt: "Once" } });
  };
  const count = (text) => port.postMessage({ count: text });
  const leave = () => port.terminate();
  const again = () => {
    leave();
    port = joined();
  };
  const lost = (error) => port.lost(error);
  const tell = (command) => port.postMessage(command);
  return { tell, heard, run, stop: (run) => port.postMessage({ stop: run }), count, leave, again, lost };
}

/** The runs that a worker was told to begin, by its own numbers. */
const begun = (worker) => worker.told.flatMap(({ run }) => (run ? [run.run] : []));
const stops = (worker) => worker.told.flatMap(({ stop }) => (stop === undefined ? [] : [stop]));
const finish = (worker, run, reason = "length") => worker.say({ finished: { run, reason } });
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("who asks for the same has one worker, and who comes later hears what the others heard", async () => {
  const { engines: all, workers } = engines();
  const one = figure(all);
  const progress = { progress: { part: "model", loaded_bytes: 1, total_bytes: 2 } };
  workers[0].say(progress);
  const two = figure(all);
  await settled();
  assert.deepEqual([one.heard, two.heard], [[progress], [progress]]);
  workers[0].say(READY);
  const three = figure(all);
  const other = figure(all, { load: { ...LOAD.load, backend: "webgpu" } });
  await settled();
  assert.deepEqual([one.heard.at(-1), two.heard.at(-1), three.heard], [READY, READY, [READY]]);
  assert.deepEqual(other.heard, []);
  assert.equal(workers.length, 2);
  assert.deepEqual(workers[0].told, [LOAD], "it loads once");
});

test("runs take turns, each in the numbers of its figure", () => {
  const { engines: all, workers } = engines();
  const [one, two, three] = [figure(all), figure(all), figure(all)];
  one.run(1);
  two.run(1);
  three.run(1);
  assert.deepEqual(begun(workers[0]), [1], "one at a time");
  const step = { step: { trace: { run: 1, step: 0 }, elapsed_ms: 1 } };
  workers[0].say(step);
  assert.deepEqual(one.heard, [{ step: { trace: { run: 1, step: 0 }, elapsed_ms: 1 } }]);
  assert.deepEqual([two.heard, three.heard], [[undefined], [undefined]], "a sign of life for those who wait");
  // Before its turn is over the first asks for another one: that comes after those of the others.
  one.run(2);
  assert.deepEqual(stops(workers[0]), [1]);
  finish(workers[0], 1, "stopped");
  assert.deepEqual(begun(workers[0]), [1, 2]);
  finish(workers[0], 2);
  finish(workers[0], 3);
  finish(workers[0], 4);
  assert.deepEqual(begun(workers[0]), [1, 2, 3, 4]);
  const ended = ({ heard }) => heard.flatMap((data) => (data?.finished ? [data.finished] : []));
  assert.deepEqual(ended(one), [
    { run: 1, reason: "stopped" },
    { run: 2, reason: "length" },
  ]);
  assert.deepEqual([ended(two), ended(three)], [[{ run: 1, reason: "length" }], [{ run: 1, reason: "length" }]]);
});

test("a figure alone replaces its run at once, as with a worker of its own", () => {
  const { engines: all, workers } = engines();
  const one = figure(all);
  one.run(1);
  one.run(2);
  assert.deepEqual([begun(workers[0]), stops(workers[0])], [[1, 2], []]);
  finish(workers[0], 1, "stopped");
  finish(workers[0], 2);
  assert.deepEqual(
    one.heard.map(({ finished }) => finished.run),
    [1, 2],
  );
});

test("stopping ends the figure's own run, also one that waits", async () => {
  const { engines: all, workers } = engines();
  const [one, two] = [figure(all), figure(all)];
  one.run(1);
  two.run(1);
  two.stop(1);
  await settled();
  assert.deepEqual(two.heard, [{ finished: { run: 1, reason: "stopped" } }]);
  assert.deepEqual(stops(workers[0]), [], "the other's goes on");
  one.stop(1);
  assert.deepEqual(stops(workers[0]), [1]);
});

test("a comparison gives way to another figure's run, and comes after it", () => {
  const { engines: all, workers } = engines();
  const [one, two, three] = [figure(all), figure(all), figure(all)];
  one.run(1, { isPatient: true });
  three.run(1, { isPatient: true });
  two.run(1);
  assert.deepEqual(stops(workers[0]), [1]);
  finish(workers[0], 1, "stopped");
  one.run(2, { isPatient: true });
  assert.equal(workers[0].told.at(-1).run.run, 3, "the run of the second figure");
  finish(workers[0], 3);
  finish(workers[0], 2);
  assert.deepEqual(begun(workers[0]), [1, 3, 2, 4]);
});

test("who leaves gives the place back, and the last one ends the worker", () => {
  const { engines: all, workers } = engines();
  const [one, two, three] = [figure(all), figure(all), figure(all)];
  one.run(1);
  two.run(1);
  three.run(1);
  two.leave();
  one.leave();
  assert.deepEqual(stops(workers[0]), [1]);
  finish(workers[0], 1, "stopped");
  assert.deepEqual(begun(workers[0]), [1, 3], "the run of the second figure never began");
  assert.deepEqual([one.heard, two.heard.filter((data) => data)], [[], []]);
  assert.equal(workers[0].isOver, false);
  three.leave();
  assert.equal(workers[0].isOver, true);
  figure(all);
  assert.equal(workers.length, 2, "and the next one has another");
});

test("a worker that dies is told to all, and started again once; who was at work has one alone", async () => {
  const { engines: all, workers } = engines();
  const [one, two, three] = [figure(all), figure(all), figure(all)];
  workers[0].say(READY);
  one.run(4);
  const error = { what: "The engine stopped working.", why: "", try_this: "" };
  workers[0].say({ failed: { run: 1, error, fatal: true } });
  assert.deepEqual(one.heard.at(-1), { failed: { run: 4, error, fatal: true } });
  for (const { heard } of [two, three]) assert.deepEqual(heard.at(-1), { failed: { run: null, error, fatal: true } });
  for (const figure of [one, two, three]) figure.again();
  assert.deepEqual(
    workers.map(({ isOver }) => isOver),
    [true, false, false],
  );

  // It dies of the same again, and the others do not notice.
  const heard = two.heard.length;
  one.run(5);
  workers[1].say({ failed: { run: 1, error, fatal: true } });
  one.again();
  assert.deepEqual(
    workers.map(({ isOver }) => isOver),
    [true, true, false, false],
  );
  assert.equal(two.heard.length, heard);

  // One of the others says that nothing has come for too long.
  two.lost(error);
  await settled();
  assert.deepEqual(three.heard.at(-1), { failed: { run: null, error, fatal: true } });
  assert.equal(workers[2].isOver, true);
  two.again();
  three.again();
  assert.equal(workers.length, 5, "nobody was at work, so they share the next one");
});

test("what is no event is told to all, and nobody joins who said it", () => {
  const { engines: all, workers } = engines();
  const [one, two] = [figure(all), figure(all)];
  for (const nonsense of [null, "text", {}, { step: 3 }, { ready: null }]) {
    workers[0].say(nonsense);
    assert.deepEqual([one.heard.at(-1), two.heard.at(-1)], [nonsense, nonsense]);
  }
  figure(all);
  assert.equal(workers.length, 2);
});

test("what is counted is told to who asked", () => {
  const { engines: all, workers } = engines();
  const [one, two] = [figure(all), figure(all)];
  two.count("Once upon");
  assert.deepEqual(workers[0].told.at(-1), { count: "Once upon" });
  workers[0].say({ counted: { text: "Once upon", num_tokens: 2 } });
  assert.deepEqual([one.heard, two.heard], [[], [{ counted: { text: "Once upon", num_tokens: 2 } }]]);
});

test("a run that fails is told to its figure alone, and the next one begins", () => {
  const { engines: all, workers } = engines();
  const [one, two] = [figure(all), figure(all)];
  workers[0].say(READY);
  one.run(7);
  two.run(1);
  const error = { what: "This run did not start.", why: "", try_this: "" };
  workers[0].say({ failed: { run: 1, error, fatal: false } });
  assert.deepEqual(one.heard.at(-1), { failed: { run: 7, error, fatal: false } });
  assert.deepEqual(begun(workers[0]), [1, 2]);
  assert.equal(figure(all) && workers.length, 1, "the engine is as it was");
});

test("what asks for nothing but itself reaches the worker, and steps that come as one text arrive one by one", () => {
  const { engines: all, workers } = engines();
  const [one, other] = [figure(all), figure(all)];
  one.tell("remove_kept");
  assert.deepEqual(workers[0].told, [LOAD, "remove_kept"]);
  one.run(5);
  const [id] = begun(workers[0]);
  const step = (number) => ({ step: { trace: { run: id, step: number } } });
  workers[0].say(JSON.stringify([step(0), step(1)]));
  assert.deepEqual(
    one.heard.map(({ step }) => [step.trace.run, step.trace.step]),
    [
      [5, 0],
      [5, 1],
    ],
  );
  assert.deepEqual(other.heard, []);
  // What is no text of a list is handed on as it is; who hears it says what it makes of it.
  workers[0].say("out of memory");
  assert.deepEqual([one.heard.at(-1), other.heard.at(-1)], ["out of memory", "out of memory"]);
});
