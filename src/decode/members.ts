/** The members of a JSON object in bytes, found by key without building anything; what needs thought is refused. */
import { endOfString, endOfValue, skipBlanks } from '../model/json.js';

const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** More keys than any message has; a longer object is left to JSON.parse. */
const MOST_KEYS = 64;

/** The members of one object: where each key's text and value begin and end. */
export class Members {
  count = 0;
  readonly #at = new Int32Array(MOST_KEYS * 4);

  /** Reads the object at `p`. @returns the offset behind it, or -1 */
  read(bytes: Buffer, p: number, end: number): number {
    this.count = 0;
    if (bytes[p] !== OPEN) return -1;
    p = skipBlanks(bytes, p + 1, end);
    if (bytes[p] === CLOSE) return p + 1;
    for (;;) {
      if (this.count === MOST_KEYS) return -1;
      const key = p + 1;
      p = endOfString(bytes, p, end);
      const keyEnd = p - 1;
      if (p < 0 || hasEscape(bytes, key, keyEnd)) return -1;
      p = skipBlanks(bytes, p, end);
      if (bytes[p] !== COLON) return -1;
      const value = skipBlanks(bytes, p + 1, end);
      p = endOfValue(bytes, value, end);
      if (p < 0) return -1;
      this.#at.set([key, keyEnd, value, p], this.count++ * 4);
      p = skipBlanks(bytes, p, end);
      if (bytes[p] === CLOSE) return p + 1;
      if (bytes[p] !== COMMA || p >= end) return -1;
      p = skipBlanks(bytes, p + 1, end);
    }
  }

  /** @returns the member with this key, -1 where there is none, -2 where there are several */
  find(bytes: Buffer, key: string): number {
    let found = -1;
    for (let n = 0; n < this.count; n++) {
      if (!sameText(bytes, this.#at[n * 4], this.#at[n * 4 + 1], key)) continue;
      if (found >= 0) return -2;
      found = n;
    }
    return found;
  }

  value(member: number): number {
    return this.#at[member * 4 + 2];
  }

  end(member: number): number {
    return this.#at[member * 4 + 3];
  }
}

/** Whether the bytes are this text, which is ASCII. */
export function sameText(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

export function hasEscape(bytes: Buffer, from: number, to: number): boolean {
  for (let p = from; p < to; p++) if (bytes[p] === BACKSLASH) return true;
  return false;
}
