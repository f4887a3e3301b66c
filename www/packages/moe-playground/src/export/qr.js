// A text as a QR code (ISO/IEC 18004): bytes, so that any text goes, and all 40 versions. Numbers in parentheses are
// sections of the standard.

/** Error correction: its two bits in the format, and by version the codewords for it in a block, and the blocks. */
const LEVELS = {
  L: {
    bits: 1,
    perBlock: [
      7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30,
      30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ],
    blocks: [
      1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19,
      19, 20, 21, 22, 24, 25,
    ],
  },
  M: {
    bits: 0,
    perBlock: [
      10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28,
      28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ],
    blocks: [
      1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33,
      35, 37, 38, 40, 43, 45, 47, 49,
    ],
  },
};

/** Up to this version a code has room for the stronger correction; then it is better coarse. */
const LAST_STRONG_VERSION = 10;

/**
 * The modules of a code, row by row, `true` is dark, without the quiet zone of four modules that belongs around it; `null`
 * where the text is too long (2953 bytes).
 *
 * @param {string} text
 * @param {{ level?: "L" | "M", mask?: number }} options - for tests: otherwise both are chosen
 * @returns {boolean[][] | null}
 */
export function qr(text, { level, mask } = {}) {
  const bytes = new TextEncoder().encode(text);
  const found = level
    ? fitting(bytes.length, level, 40)
    : (fitting(bytes.length, "M", LAST_STRONG_VERSION) ?? fitting(bytes.length, "L", 40));
  if (!found) return null;
  const codewords = withCorrection(dataOf(bytes, found), found);
  const frame = frameOf(found.version);
  const masks = mask === undefined ? [0, 1, 2, 3, 4, 5, 6, 7] : [mask];
  const codes = masks.map((mask) => filled(frame, codewords, found.level, mask));
  return codes.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
}

/** The smallest version with room for so many bytes: a mode of 4 bits, a length of 8 or 16, the bytes. */
function fitting(numBytes, level, last) {
  for (let version = 1; version <= last; version += 1) {
    const { perBlock, blocks } = LEVELS[level];
    const capacity = numCodewords(version) - perBlock[version - 1] * blocks[version - 1];
    if (4 + lengthBits(version) + 8 * numBytes <= 8 * capacity) return { version, level, capacity };
  }
  return null;
}

const lengthBits = (version) => (version < 10 ? 8 : 16);

/** Codewords of data and correction together (table 1): what the patterns leave of the square, in eights. */
function numCodewords(version) {
  return Math.floor(
    frameOf(version)
      .modules.flat()
      .filter((module) => module === null).length / 8,
  );
}

/** The data (7.4): mode, length, bytes, an end, and padding. */
function dataOf(bytes, { version, capacity }) {
  const bits = [];
  const put = (value, width) => {
    for (let bit = width - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1);
  };
  put(4, 4);
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, 8 * capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  const words = Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(8 * at, 8 * at + 8).reduce((word, bit) => 2 * word + bit, 0),
  );
  for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

/** Data and correction, block by block and then across the blocks (7.5, 7.6). */
function withCorrection(data, { version, level, capacity }) {
  const { perBlock, blocks } = LEVELS[level];
  const [numCorrection, numBlocks] = [perBlock[version - 1], blocks[version - 1]];
  const short = Math.floor(capacity / numBlocks);
  const numShort = numBlocks - (capacity % numBlocks);
  let from = 0;
  const parts = Array.from({ length: numBlocks }, (_, block) => {
    const part = data.slice(from, from + short + (block < numShort ? 0 : 1));
    from += part.length;
    return part;
  });
  const divisor = generator(numCorrection);
  const corrections = parts.map((part) => remainder(part, divisor));
  const across = (lists) =>
    Array.from({ length: Math.max(...lists.map((list) => list.length)) }, (_, at) =>
      lists.filter((list) => at < list.length).map((list) => list[at]),
    ).flat();
  return [...across(parts), ...across(corrections)];
}

/** A product in the field of 256 elements, modulo x⁸ + x⁴ + x³ + x² + 1. */
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

/** (x − 2⁰)(x − 2¹)…, without the leading 1, from the highest power down. */
function generator(degree) {
  let polynomial = [1];
  for (let power = 0, root = 1; power < degree; power += 1, root = times(root, 2)) {
    const shifted = [...polynomial, 0];
    polynomial = shifted.map((coefficient, at) => coefficient ^ (at > 0 ? times(polynomial[at - 1], root) : 0));
  }
  return polynomial.slice(1);
}

function remainder(data, divisor) {
  let rest = divisor.map(() => 0);
  for (const word of data) {
    const factor = word ^ rest[0];
    rest = [...rest.slice(1), 0].map((value, at) => value ^ times(divisor[at], factor));
  }
  return rest;
}

/** @type {Map<number, { size: number, modules: (boolean | null)[][] }>} */
const frames = new Map();

/** The patterns that every code of a version has (6.3), with `null` where the codewords go; format bits still light. */
function frameOf(version) {
  const known = frames.get(version);
  if (known) return known;
  const size = 17 + 4 * version;
  /** @type {(boolean | null)[][]} */
  const modules = Array.from({ length: size }, () => Array(size).fill(null));
  const square = (row, column, radius, isDark) => {
    for (let down = -radius; down <= radius; down += 1) {
      for (let right = -radius; right <= radius; right += 1) {
        const [at, across] = [row + down, column + right];
        if (at < 0 || across < 0 || at >= size || across >= size) continue;
        modules[at][across] = isDark(Math.max(Math.abs(down), Math.abs(right)));
      }
    }
  };
  for (let at = 0; at < size; at += 1) modules[6][at] = modules[at][6] = at % 2 === 0;
  const finder = (distance) => distance !== 2 && distance !== 4;
  for (const [row, column] of [
    [3, 3],
    [3, size - 4],
    [size - 4, 3],
  ])
    square(row, column, 4, finder);
  const centres = alignment(version, size);
  const last = centres.length - 1;
  for (const [down, row] of centres.entries()) {
    for (const [right, column] of centres.entries()) {
      const isFinder = (down === 0 && right === 0) || (down === 0 && right === last) || (down === last && right === 0);
      if (!isFinder) square(row, column, 2, (distance) => distance !== 1);
    }
  }
  for (const { row, column } of formatPlaces(size)) modules[row][column] = false;
  modules[size - 8][8] = true;
  if (version >= 7) {
    const bits = (version << 12) | bch(version, 12, 0x1f25);
    for (let bit = 0; bit < 18; bit += 1) {
      const [far, near] = [size - 11 + (bit % 3), Math.floor(bit / 3)];
      modules[far][near] = modules[near][far] = ((bits >> bit) & 1) === 1;
    }
  }
  const frame = { size, modules };
  frames.set(version, frame);
  return frame;
}

/** Rows, and as well columns, of the centres of the alignment patterns (annex E). */
function alignment(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : 2 * Math.ceil((size - 13) / (2 * count - 2));
  const centres = [6];
  for (let at = 1; at < count; at += 1) centres.push(size - 7 - step * (count - 1 - at));
  return centres;
}

/** The check bits of a binary code: the rest of a division. */
function bch(value, numBits, divisor) {
  let rest = value;
  for (let bit = 0; bit < numBits; bit += 1) rest = (rest << 1) ^ (rest >> (numBits - 1) ? divisor : 0);
  return rest;
}

/** Where the 15 format bits stand, twice, from the lowest on (7.9). */
function formatPlaces(size) {
  const places = [];
  for (let bit = 0; bit < 15; bit += 1) {
    const along = bit < 6 ? bit : bit < 8 ? bit + 1 : 14 - bit;
    if (bit < 8) places.push({ bit, row: along, column: 8 }, { bit, row: 8, column: size - 1 - bit });
    else places.push({ bit, row: 8, column: bit === 8 ? 7 : along }, { bit, row: size - 15 + bit, column: 8 });
  }
  return places;
}

/** The masks of 7.8.2: which modules are turned over. */
const MASKS = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** The codewords in their places (7.7.3): pairs of columns from the right, up and down by turns. */
function filled({ size, modules }, codewords, level, mask) {
  const code = modules.map((row) => [...row]);
  let bit = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right -= 1;
    const isUpward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step += 1) {
      const row = isUpward ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (modules[row][column] !== null) continue;
        const isSet = bit < 8 * codewords.length && ((codewords[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
        code[row][column] = isSet !== MASKS[mask](row, column);
        bit += 1;
      }
    }
  }
  const data = (LEVELS[level].bits << 3) | mask;
  const format = ((data << 10) | bch(data, 10, 0x537)) ^ 0x5412;
  for (const place of formatPlaces(size)) code[place.row][place.column] = ((format >> place.bit) & 1) === 1;
  return /** @type {boolean[][]} */ (code);
}

/** How hard a code is to read (7.8.3): long runs, blocks, what looks like a finder, and an uneven share of dark. */
function penalty(code) {
  const size = code.length;
  const turned = code.map((_, column) => code.map((row) => row[column]));
  let points = 0;
  for (const line of [...code, ...turned]) {
    const text = line.map((isDark) => (isDark ? "1" : "0")).join("");
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) points += run.length - 2;
    for (const finder of ["10111010000", "00001011101"]) {
      for (let at = text.indexOf(finder); at >= 0; at = text.indexOf(finder, at + 1)) points += 40;
    }
  }
  let numDark = 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const isDark = code[row][column];
      numDark += isDark ? 1 : 0;
      const [right, below, across] = [code[row][column + 1], code[row + 1]?.[column], code[row + 1]?.[column + 1]];
      if (right === isDark && below === isDark && across === isDark) points += 3;
    }
  }
  return points + 10 * Math.floor(Math.abs((100 * numDark) / (size * size) - 50) / 5);
}
