// Equal work: what two programs printed about the same tape must agree, or their times compare nothing.

const KEYS = ['src', 'messages', 'trades', 'depth', 'levels', 'touches', 'digest'];

/** The sums of every src, as `scan --checksum --format json` and its peers print them. */
export function checksumsOf(stdout) {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"checksum":'));
  if (lines.length === 0) throw new Error('no checksum was printed');
  return lines.map((line) => {
    const { checksum } = JSON.parse(line);
    return Object.fromEntries(KEYS.map((key) => [key, checksum[key]]));
  });
}

/** The float sums in the last line of a peer. */
export function sumsOf(stdout) {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)).sums;
}

/** Both programs decoded the same numbers and rebuilt the same books, to the bit. */
export function checkSame(name, stdout, otherName, otherStdout) {
  const [one, other] = [checksumsOf(stdout), checksumsOf(otherStdout)].map((sums) => JSON.stringify(sums));
  if (one !== other) throw new Error(`unequal work:\n${name} ${one}\n${otherName} ${other}`);
}

/** What was read is what was written. */
export function checkCounts(name, stdout, made) {
  const sums = checksumsOf(stdout);
  for (const [key, count] of Object.entries(made)) {
    const read = sums.reduce((total, one) => total + one[key], 0);
    if (read !== count) throw new Error(`unequal work: ${count} ${key} were written, ${name} read ${read}`);
  }
}

/** A peer that computes in floats agrees to rounding. */
const ROUNDING = 1e-6;

/**
 * Compares what a peer printed with what is known of the tape.
 * @param {string[]} inexact keys that may differ, because the peer cannot do better
 * @returns {string[]} how far those are off, as `topBid -1.7 %`
 */
export function checkPeer(name, printed, known, inexact = []) {
  const off = [];
  for (const [key, value] of Object.entries(printed)) {
    if (known[key] === undefined) throw new Error(`${name} prints '${key}', which nobody knows`);
    const difference = (value - known[key]) / Math.max(1, Math.abs(known[key]));
    if (Math.abs(difference) <= ROUNDING) continue;
    if (!inexact.includes(key)) throw new Error(`unequal work: ${key} is ${known[key]}, ${name} has ${value}`);
    off.push(`${key} ${(difference * 100).toFixed(1)} %`);
  }
  return off;
}
