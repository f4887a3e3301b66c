// One engine for all figures of a page that ask for the same: weights are in memory once, and one run follows another.
//
// Each figure speaks to a port as it would to a worker of its own. What an engine is follows from the first command, which
// loads a model; who says the same joins the worker that is there, and hears what the others heard. Runs take turns: each
// figure has one that waits at most, the first to come is the first to go, and runs for comparisons go last, and give way.
// Figures number their runs from 1, so the worker is told other numbers. Who was at work when an engine died may do it again,
// and shares none any more.

/** @typedef {{ port: Port, run: number, id: number, command: any, isPatient: boolean }} Job */

const stopped = (run) => ({ finished: { run, reason: "stopped" } });

export class Engines {
  #start;
  /**
   * By script and first command. Only what who comes now may join.
   *
   * @type {Map<string, Engine>}
   */
  #engines = new Map();
  /**
   * Figures whose runs an engine did not survive.
   *
   * @type {WeakSet<object>}
   */
  #alone = new WeakSet();

  /** @param {(url: string) => Worker} start */
  constructor(start) {
    this.#start = start;
  }

  /**
   * A port for this figure to the engine that this first command makes; the command is sent by this. Throws where there are
   * no workers.
   *
   * @param {string} url
   * @param {object} first
   * @param {object} figure
   */
  connect(url, first, figure) {
    const key = `${url} ${JSON.stringify(first)}`;
    const isAlone = this.#alone.has(figure);
    let engine = isAlone ? undefined : this.#engines.get(key);
    if (!engine) {
      engine = new Engine(this.#start(url), (culprit) => {
        if (this.#engines.get(key) === engine) this.#engines.delete(key);
        if (culprit) this.#alone.add(culprit);
      });
      if (!isAlone) this.#engines.set(key, engine);
      engine.worker.postMessage(first);
    }
    return new Port(engine, figure);
  }
}

/** What a figure has of an engine: it looks like a worker. */
class Port {
  #engine;
  figure;
  /** @type {((event: { data: any }) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  /** Is what is posted now in no hurry? */
  isPatient = false;

  /**
   * @param {Engine} engine
   * @param {object} figure
   */
  constructor(engine, figure) {
    this.#engine = engine;
    this.figure = figure;
    engine.join(this);
  }

  postMessage(command) {
    this.#engine.take(this, command, this.isPatient);
  }

  /** This figure needs it no more. */
  terminate() {
    this.#engine.leave(this);
  }

  /** It has not answered for too long, which these sentences say: nobody can expect anything of it. */
  lost(error) {
    this.#engine.lose(this, error);
  }

  hear(data) {
    this.onmessage?.({ data });
  }

  /** Once who said something has said it. */
  hearSoon(data) {
    queueMicrotask(() => this.hear(data));
  }
}

/**
 * What a worker says: one event as an object, or of steps, which come often, several as the text of their list in JSON. What
 * cannot be read stays as it is.
 *
 * @param {any} data
 * @returns {any[]}
 */
function events(data) {
  try {
    return typeof data === "string" ? JSON.parse(data) : [data];
  } catch {
    return [data];
  }
}

class Engine {
  worker;
  /** @type {(culprit?: object) => void} */
  #forget;
  /** @type {Set<Port>} */
  #ports = new Set();
  /** What who joins later has to hear, by its kind. */
  #said = new Map();
  /**
   * What the worker was told to do, of which the last counts; the others come to their end.
   *
   * @type {Job[]}
   */
  #atWork = [];
  /**
   * In the order of their turns.
   *
   * @type {Job[]}
   */
  #waiting = [];
  /** Who asked how many tokens a text has. */
  #counting = new Map();
  #lastId = 0;

  constructor(worker, forget) {
    this.worker = worker;
    this.#forget = forget;
    worker.onmessage = ({ data }) => {
      for (const event of events(data)) this.#hear(event);
    };
    worker.onerror = (event) => {
      this.#die();
      for (const port of [...this.#ports]) port.onerror?.(event);
    };
  }

  join(port) {
    this.#ports.add(port);
    for (const data of this.#said.values()) port.hearSoon(data);
  }

  leave(port) {
    if (!this.#ports.delete(port)) return;
    port.onmessage = port.onerror = null;
    this.#waiting = this.#waiting.filter((job) => job.port !== port);
    if (this.#ports.size === 0) {
      this.#end();
    } else {
      this.#stop((job) => job.port === port);
    }
  }

  lose(port, error) {
    const others = [...this.#ports].filter((other) => other !== port);
    this.#die();
    this.#end();
    for (const other of others) other.hearSoon({ failed: { run: null, error, fatal: true } });
  }

  /** Nobody joins it any more. Who was at work may be why. */
  #die() {
    this.#forget(this.#atWork.at(-1)?.port.figure);
  }

  #end() {
    this.#forget();
    this.#waiting = [];
    this.worker.onmessage = this.worker.onerror = null;
    this.worker.terminate();
  }

  take(port, command, isPatient) {
    if (typeof command === "string") {
      // It asks for nothing but itself.
      this.worker.postMessage(command);
    } else if (command.run || command.route_then) {
      this.#ask(port, command, isPatient);
    } else if ("stop" in command) {
      this.#stopRun(port, command.stop);
    } else {
      if ("count" in command) this.#counting.set(command.count, [...(this.#counting.get(command.count) ?? []), port]);
      this.worker.postMessage(command);
    }
  }

  /** A figure has one job: another one takes its place. */
  #ask(port, command, isPatient) {
    const [kind] = Object.keys(command);
    const { run } = command[kind];
    const job = { port, run, id: ++this.#lastId, command, isPatient };
    const at = this.#waiting.findIndex((waiting) => waiting.port === port);
    if (at >= 0) {
      const [before] = this.#waiting.splice(at, 1, job);
      port.hearSoon(stopped(before.run));
    } else {
      this.#waiting.push(job);
    }
    const current = this.#atWork.at(-1);
    const isNext = this.#next() === job;
    // A figure may replace its own run at once, unless somebody else is waiting for it to end.
    if (!current || (current.port === port && isNext)) this.#goOn();
    else if (current.port === port || (current.isPatient && !isPatient)) this.#stop((job) => job === current);
  }

  /** Whose turn it is. */
  #next() {
    return this.#waiting.find((job) => !job.isPatient) ?? this.#waiting[0];
  }

  #goOn() {
    const job = this.#next();
    if (!job) return;
    this.#waiting.splice(this.#waiting.indexOf(job), 1);
    this.#atWork.push(job);
    const [kind] = Object.keys(job.command);
    this.worker.postMessage({ [kind]: { ...job.command[kind], run: job.id } });
  }

  #stopRun(port, run) {
    const isIt = (job) => job.port === port && job.run === run;
    const at = this.#waiting.findIndex(isIt);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      port.hearSoon(stopped(run));
    } else {
      this.#stop(isIt);
    }
  }

  /** Those at work that are meant come to their end before their next step. */
  #stop(isMeant) {
    for (const { id } of this.#atWork.filter(isMeant)) this.worker.postMessage({ stop: id });
  }

  #hear(data) {
    const [kind] = data instanceof Object ? Object.keys(data) : [];
    const said = data?.[kind];
    // Nobody who waits for a turn is left without a sign of life.
    for (const { port } of this.#waiting) port.hear(undefined);
    const of = kind === "step" ? said.trace : said;
    const job = this.#atWork.find(({ id }) => id === of?.run);
    if (!(of instanceof Object)) {
      // Each says what it makes of it, and begins anew.
      this.#die();
      for (const port of [...this.#ports]) port.hear(data ?? null);
    } else if (
      kind === "step" ||
      kind === "finished" ||
      kind === "routed_then" ||
      (kind === "failed" && of.run !== null)
    ) {
      if (job) this.#hearOf(job, kind, data, of);
    } else if (kind === "counted") {
      for (const port of this.#counting.get(said.text) ?? []) port.hear(data);
      this.#counting.delete(said.text);
    } else {
      this.#hearAll(kind, data);
    }
  }

  /** Of a run: in the figure's own number, to that figure alone. Whatever is not a step ends it. */
  #hearOf(job, kind, data, of) {
    of.run = job.run;
    if (kind === "failed" && of.fatal) {
      this.#die();
      return this.#hearAll(kind, data, job.port);
    }
    if (kind !== "step") this.#atWork.splice(this.#atWork.indexOf(job), 1);
    if (this.#ports.has(job.port)) job.port.hear(data);
    if (this.#atWork.length === 0) this.#goOn();
  }

  /** Of the engine. What ends it is for those who are here; who comes later has another one. */
  #hearAll(kind, data, ownerOfRun = null) {
    const isEnd = kind === "unstartable" || (kind === "failed" && (data.failed.fatal || !this.#said.has("ready")));
    if (isEnd) this.#die();
    else if (kind !== "failed") this.#said.set(kind === "progress" ? `${kind} ${data.progress.part}` : kind, data);
    if (kind === "ready") for (const key of this.#said.keys()) if (key.startsWith("progress")) this.#said.delete(key);
    for (const port of [...this.#ports]) {
      const isOfAnother = ownerOfRun !== null && port !== ownerOfRun;
      port.hear(isOfAnother ? { failed: { ...data.failed, run: null } } : data);
    }
  }
}
