/** Exact decimals: text to scaled integers (held in float64, exact below 2^53) and back. */

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Loops, where a pattern such as /0+$/ would take quadratic time on a hostile row of zeros. */
function withoutEndingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

function leadingZeros(digits: string): number {
  let zeros = 0;
  while (digits[zeros] === '0') zeros++;
  return zeros;
}

/** Largest magnitude a scaled integer may have. */
export const MAX_SCALED = Number.MAX_SAFE_INTEGER;

const POW10 = Array.from({ length: 16 }, (_, n) => Number(`1e${n}`));

/** The same for a plain decimal of up to 15 digits that needs no more decimals than there are; -1 for any other text. */
function scalePlain(text: string, decimals: number): number {
  let value = 0;
  let left = -1;
  const { length } = text;
  if (length === 0 || length > 15 || decimals > 15) return -1;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      if (left >= 0) left--;
    } else if (digit === -2 && left < 0 && i > 0 && length - i - 1 <= decimals) left = decimals;
    else return -1;
  }
  value *= POW10[left < 0 ? decimals : left];
  return value <= MAX_SCALED ? value : -1;
}

/**
 * Reads a decimal such as `0.080100`, `28145.10` or `7.548E+4` as `value × 10^decimals`.
 * @returns the exact integer, or NaN when the text is no decimal, needs more decimals, or exceeds 2^53.
 */
export function scaleDecimal(text: string, decimals: number): number {
  const plain = scalePlain(text, decimals);
  if (plain >= 0) return plain;
  const match = DECIMAL.exec(text);
  if (match === null) return Number.NaN;
  const fraction = withoutEndingZeros(match[3] ?? '');
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  const digits = (match[2] + fraction).slice(leadingZeros(match[2] + fraction));
  if (digits === '') return 0;
  let shift = decimals + exponent - fraction.length;
  let kept = digits;
  while (shift < 0 && kept.endsWith('0')) {
    kept = kept.slice(0, -1);
    shift++;
  }
  if (shift < 0 || kept.length + shift > 16) return Number.NaN;
  const value = Number(kept + '0'.repeat(shift));
  if (value > MAX_SCALED) return Number.NaN;
  return match[1] === '-' ? -value : value;
}

/** How many decimals the text needs (`0.0100` needs 2, `7.548E+4` none); NaN when it is no decimal. */
export function decimalsOf(text: string): number {
  const match = DECIMAL.exec(text);
  if (match === null) return Number.NaN;
  const fraction = withoutEndingZeros(match[3] ?? '');
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  if (fraction === '') {
    const whole = withoutEndingZeros(match[2]);
    return whole === '' ? 0 : Math.max(0, -exponent - (match[2].length - whole.length));
  }
  return Math.max(0, fraction.length - exponent);
}

/** How many decimals the text is written with: `0.10` has two, though it needs one. */
export function writtenDecimals(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** Prints a scaled integer in its shortest exact form: `(2814510, 2)` is `28145.1`. */
export function formatScaled(value: number, decimals: number): string {
  if (decimals === 0) return String(value);
  const negative = value < 0;
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0');
  const fraction = withoutEndingZeros(digits.slice(-decimals));
  const text = fraction === '' ? digits.slice(0, -decimals) : `${digits.slice(0, -decimals)}.${fraction}`;
  return negative ? `-${text}` : text;
}

/** The nearest float of a scaled integer: one correctly rounded division, the same on any scale. */
export function unscale(value: number, decimals: number): number {
  return value / 10 ** decimals;
}

/** Ratios are printed with this many decimals. */
const DIGITS = 1e6;

/** A ratio for output: a fixed number of decimals, so that it does not depend on scales or summation order. */
export function rounded(value: number): number {
  const size = Math.round(Math.abs(value) * DIGITS) / DIGITS;
  return value < 0 && size > 0 ? -size : size;
}
