/** Reading numbers from bytes, exactly as the JSON decoder would, or not at all. */
/** Powers of ten that float64 holds exactly. */
export const POW10 = Float64Array.from({ length: 23 }, (_, n) => 10 ** n);

const MAX = Number.MAX_SAFE_INTEGER;
const QUOTE = 0x22;
const DOT = 0x2e;
const ZERO = 0x30;

/** Where the last read ended. One shared cell spares an object per number; decoding is synchronous. */
export const cursor = { at: 0 };

/**
 * Four ASCII digits at `p` as a number, -1 when one of them is no digit. One load, one multiplication: digits one by one
 * were measured at twice the time.
 */
export function readFour(view: DataView, p: number): number {
  const x = view.getInt32(p, true);
  // high nibble 3 before and after adding 6: '0' to '9' and nothing else
  if ((x & 0xf0f0f0f0) !== 0x30303030 || ((x + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1;
  const digits = x & 0x0f0f0f0f;
  const pairs = Math.imul(digits, 10) + (digits >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

/** A plain JSON integer (no sign, no leading zero, below 2^53) at `p`; -1 when it is anything else. `view` is over `bytes`. */
export function readInteger(bytes: Uint8Array, view: DataView, p: number): number {
  const start = p;
  const last = bytes.length - 4;
  let value = 0;
  while (p <= last) {
    const four = readFour(view, p);
    if (four < 0) break;
    value = value * 10_000 + four;
    p += 4;
  }
  let c = bytes[p] - 48;
  while (c >= 0 && c <= 9) {
    value = value * 10 + c;
    c = bytes[++p] - 48;
  }
  const digits = p - start;
  if (digits === 0 || digits > 16 || value > MAX || (digits > 1 && bytes[start] === 48)) return -1;
  cursor.at = p;
  return value;
}

/** So many digits fit an int32, whose sums take a third of the time of a float64's. */
const SHORT_DIGITS = 9;

/**
 * A plain decimal at `p`, closed by a quote, as a scaled integer; -1 when it has a sign, an exponent, too many decimals
 * for the scale, or is too large: the general decoder judges those.
 */
export function readDecimal(bytes: Uint8Array, p: number, decimals: number): number {
  const start = p;
  let value = 0;
  let c = bytes[p] - 48;
  while (c >= 0 && c <= 9) {
    value = (Math.imul(value, 10) + c) | 0;
    c = bytes[++p] - 48;
  }
  if (p === start) return -1;
  let digits = p - start;
  let left = decimals;
  if (c === DOT - 48) {
    const dot = p;
    c = bytes[++p] - 48;
    while (c >= 0 && c <= 9) {
      value = (Math.imul(value, 10) + c) | 0;
      c = bytes[++p] - 48;
    }
    const fraction = p - dot - 1;
    digits += fraction;
    left -= fraction;
  }
  if (c !== QUOTE - 48) return -1;
  if (digits > SHORT_DIGITS || left < 0) return readLongDecimal(bytes, start, decimals);
  const scaled = value * POW10[left];
  if (!(scaled <= MAX)) return -1; // also where a scale has more decimals than POW10
  cursor.at = p + 1;
  return scaled;
}

/** The same for any number of digits; `p` is at a digit. */
function readLongDecimal(bytes: Uint8Array, p: number, decimals: number): number {
  const start = p;
  let value = 0;
  let c = bytes[p] - 48;
  while (c >= 0 && c <= 9) {
    value = value * 10 + c;
    c = bytes[++p] - 48;
  }
  if (p - start > 16) return -1;
  let left = decimals;
  if (c === DOT - 48) {
    c = bytes[++p] - 48;
    while (c >= 0 && c <= 9) {
      if (left > 0) {
        value = value * 10 + c;
        left--;
      } else if (c !== 0) return -1;
      c = bytes[++p] - 48;
    }
  }
  if (c !== QUOTE - 48) return -1;
  value *= POW10[left];
  if (!(value <= MAX)) return -1;
  cursor.at = p + 1;
  return value;
}

/**
 * A JSON number without sign, exponent or many digits at `p`, as a scaled integer; -1 for any other. What follows is the
 * caller's to judge, an exponent too.
 */
export function readBareDecimal(bytes: Uint8Array, p: number, decimals: number): number {
  const start = p;
  let value = 0;
  let c = bytes[p] - ZERO;
  while (c >= 0 && c <= 9) {
    value = value * 10 + c;
    c = bytes[++p] - ZERO;
  }
  const whole = p - start;
  if (whole === 0 || (whole > 1 && bytes[start] === ZERO)) return -1;
  let left = decimals;
  if (c === DOT - ZERO) {
    const dot = p;
    c = bytes[++p] - ZERO;
    while (c >= 0 && c <= 9) {
      value = value * 10 + c;
      c = bytes[++p] - ZERO;
    }
    if (p === dot + 1) return -1;
    left -= p - dot - 1;
  }
  // beyond so many digits a float64 may print another text than the message has
  if (p - start > 15 || left < 0) return -1;
  const scaled = value * POW10[left];
  if (!(scaled <= MAX)) return -1;
  cursor.at = p;
  return scaled;
}

/** Where the plain JSON integer at `p` ends; -1 where there is none. */
export function behindInteger(bytes: Uint8Array, p: number): number {
  const start = p;
  while (bytes[p] >= ZERO && bytes[p] <= ZERO + 9) p++;
  return p === start || p - start > 16 || (p - start > 1 && bytes[start] === ZERO) ? -1 : p;
}
