// Prompts are made of the letters `a` to `z`: in our tokenizers each is a token.

const FIRST = "a".charCodeAt(0);
const NUM_LETTERS = 26;

/** The id of `a`: ids count from the byte `!`, behind that of a text's end. */
const FIRST_ID = FIRST - "!".charCodeAt(0) + 1;

/** As many tokens as are asked for. */
export function promptOf(length) {
  // Steps of 7 pass all 26 letters before one comes again.
  return Array.from({ length }, (_, at) => FIRST_ID + ((at * 7 + Math.floor(at / NUM_LETTERS)) % NUM_LETTERS));
}

/** The letter that a token is, if it is one. */
export function letterOf(id) {
  return id >= FIRST_ID && id < FIRST_ID + NUM_LETTERS ? String.fromCharCode(FIRST + id - FIRST_ID) : undefined;
}

/** The token of a letter. */
export function idOf(letter) {
  return letter.charCodeAt(0) - FIRST + FIRST_ID;
}

/** The text of a prompt. */
export function textOf(prompt) {
  return prompt.map(letterOf).join("");
}
