/** Strict JSON over bytes: finds where a value ends without building it, and so proves that it is one. */

/** Messages nested deeper than this are kept as text, so that no reader's stack or limit is at risk. */
export const MAX_NESTING = 200;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether each open level is an object; shared because nothing here calls back or awaits. */
const levels = new Uint8Array(MAX_NESTING);

/** First index from `at` that is no blank or tab. Line breaks are not skipped: an entry is one line. */
export function skipBlanks(bytes: Uint8Array, at: number, to: number): number {
  let p = at;
  while (p < to && (bytes[p] === 0x20 || bytes[p] === 0x09)) p++;
  return p;
}

/** Index after the JSON string that opens at `at`, or -1. UTF-8 is not checked here. */
export function endOfString(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to || bytes[at] !== QUOTE) return -1;
  let p = at + 1;
  while (p < to) {
    const c = bytes[p++];
    if (c === QUOTE) return p;
    if (c < 0x20) return -1;
    if (c === BACKSLASH) {
      p = endOfEscape(bytes, p, to);
      if (p < 0) return -1;
    }
  }
  return -1;
}

/** Index after the JSON value at `at` (no blanks before it), or -1 when it is none or nests deeper than MAX_NESTING. */
export function endOfValue(bytes: Uint8Array, at: number, to: number): number {
  let depth = 0;
  let p = at;
  for (;;) {
    if (p >= to) return -1;
    const c = bytes[p];
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      if (depth === MAX_NESTING) return -1;
      p = skipBlanks(bytes, p + 1, to);
      const object = c === OPEN_OBJECT;
      if (p < to && bytes[p] === (object ? CLOSE_OBJECT : CLOSE_ARRAY)) p++;
      else {
        levels[depth++] = object ? 1 : 0;
        if (object) p = startOfMember(bytes, p, to);
        if (p < 0) return -1;
        continue;
      }
    } else p = endOfScalar(bytes, p, to, c);
    if (p < 0) return -1;
    for (;;) {
      if (depth === 0) return p;
      if (p < to && (bytes[p] === 0x20 || bytes[p] === 0x09)) p = skipBlanks(bytes, p, to);
      if (p >= to) return -1;
      const object = levels[depth - 1] === 1;
      const after = bytes[p++];
      if (after === COMMA) {
        p = object ? startOfMember(bytes, skipBlanks(bytes, p, to), to) : skipBlanks(bytes, p, to);
        if (p < 0) return -1;
        break;
      }
      if (after !== (object ? CLOSE_OBJECT : CLOSE_ARRAY)) return -1;
      depth--;
    }
  }
}

/** From the key of an object's member to the first byte of its value, or -1. */
export function startOfMember(bytes: Uint8Array, at: number, to: number): number {
  const key = endOfString(bytes, at, to);
  if (key < 0) return -1;
  const colon = skipBlanks(bytes, key, to);
  return colon < to && bytes[colon] === COLON ? skipBlanks(bytes, colon + 1, to) : -1;
}

function endOfScalar(bytes: Uint8Array, at: number, to: number, c: number): number {
  if (c === QUOTE) return endOfString(bytes, at, to);
  if (c === 0x74) return endOfWord(bytes, at, to, 'true');
  if (c === 0x66) return endOfWord(bytes, at, to, 'false');
  if (c === 0x6e) return endOfWord(bytes, at, to, 'null');
  return endOfNumber(bytes, at, to);
}

function endOfWord(bytes: Uint8Array, at: number, to: number, word: string): number {
  const end = at + word.length;
  if (end > to) return -1;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  return end;
}

function endOfNumber(bytes: Uint8Array, at: number, to: number): number {
  let p = bytes[at] === MINUS ? at + 1 : at;
  if (p < to && bytes[p] === 0x30) p++;
  else p = endOfDigits(bytes, p, to);
  if (p > 0 && p < to && bytes[p] === DOT) p = endOfDigits(bytes, p + 1, to);
  if (p > 0 && p < to && (bytes[p] | 0x20) === 0x65) {
    p++;
    if (p < to && (bytes[p] === 0x2b || bytes[p] === MINUS)) p++;
    p = endOfDigits(bytes, p, to);
  }
  return p;
}

/** Index after at least one digit, or -1. */
function endOfDigits(bytes: Uint8Array, at: number, to: number): number {
  let p = at;
  while (p < to && bytes[p] >= 0x30 && bytes[p] <= 0x39) p++;
  return p > at ? p : -1;
}

function endOfEscape(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to) return -1;
  const c = bytes[at];
  if (c !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(c)) ? at + 1 : -1;
  if (at + 5 > to) return -1;
  for (let i = at + 1; i < at + 5; i++) {
    const hex = bytes[i] | 0x20;
    if (!((bytes[i] >= 0x30 && bytes[i] <= 0x39) || (hex >= 0x61 && hex <= 0x66))) return -1;
  }
  return at + 5;
}
