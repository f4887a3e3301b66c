// What lies where on the page: controls that something covers, texts that lie over each other, things that stand out.

/** How the same page looks to different readers: fonts of other widths and heights, and WCAG 1.4.12's text spacing. */
export const LOOKS = {
  "this machine's fonts": "",
  "fonts like Arial's and Georgia's": ".moe { --sans: narrow-sans; --serif: narrow-serif }",
  "tall fonts like Segoe UI": ".moe { --sans: tall-sans; --serif: tall-serif }",
  "text spacing": `.moe * { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important } .moe p { margin-bottom: 2em !important }`,
};

/** The machine's fonts under other names, with other widths and heights above and below the line, all in percent. */
const FACES = [
  ["narrow", 88, 103, 24],
  ["tall", 92, 117, 28],
].flatMap(([name, width, ascent, descent]) =>
  [
    ["sans", "DejaVu Sans", "Liberation Sans", "Arial"],
    ["serif", "DejaVu Serif", "Liberation Serif", "Times New Roman"],
  ].map(([kind, ...fonts]) => ({
    family: `${name}-${kind}`,
    source: fonts.map((font) => `local("${font}")`).join(", "),
    metrics: {
      sizeAdjust: `${width}%`,
      ascentOverride: `${ascent}%`,
      descentOverride: `${descent}%`,
      lineGapOverride: "0%",
    },
  })),
);

/** Makes the fonts of the looks known to a page. */
export function addFonts(page) {
  return page.evaluate(async (faces) => {
    for (const { family, source, metrics } of faces) {
      const face = new FontFace(family, source);
      Object.assign(face, metrics);
      document.fonts.add(await face.load());
    }
  }, FACES);
}

/**
 * In the page: what is wrong with it in this look, as sentences, each with the widths at which it is so. The figure is made
 * as wide as that in a window that is wider and as high as all of it, for nothing is seen outside the window. All panels
 * are laid out, also those that a narrow screen shows one at a time.
 *
 * @param {{ look: string, widths: number[] }} what
 */
export function faults({ look, widths }) {
  const TOLERANCE = 1;
  const { shadowRoot } = document.querySelector("moe-playground");
  shadowRoot.querySelector("#root > [inert]")?.remove();
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${look} .panel.is-behind { display: block !important }`);
  shadowRoot.adoptedStyleSheets = [sheet];
  const page = shadowRoot.querySelector(".moe-container .page");

  const name = (it) => {
    const words = it.getAttribute("aria-label") || it.textContent.trim();
    return `${it.tagName.toLowerCase()}.${it.getAttribute("class")} “${words.slice(0, 40)}”`;
  };
  const PLACES = ".panel, .top, .prompt-bar, .tabs";
  // Of the many tokens and slots in a row the first and the last.
  const ROW = ":is(.token, .slot):not(:first-child, :last-child)";
  const CONTROLS = `:is(button, select, input, textarea, summary, a, [tabindex="0"]):not(${ROW})`;

  /** The box that an element's children are seen in, as far as it and what is around it let them through. */
  let frames = new Map();
  const frame = (it) => {
    if (it === page.parentElement) return { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9 };
    if (frames.has(it)) return frames.get(it);
    const outer = frame(it.parentElement);
    const style = getComputedStyle(it);
    const isOpen = style.overflowX === "visible" && style.overflowY === "visible";
    const box = isOpen ? outer : common(outer, it.getBoundingClientRect());
    frames.set(it, box);
    return box;
  };
  const common = (a, b) => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const isSeen = ({ left, top, right, bottom }) => right - left >= 4 && bottom - top >= 4;
  const overlap = (a, b) => {
    const { left, top, right, bottom } = common(a, b);
    return right - left > TOLERANCE && bottom - top > TOLERANCE;
  };

  /** What covers a control at its middle or at one of its corners. */
  const coveredBy = (it) => {
    // What is in a closed pop-up has a box too.
    const first = it.checkVisibility() && it.getClientRects()[0];
    if (!first) return undefined;
    const box = common(frame(it.parentElement), first);
    const style = getComputedStyle(it);
    if (!isSeen(box) || style.pointerEvents === "none" || style.visibility !== "visible") return undefined;
    const inset = Math.max(2, 0.35 * Number.parseFloat(style.borderTopLeftRadius));
    const [left, right, top, bottom] = [box.left + inset, box.right - inset, box.top + inset, box.bottom - inset];
    const middle = [(left + right) / 2, (top + bottom) / 2];
    return [middle, [left, top], [right, top], [left, bottom], [right, bottom]]
      .map(([x, y]) => shadowRoot.elementFromPoint(x, y))
      .find((hit) => hit !== it && !it.contains(hit) && !hit?.closest("label")?.contains(it));
  };

  /** Every piece of text in its place, with the box that is seen of it, without the air above and below its letters. */
  const texts = (place) => {
    const found = [];
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      const text = node.nodeValue.trim();
      if (!text || parent.closest("option, .more, .generation-fields")) continue;
      // What is folded away has a box too.
      if (!parent.checkVisibility()) continue;
      range.selectNodeContents(node);
      for (const { left, right, top, bottom } of range.getClientRects()) {
        const air = (bottom - top) / 4;
        const box = common(frame(parent), { left, right, top: top + air, bottom: bottom - air });
        if (isSeen(box))
          found.push({ parent, text: `“${text.slice(0, 40)}” of .${parent.closest("[class]").className}`, ...box });
      }
    }
    return found.sort((a, b) => a.left - b.left);
  };

  /** Does a line of its own words go on under the arrow beside them? */
  const isCut = (summary) => {
    const end = summary.getBoundingClientRect().right - Number.parseFloat(getComputedStyle(summary).paddingRight);
    const range = document.createRange();
    return [...summary.childNodes].some((node) => {
      if (node.nodeType !== Node.TEXT_NODE) return false;
      range.selectNodeContents(node);
      return [...range.getClientRects()].some(({ right }) => right > end + TOLERANCE);
    });
  };

  const measure = () => {
    frames = new Map();
    const found = new Set();
    const excess = document.body.scrollWidth - document.body.clientWidth;
    if (excess > 0) found.add("the page is wider than its window");
    const places = [...page.querySelectorAll(PLACES)].filter((it) => it.getClientRects().length > 0);
    const boxes = places.map((it) => it.getBoundingClientRect());
    for (const [at, place] of places.entries()) {
      const other = boxes.findIndex((box, other) => other > at && overlap(boxes[at], box));
      if (other > 0) found.add(`${place.className} lies over ${places[other].className}`);
      const inside = texts(place);
      for (const [number, text] of inside.entries()) {
        const box = boxes[at];
        const out = [box.left - text.left, text.right - box.right, box.top - text.top, text.bottom - box.bottom];
        if (Math.max(...out) > TOLERANCE) found.add(`${text.text} stands out of .${place.className}`);
        for (let next = number + 1; next < inside.length && inside[next].left < text.right; next += 1) {
          const over = inside[next];
          if (over.parent !== text.parent && overlap(text, over)) found.add(`${text.text} lies over ${over.text}`);
        }
      }
    }
    for (const it of page.querySelectorAll(".generation > summary")) {
      if (it.checkVisibility() && isCut(it)) found.add(`the words of ${name(it)} are cut`);
    }
    for (const it of page.querySelectorAll(CONTROLS)) {
      const hit = coveredBy(it);
      if (hit !== undefined) found.add(`${name(it)} lies under ${hit ? name(hit) : "the edge of the window"}`);
    }
    return found;
  };

  const all = new Map();
  for (const width of widths) {
    document.body.style.width = `${width}px`;
    for (const fault of measure()) all.set(fault, [...(all.get(fault) ?? []), width]);
  }
  return [...all].map(([fault, widths]) => `${fault} (at ${widths.join(", ")})`);
}
