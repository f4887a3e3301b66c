// The custom element's contract: what index.d.ts promises to pages that embed it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { elementState } from "../lib/browser.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const ELEMENT = "moe-playground";

test("the page mounts without a complaint", async (t) => {
  const { page, problems } = await site.open(t);
  assert.equal(await elementState(page), "mounted");
  assert.deepEqual(problems, []);
});

test("the element has an open shadow root and its three methods", async (t) => {
  const { page } = await site.open(t);
  await elementState(page);
  const element = await page.evaluate((name) => {
    const it = document.querySelector(name);
    const methods = ["run", "stop", "getTrace"].filter((method) => typeof it[method] === "function");
    return {
      defined: it.matches(":defined"),
      open: it.shadowRoot?.mode,
      drawn: it.shadowRoot.querySelector("#root").childElementCount,
      methods,
    };
  }, ELEMENT);
  assert.deepEqual(
    { ...element, drawn: element.drawn > 0 },
    {
      defined: true,
      open: "open",
      drawn: true,
      methods: ["run", "stop", "getTrace"],
    },
  );
});

test("every attribute is a property, whether it is set before the element is defined or after", async (t) => {
  const { page } = await site.open(t, "examples/two.html", {
    prepare: (page) =>
      page.addInitScript((name) => {
        const early = Object.assign(document.createElement(name), { maxTokens: 9, backend: "recorded" });
        addEventListener("load", () => document.body.append(early));
      }, ELEMENT),
  });
  const early = page.locator(`body > ${ELEMENT}`);
  await early.and(page.locator("[data-state]")).waitFor({ state: "attached" });
  assert.deepEqual([await early.getAttribute("max-tokens"), await early.getAttribute("backend")], ["9", "recorded"]);
  const wrong = await page.evaluate((name) => {
    const it = document.createElement(name);
    const names = Reflect.get(customElements.get(name) ?? {}, "observedAttributes");
    // `lang` is HTML's own, for every element.
    const ours = names.filter((attribute) => attribute !== "lang");
    return ours.filter((attribute) => {
      const property = attribute.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      const absent = it[property];
      it[property] = 7;
      const set = [it.getAttribute(attribute), it[property]];
      it[property] = null;
      return absent !== null || set.some((value) => value !== "7") || it.hasAttribute(attribute);
    });
  }, ELEMENT);
  assert.deepEqual(wrong, []);
});

/** First paints: one that is drawn into a declarative shadow root, and what stands between the tags. */
const FIRST_PAINTS = {
  drawn: { path: "", selector: `${ELEMENT} #root > [inert]`, element: ELEMENT },
  written: { path: "examples/two.html", selector: "#roomy > p:not([part])", element: "#roomy" },
};

for (const [how, { path, selector, element }] of Object.entries(FIRST_PAINTS)) {
  test(`a first paint that is ${how} is there before any script, and gives way to the application`, async (t) => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const hold = async (route) => {
      await held;
      await route.continue();
    };
    const { page } = await site.open(t, path, {
      // The page's load event waits for module scripts, so they are held back only after the element's own.
      prepare: (page) => page.route(/\/(web|figure)(\.\w+)?\.js$/, hold),
    });
    const firstPaint = page.locator(selector);
    assert.equal(await elementState(page, ["loading"], element), "loading");
    assert.ok(await firstPaint.isVisible(), "visible while the application loads");
    release();
    assert.equal(await elementState(page, undefined, element), "mounted");
    await firstPaint.waitFor({ state: "hidden" });
  });

  test(`where the application cannot load, a first paint that is ${how} stays and an event says why`, async (t) => {
    const { page } = await site.open(t, path, {
      prepare: async (page) => {
        await page.route(/\/(web|figure)_bg[^/]*\.wasm$/, (route) => route.abort());
        await page.addInitScript(() => addEventListener("moe-error", (event) => (window.moeError = event.detail)));
      },
    });
    assert.equal(await elementState(page, undefined, element), "failed");
    assert.ok(await page.locator(selector).isVisible());
    assert.ok(await page.locator(element).getByRole("alert").isVisible());
    const { what, why, try_this, details } = await page.evaluate(() => window.moeError);
    assert.ok(what && why && try_this);
    assert.match(details, /\.wasm\)$/);
  });
}

test("moving the element keeps it, removing it ends it, and it can come back", async (t) => {
  const { page } = await site.open(t);
  await elementState(page);
  const states = await page.evaluate(async (name) => {
    const it = document.querySelector(name);
    const settled = () => new Promise((resolve) => setTimeout(resolve));
    const drawn = it.shadowRoot.querySelector("#root").lastElementChild;
    const elsewhere = document.body.appendChild(document.createElement("section"));
    elsewhere.append(it);
    await settled();
    const moved = it.shadowRoot.querySelector("#root").lastElementChild === drawn;
    it.remove();
    await settled();
    const removed = it.dataset.state ?? "none";
    elsewhere.append(it);
    return { moved, removed };
  }, ELEMENT);
  assert.deepEqual(states, { moved: true, removed: "none" });
  assert.equal(await elementState(page), "mounted");
});

test("two elements share one download and mount both", async (t) => {
  const wasm = [];
  const { page, problems } = await site.open(t, "examples/two.html", {
    prepare: (page) =>
      page.on("request", (request) => /\/(web|figure)_bg[^/]*\.wasm$/.test(request.url()) && wasm.push(request.url())),
  });
  for (const id of ["#roomy", "#tight"]) {
    await page.locator(id).scrollIntoViewIfNeeded();
    assert.equal(await elementState(page, undefined, id), "mounted");
  }
  assert.equal(wasm.length, 1);
  assert.deepEqual(problems, []);
});

test("an element that is to load eagerly does so far below the window, from the start or from then on", async (t) => {
  const { page } = await site.open(t);
  const add = (attributes) =>
    page.evaluate((attributes) => {
      const style = "display: block; margin-top: 9000px";
      const far = Object.assign(document.createElement("moe-playground"), {
        style,
        backend: "recorded",
        ...attributes,
      });
      document.body.append(far);
    }, attributes);
  await add({ id: "eager", loading: "eager" });
  assert.equal(await elementState(page, undefined, "#eager"), "mounted");
  await add({ id: "lazy" });
  assert.equal(await elementState(page, ["waiting"], "#lazy"), "waiting");
  await page.locator("#lazy").evaluate((/** @type {any} */ figure) => (figure.loading = "eager"));
  assert.equal(await elementState(page, undefined, "#lazy"), "mounted");
});

test("an element far below the window loads nothing until it is reached or run", async (t) => {
  const { page } = await site.open(t, "examples/two.html", {
    prepare: (page) =>
      page.addInitScript(() =>
        addEventListener("DOMContentLoaded", () => {
          const tight = /** @type {HTMLElement} */ (document.querySelector("#tight"));
          tight.style.marginTop = "5000px";
          tight.before(document.querySelector("h2"));
        }),
      ),
  });
  assert.equal(await elementState(page, ["waiting"], "#tight"), "waiting");
  await page.locator("#tight").evaluate((/** @type {any} */ figure) => figure.run("Hello"));
  assert.equal(await elementState(page, undefined, "#tight"), "mounted");
});

test("of a figure far below the window its script alone is asked for, until it nears the window", async (t) => {
  const asked = [];
  const { page, problems } = await site.open(t, "host.html", {
    prepare: async (page) => {
      page.context().on("request", (request) => {
        if (request.url().startsWith("http")) asked.push(request.url().replace(site.url, ""));
      });
      await page.route("**/host.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><link rel="icon" href="data:,"><script type="module" src="assets/element.js"></script>
            <div style="height: 3000px"></div><moe-playground view="lanes" backend="recorded"></moe-playground>`,
        }),
      );
    },
  });
  assert.equal(await elementState(page, ["waiting"]), "waiting");
  // 100 pixels too far away: the browser has looked, and looks again once it has painted.
  await page.evaluate(async (element) => {
    const { top } = document.querySelector(element).getBoundingClientRect();
    scrollTo(0, top - innerHeight - 500);
    for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  }, ELEMENT);
  // Where names have hashes, the plain one names the script.
  const others = asked.filter((path) => !/^(host\.html|assets\/element(\.\w+)?\.js)$/.test(path));
  assert.deepEqual(others, []);
  await page.evaluate(() => scrollBy(0, 200));
  assert.equal(await elementState(page), "mounted");
  assert.ok(asked.some((path) => path.endsWith(".wasm")));
  assert.deepEqual(problems, []);
});
