/** Steps over JSON in bytes: blanks and whole values, without escapes, judged as strictly as JSON.parse does. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Deeper nesting is left to JSON.parse. */
const MOST_DEPTH = 30;

/** The first byte at or after `p` that is no blank; a line holds no line feed. */
export function skipBlanks(bytes: Uint8Array, p: number, end: number): number {
  while (p < end && (bytes[p] === 0x20 || bytes[p] === 0x09 || bytes[p] === 0x0d)) p++;
  return p;
}

/** @returns the offset behind the value at `p`, or -1 where it is none, is not whole, or has escapes or a control character */
export function endOfValue(bytes: Uint8Array, p: number, end: number, depth = 0): number {
  switch (bytes[p]) {
    case QUOTE:
      return endOfString(bytes, p + 1, end);
    case OPEN:
      return depth < MOST_DEPTH ? endOfObject(bytes, p + 1, end, depth + 1) : -1;
    case OPEN_LIST:
      return depth < MOST_DEPTH ? endOfList(bytes, p + 1, end, depth + 1) : -1;
    case 0x74:
      return endOfWord(bytes, p, end, 'true');
    case 0x66:
      return endOfWord(bytes, p, end, 'false');
    case 0x6e:
      return endOfWord(bytes, p, end, 'null');
    default:
      return endOfNumber(bytes, p, end);
  }
}

function endOfString(bytes: Uint8Array, p: number, end: number): number {
  for (; p < end; p++) {
    const c = bytes[p];
    if (c === QUOTE) return p + 1;
    if (c < 0x20 || c === BACKSLASH) return -1;
  }
  return -1;
}

function endOfObject(bytes: Uint8Array, p: number, end: number, depth: number): number {
  p = skipBlanks(bytes, p, end);
  if (p < end && bytes[p] === CLOSE) return p + 1;
  while (p < end && bytes[p] === QUOTE) {
    p = skipBlanks(bytes, endOfString(bytes, p + 1, end), end);
    if (p < 0 || bytes[p] !== COLON) return -1;
    p = endOfValue(bytes, skipBlanks(bytes, p + 1, end), end, depth);
    if (p < 0) return -1;
    p = skipBlanks(bytes, p, end);
    if (p >= end) return -1;
    if (bytes[p] === CLOSE) return p + 1;
    if (bytes[p] !== COMMA) return -1;
    p = skipBlanks(bytes, p + 1, end);
  }
  return -1;
}

function endOfList(bytes: Uint8Array, p: number, end: number, depth: number): number {
  p = skipBlanks(bytes, p, end);
  if (p < end && bytes[p] === CLOSE_LIST) return p + 1;
  while (p < end) {
    p = endOfValue(bytes, p, end, depth);
    if (p < 0) return -1;
    p = skipBlanks(bytes, p, end);
    if (p >= end) return -1;
    if (bytes[p] === CLOSE_LIST) return p + 1;
    if (bytes[p] !== COMMA) return -1;
    p = skipBlanks(bytes, p + 1, end);
  }
  return -1;
}

function endOfWord(bytes: Uint8Array, p: number, end: number, word: string): number {
  if (p + word.length > end) return -1;
  for (let i = 0; i < word.length; i++) if (bytes[p + i] !== word.charCodeAt(i)) return -1;
  return p + word.length;
}

const isDigit = (c: number): boolean => c >= ZERO && c <= 0x39;

function endOfDigits(bytes: Uint8Array, p: number, end: number): number {
  if (!(p < end && isDigit(bytes[p]))) return -1;
  while (p < end && isDigit(bytes[p])) p++;
  return p;
}

function endOfNumber(bytes: Uint8Array, p: number, end: number): number {
  if (bytes[p] === MINUS) p++;
  p = bytes[p] === ZERO && p < end ? p + 1 : endOfDigits(bytes, p, end);
  if (p > 0 && p < end && bytes[p] === DOT) p = endOfDigits(bytes, p + 1, end);
  if (p > 0 && p < end && (bytes[p] | 0x20) === 0x65) {
    const sign = bytes[p + 1];
    p = endOfDigits(bytes, sign === MINUS || sign === 0x2b ? p + 2 : p + 1, end);
  }
  return p;
}
