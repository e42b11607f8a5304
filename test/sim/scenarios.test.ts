/** Every scripted scenario, told in every way and scanned: exactly the signals of its known answer are seen. */
import { describe, expect, test } from 'vitest';
import { COMING, STANDING } from '../../src/sim/scenarios/detectors.js';
import { fits, type Scenario } from '../../src/sim/scenarios/scenario.js';
import { scenarios } from '../../src/sim/scenarios/scenarios.js';
import { BEGINNING, PLAIN, tell } from '../../src/sim/scenarios/tell.js';
import { venueById } from '../../src/venues/registry.js';
import { CONFLATIONS, check, fromBeginning, nameOf, ofDetector, outline, scanTold, tellings, there } from './played.js';

const venue = venueById('binance-usdm');
const fitting = scenarios.filter((scenario) => fits(scenario, venue));

describe.each(fitting.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
  const { rates = [] } = scenario;
  const chances = rates.map(({ signal }) => signal);
  // what is left to chance is long, and of no scale
  const ways = tellings.filter(({ scale }) => rates.length === 0 || scale.price === 0);

  test.each(ways.map((telling) => [nameOf(telling), telling] as const))('%s', async (__, telling) => {
    const told = tell(scenario, venue, telling);
    const scanned = await scanTold(told, chances);
    expect(scanned.damage).toEqual([]);
    const found = fromBeginning(scanned, told);
    check(told, found);
    for (const { signal, chance, looks } of rates) {
      const onsets = found.filter((one) => one.signal === signal && (one.phase === 'onset' || one.phase === 'point'));
      const error = Math.sqrt(looks * chance * (1 - chance));
      expect(onsets.length, signal).toBeLessThanOrEqual(looks * chance + 3 * error);
    }
  });
});

test.each(['S3', 'S14'])('%s by two sockets: the same', async (name) => {
  for (const scenario of scenarios.filter((one) => one.name === name))
    for (const telling of tellings.filter(({ scale }) => scale.price === 0)) {
      const told = tell(scenario, venue, { ...telling, sockets: 'two' });
      expect(new Set(told.lines.map((line) => /"conn":"(.*?)"/.exec(line)?.[1] ?? '')).size).toBe(3);
      check(told, fromBeginning(await scanTold(told), told));
    }
});

test('the longer books are put together, the less is seen: nothing that finer ones do not show', async () => {
  let lost = 0;
  for (const scenario of fitting.filter(({ rates }) => rates === undefined))
    for (const order of ['trades-first', 'book-first'] as const) {
      let finer: string[] | null = null;
      for (const conflation of CONFLATIONS) {
        const telling = { ...PLAIN, order, conflation };
        const told = tell(scenario, venue, telling);
        const found = fromBeginning(await scanTold(told), told);
        const seen = told.of.flatMap((name) => ofDetector(found, name).map((one) => `${name} ${outline(one)}`));
        if (finer !== null) {
          for (const one of seen) expect(finer, scenario.name).toContain(one);
          lost += finer.length - seen.length;
        }
        finer = seen;
      }
    }
  expect(lost).toBeGreaterThan(0);
});

/** What is known at last of each signal that three tests confirm or not, by detector. */
async function confirmed(name: string, signal: string): Promise<unknown[]> {
  const scenario = fitting.find((one) => one.name === name) as Scenario;
  const last = new Map<string, unknown>();
  for (const one of (await scanTold(tell(scenario, venue))).signals)
    if (one.signal === signal && one.confirm !== undefined) {
      const { size, duration, reaction } = one.confirm;
      last.set(one.id, { size, duration, reaction });
    }
  return [...last.values()];
}

test('an order that takes what is displayed is large, does not last, and price goes with it', async () => {
  const wanted = { size: true, duration: false, reaction: true };
  expect(await confirmed('S8', 'block')).toEqual([wanted, wanted]);
  // said when the book has shown it, their reaction is measured from where the mid stood before
  for (const signal of ['sweep', 'block']) expect(await confirmed('S3', signal)).toEqual([wanted]);
});

/** What a scenario's exchange displays at an ask price at each moment, µs since the beginning. */
function displayedAt({ play }: Scenario, price: number): (at: number) => number {
  const { asks, steps } = play();
  const first = new Map(asks).get(price) ?? 0;
  const changes = steps.flatMap((step) =>
    step.kind !== 'book' ? [] : step.asks.filter(([p]) => p === price).map(([, size]) => [step.at, size] as const),
  );
  return (at) => changes.findLast(([t]) => t <= at)?.[1] ?? first;
}

test('no more is said to be refilled than was refilled by then', async () => {
  const wrong = new Set<string>();
  for (const scenario of fitting.filter(({ name }) => ['S5', 'S6', 'S6 pulled'].includes(name))) {
    const displayed = displayedAt(scenario, 1001);
    for (const telling of tellings.filter(({ mirrored, scale }) => !mirrored && scale.price === 0)) {
      const { signals } = await scanTold(tell(scenario, venue, telling));
      for (const { phase, evidence } of signals.filter(({ signal }) => signal === 'absorption')) {
        // 10 stood there when it began, and what was traded since and is not missing came anew
        const missing = 10 - displayed(evidence.last - BEGINNING - 1000);
        if (Number(evidence.refill_lb) > Number(evidence.absorbed_size) - missing)
          wrong.add(`${phase}, ${telling.order}`);
      }
    }
  }
  expect([...wrong]).toEqual([]);
});

describe('what is declared', () => {
  const missing = [...STANDING, ...COMING].filter((name) => !there.has(name));
  const awaited = scenarios.filter(({ of }) => of.some((name) => missing.includes(name)));

  test(`is compared of these detectors once they exist: ${missing.join(', ') || 'none is missing'}`, () => {
    expect(STANDING.filter((name) => !there.has(name))).toEqual([]);
    if (missing.length > 0) expect(awaited.length).toBeGreaterThan(0);
    for (const { of, seen, rates = [] } of scenarios) {
      for (const name of [...of, ...rates.map(({ signal }) => signal)])
        expect([...STANDING, ...COMING]).toContain(name);
      for (const { signal } of seen) expect(of).toContain(signal);
    }
  });

  test('has names of its own, and a sentence', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    for (const { title } of scenarios) expect(title).toMatch(/^[A-Z][^.]*\.$/);
  });
});
