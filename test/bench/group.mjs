// A group of commands that are compared with each other: run interleaved, checked for equal work, held against promises.
import { interleaved, median } from './measure.mjs';

/**
 * @typedef {{ name: string, command: string, tape: { bytes: number, counts?: Record<string, number> }, cores?: string | null, after?: string }} Case
 * @typedef {{ of: string, against: string, must?: number, goal?: number, stretch?: number, atMost?: number, beyond?: string, what?: string }} Claim
 *   a ratio of speeds in MB/s of text (`must`, `goal`, `stretch` from below), or of costs of a message (`atMost`); with `beyond`, of
 *   the messages that `of` has more than `against` over those that `against` has more than `beyond`, so that starting is in neither
 * @typedef {{ title: string, cores: string, cases: Case[], claims: Claim[], flat?: string[], grows?: [string, string], check(results: object): Promise<string[] | void> }} Group
 *   `check` throws on unequal work, and says what is worth a note; `flat` names commands whose memory is held down,
 *   `grows` one on a long and one on a short tape whose memory must be alike
 */

/** No command that reads a tape needs more, whatever the tape's length. */
const MOST_MEMORY_MB = 250;
/** A long tape may take this much more than a short one. */
const GROWTH_MB = 24;

/** @returns {Promise<{ rows: object[], outcomes: object[], notes: string[], faults: string[] }>} */
export async function runGroup(group, { rounds, say }) {
  say(`${group.title}:`);
  const results = await interleaved(group.cases, rounds, say);
  const notes = (await group.check(results)) ?? [];
  const find = (name) => group.cases.find((one) => one.name === name);
  const rows = group.cases.map(({ name, tape }) => ({
    group: group.title,
    cores: group.cores,
    name,
    megabytes: tape.bytes / 1e6 / median(results[name].seconds),
    kilomessages: tape.counts === undefined ? null : tape.counts.messages / 1e3 / median(results[name].seconds),
    textMB: tape.bytes / 1e6,
    peakMB: results[name].peakMB,
  }));
  // ratios inside one round first: the machine's slow minutes cancel
  const ratio = (claim, times) => {
    const [own, others] = [results[claim.of][times], results[claim.against][times]];
    const [of, against] = [find(claim.of).tape, find(claim.against).tape];
    if (claim.atMost === undefined)
      return median(own.map((value, n) => (of.bytes / against.bytes) * (others[n] / value)));
    const messages = ({ counts }) => counts.messages;
    if (claim.beyond === undefined)
      return median(own.map((value, n) => (messages(against) / messages(of)) * (value / others[n])));
    const least = results[claim.beyond][times];
    const more = (messages(against) - messages(find(claim.beyond).tape)) / (messages(of) - messages(against));
    return median(own.map((value, n) => (more * (value - others[n])) / (others[n] - least[n])));
  };
  const outcomes = group.claims
    .filter(({ of, against }) => results[of] !== undefined && results[against] !== undefined)
    .map((claim) => ({
      group: group.title,
      cores: group.cores,
      ...claim,
      value: ratio(claim, 'seconds'),
      cpu: ratio(claim, 'cpu'),
    }));
  const faults = [];
  for (const outcome of outcomes) {
    const { value, must, atMost } = outcome;
    say(`  ${claimText(outcome)}: ${value.toFixed(2)} (by CPU time ${outcome.cpu.toFixed(2)}; ${boundText(outcome)})`);
    if (value < must || value > atMost)
      faults.push({ speed: true, text: `${claimText(outcome)} is ${value.toFixed(2)}, ${boundText(outcome)}` });
  }
  for (const text of memoryFaults(group, results)) faults.push({ speed: false, text });
  return { rows, outcomes, notes, faults };
}

/** Memory does not depend on how busy the machine is, so it decides in every run. */
function memoryFaults({ flat = [], grows }, results) {
  const faults = flat
    .filter((name) => results[name]?.peakMB > MOST_MEMORY_MB)
    .map((name) => `${name} took ${results[name].peakMB.toFixed(0)} MB of memory, at most ${MOST_MEMORY_MB}`);
  if (grows === undefined) return faults;
  const [long, short] = grows.map((name) => results[name].peakMB);
  if (long > short + GROWTH_MB)
    faults.push(`memory grows with the tape: ${short.toFixed(0)} MB, then ${long.toFixed(0)} MB`);
  return faults;
}

export const claimText = ({ of, against, atMost, what }) =>
  what ?? (atMost === undefined ? `${of} / ${against}` : `cost of ${of} / ${against}`);

export function boundText({ must, goal, stretch, atMost }) {
  if (atMost !== undefined) return `at most ${atMost}`;
  const parts = [
    ['must', must],
    ['goal', goal],
    ['stretch', stretch],
  ].filter(([, value]) => value !== undefined);
  return parts.length === 0 ? 'no promise' : parts.map(([word, value]) => `${word} ${value}`).join(', ');
}
