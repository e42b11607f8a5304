/** Faults put into a tape: what each kind does to known lines, what none may do to any, and that readers notice them. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { Damage, LineBatch, LineFlow } from '../../src/model/batch.js';
import type { Entry } from '../../src/model/entry.js';
import { createInjection, FAULT_KINDS, type FaultKind, type FaultRule } from '../../src/tape/inject.js';
import { entryLine, envelopeOf } from '../../src/tape/line.js';
import { SRC as MARKET_SRC, market, type Received, tapeLines } from '../audit/market-lines.js';
import { randomTape } from '../scan/random-tape.js';
import { MINUTE, scanLines } from '../scan/tape-builder.js';
import { bookLine, collect, flowOf, headerLine, message, SRC, T0, timeIn } from './tapes.js';

/** `drop=3,dup=1` */
function rulesOf(text: string): FaultRule[] {
  return text.split(',').map((rule) => {
    const [kind, every] = rule.split('=');
    return { kind: kind as FaultKind, every: Number(every) };
  });
}

interface Injected {
  lines: string[];
  summary: string;
}

async function inject(
  lines: readonly string[],
  rules: string,
  seed = 1,
  cuts: readonly number[] = [],
): Promise<Injected> {
  const injection = createInjection(rulesOf(rules), seed);
  const bounds = [0, ...[...cuts].sort((a, b) => a - b), lines.length];
  const texts = bounds.slice(1).map((to, n) => lines.slice(bounds[n], to).join(''));
  const { text } = await collect(injection.into(flowOf(texts)));
  return { lines: split(text), summary: injection.summary() };
}

const msg = (t: number, n: number): string => message(T0 + t, `{"n":${n}}`).toString();
const entry = (t: number, rest: object): string => entryLine({ t: T0 + t, src: SRC, ...rest } as Entry);
const clock = (t: number): string => entry(t, { clock: { wall: 0, loop: 0, exchange: null } });
const SECOND = 1_000_000;

/** Lines with a line break each. */
const split = (text: string): string[] => text.split(/(?<=\n)/);

describe('known lines', () => {
  const header = headerLine(T0);

  test('drop leaves messages out, and only those', async () => {
    const lines = [
      header,
      msg(1, 1),
      msg(2, 2),
      bookLine(T0 + 3),
      msg(4, 4),
      clock(5),
      msg(6, 6),
      msg(7, 7),
      msg(8, 8),
    ];
    expect(await inject(lines, 'drop=1')).toEqual({ lines: [header, bookLine(T0 + 3), clock(5)], summary: '6 drops' });
    // schedules are part of what a seed promises
    const left = async (seed: number): Promise<number[]> => {
      const many = Array.from({ length: 20 }, (_, n) => msg(n + 1, n + 1));
      return (await inject(many, 'drop=3', seed)).lines.map((line) => timeIn(line) - T0);
    };
    expect(await left(1)).toEqual([1, 2, 3, 5, 6, 8, 10, 11, 13, 14, 15, 16, 19, 20]);
    expect(await left(2)).toEqual([1, 2, 4, 5, 6, 7, 9, 10, 11, 15, 16, 17, 19, 20]);
  });

  test('N is the mean number of messages from one to the next', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => msg(n + 1, n));
    for (const seed of [1, 2, 3]) {
      const { lines } = await inject(many, 'drop=50', seed);
      expect(Math.abs(many.length - lines.length - 400)).toBeLessThan(40);
    }
  });

  test('dup repeats a message a microsecond later', async () => {
    const lines = [header, msg(10, 1), msg(20, 2), clock(21), msg(30, 3), msg(31, 4), msg(40, 5)];
    expect(await inject(lines, 'dup=1')).toEqual({
      lines: [
        ...[header, msg(10, 1), msg(11, 1), msg(20, 2), clock(21), msg(30, 3), msg(31, 4), msg(32, 4)],
        ...[msg(40, 5), msg(41, 5)],
      ],
      summary: '3 dups',
    });
  });

  test('dup waits for a message behind which there is room', async () => {
    const spaced = [msg(10, 1), msg(20, 2), msg(30, 3), msg(40, 4)];
    expect((await inject(spaced, 'dup=8', 2)).lines).toEqual([...spaced.slice(0, 2), msg(21, 2), ...spaced.slice(2)]);
    const dense = [msg(10, 1), msg(11, 2), msg(12, 3), msg(20, 4)];
    expect((await inject(dense, 'dup=8', 2)).lines).toEqual([...dense.slice(0, 3), msg(13, 3), msg(20, 4)]);
  });

  test('reorder swaps neighbours and leaves the times; nothing is moved over another entry', async () => {
    const lines = [header, msg(1, 1), msg(2, 2), clock(3), msg(4, 4), clock(5), msg(6, 6), msg(7, 7), msg(8, 8)];
    expect(await inject(lines, 'reorder=1')).toEqual({
      lines: [header, msg(1, 2), msg(2, 1), clock(3), msg(4, 4), clock(5), msg(6, 7), msg(7, 6), msg(8, 8)],
      summary: '2 reorders',
    });
  });

  test('reorder takes the connection along', async () => {
    const other = (t: number): string => entry(t, { conn: 'k3f9.2', msg: 2 });
    expect((await inject([msg(1, 1), other(2)], 'reorder=1')).lines).toEqual([other(1), msg(2, 1)]);
  });

  test('delay prints a message later, at a time that is free', async () => {
    const clocks = [1, 2, 3].map((s) => clock(s * SECOND));
    const due = 1_823_167;
    expect(await inject([msg(10, 1), ...clocks], 'delay=1')).toEqual({
      lines: [clocks[0], msg(due, 1), ...clocks.slice(1)],
      summary: '1 delay (1.8 s)',
    });
    const taken = [msg(10, 1), msg(due, 2), clock(due + 1), clock(3 * SECOND)];
    expect((await inject(taken, 'delay=1')).lines).toEqual([...taken.slice(1, 3), msg(due + 2, 1), clock(3 * SECOND)]);
  });

  test('gap leaves out a while and marks it at its end, as does the end of the tape', async () => {
    const lines = [header, ...Array.from({ length: 20 }, (_, n) => (n % 4 === 3 ? clock : msg)(n * SECOND, n))];
    const gap = (t: number, from: number): string =>
      entry(t, { conn: 'k3f9.1', gap: { stream: '*', from: T0 + from * SECOND, reason: 'silence' } });
    const kept = (...numbers: number[]): string[] => numbers.map((n) => lines[n + 1]);
    expect(await inject(lines, 'gap=3')).toEqual({
      lines: [
        ...[header, ...kept(0, 3), gap(3_534_635, 0)],
        ...[...kept(4, 5, 6, 7, 11), gap(11_523_744, 6)],
        ...[...kept(12, 13), gap(14_837_476, 13)],
        ...[...kept(15, 16, 17, 19), gap(19_000_001, 17)],
      ],
      summary: '4 gaps (7.9 s)',
    });
  });

  test('between two outages stands a message', async () => {
    const lines = Array.from({ length: 40 }, (_, n) => msg(n * SECOND, n));
    const keys = entriesOf((await inject(lines, 'gap=1')).lines).map(({ key }) => key);
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.join()).toMatch(/^(msg,gap,?)+$/);
  });

  test('disconnect closes the connections of the src and opens them again', async () => {
    const open = (t: number, conn: string): string => entry(t, { conn, open: { url: `wss://x/${conn}` } });
    const close = (t: number, conn: string): string => entry(t, { conn, close: { code: 1006, reason: 'injected' } });
    const gap = (t: number, from: number): string =>
      entry(t, { conn: 'k3f9.1', gap: { stream: '*', from: T0 + from, reason: 'disconnect' } });
    const lines = [
      ...[header, open(1, 'k3f9.1'), open(2, 'k3f9.2'), open(3, 'k3f9.3')],
      entry(4, { conn: 'k3f9.3', close: { code: 1000, reason: '' } }),
      ...Array.from({ length: 12 }, (_, n) => msg(n * SECOND + 10, n)),
    ];
    const at = 3_669_409;
    expect(await inject(lines, 'disconnect=4')).toEqual({
      lines: [
        ...lines.slice(0, 8),
        ...[close(3 * SECOND + 9, 'k3f9.1'), close(3 * SECOND + 10, 'k3f9.2')],
        ...[open(at, 'k3f9.1'), open(at + 1, 'k3f9.2'), gap(at + 2, 2 * SECOND + 10)],
        ...lines.slice(9, 13),
        ...[close(8 * SECOND + 9, 'k3f9.1'), close(8 * SECOND + 10, 'k3f9.2')],
        ...[open(11 * SECOND + 11, 'k3f9.1'), open(11 * SECOND + 12, 'k3f9.2'), gap(11 * SECOND + 13, 7 * SECOND + 10)],
      ],
      summary: '2 disconnects (3.7 s)',
    });
  });

  test('disconnect waits for a message before which all its connections can be closed', async () => {
    const other = entry(1, { conn: 'k3f9.2', open: { url: 'wss://x' } });
    const lines = [other, ...[2, 3, 4, 6, 7].map((t) => msg(t, t)), clock(9 * SECOND)];
    const { lines: out } = await inject(lines, 'disconnect=1');
    expect(out.slice(0, 4)).toEqual(lines.slice(0, 4));
    expect(out.slice(4, 6).map((line) => timeIn(line) - T0)).toEqual([5, 6]);
    expect(entriesOf(out.slice(4)).map(({ key }) => key)).toEqual(['close', 'close', 'open', 'open', 'gap', 'clock']);
  });

  test('truncate makes a text entry of what is left; half a number is a number still', async () => {
    const lines = [
      header,
      msg(1, 1000),
      msg(2, 2000),
      msg(3, 3000),
      clock(4),
      entry(5, { conn: 'k3f9.1', msg: 12345 }),
    ];
    const text = (t: number, left: string): string => entry(t, { conn: 'k3f9.1', text: left });
    expect(await inject(lines, 'truncate=1')).toEqual({
      lines: [header, text(1, '{"n":10'), text(2, '{"n":2'), text(3, '{"n":'), ...lines.slice(4)],
      summary: '3 truncations',
    });
  });

  test('what is held is printed before the end of its segment, or of its connection', async () => {
    const ends = [
      entry(100, { conn: 'k3f9.1', close: { code: 1000, reason: '' } }),
      entry(100, { index: [] }),
      entry(100, { gap: { stream: 'depth', from: T0, reason: 'sequence' } }),
    ];
    for (const end of ends) {
      const after = clock(9 * SECOND);
      expect((await inject([msg(10, 1), end, after], 'delay=1')).lines).toEqual([msg(99, 1), end, after]);
      const { lines } = await inject([msg(10, 1), msg(20, 2), end, after], 'gap=1');
      expect(lines.map(timeIn)).toEqual([10, 99, 100, 9 * SECOND].map((t) => T0 + t));
      // no room: it comes at its time, and nothing is lost
      expect((await inject([msg(10, 1), clock(99), end, after], 'delay=1')).lines.slice(0, 2)).toEqual([
        clock(99),
        end,
      ]);
    }
  });

  test('where the times of a tape go back, nothing waits until they have caught up', async () => {
    const lines = [clock(8 * SECOND), msg(9 * SECOND, 1), clock(5), clock(6)];
    expect((await inject(lines, 'delay=1')).lines).toEqual([lines[0], msg(8 * SECOND + 1, 1), ...lines.slice(2)]);
    const { lines: out } = await inject([msg(8 * SECOND, 1), ...lines.slice(1)], 'gap=1');
    expect(out.map((line) => timeIn(line) - T0)).toEqual([8 * SECOND, 8 * SECOND + 1, 5, 6]);
  });
});

describe('flows', () => {
  const damage: Damage = {
    damage: { code: 'E_FRAME_CORRUPT', file: 'f', frame: 3, line: 9, bytes: 7, message: 'checksum' },
  };

  async function itemsOf(flow: LineFlow): Promise<(LineBatch | Damage)[]> {
    const items: (LineBatch | Damage)[] = [];
    for await (const item of flow) items.push(item);
    return items;
  }

  const batchOf = (lines: readonly string[], line: number): LineBatch => {
    const bytes = Buffer.from(lines.join(''));
    return { bytes, from: 0, to: bytes.length, file: 'f', frame: 0, line };
  };

  test('batches without a fault are passed on as they are, and so is damage', async () => {
    const items = [batchOf([headerLine(T0), msg(1, 1)], 1), damage, batchOf([msg(2, 2), 'broken\n'], 3)];
    async function* flow(): LineFlow {
      yield* items;
    }
    const out = await itemsOf(createInjection(rulesOf('drop=1000,delay=1000'), 1).into(flow()));
    expect(out).toHaveLength(3);
    for (const [n, item] of out.entries()) expect(item).toBe(items[n]);
  });

  test('runs of untouched lines stay in the bytes they came in, and know their line numbers', async () => {
    const batch = batchOf([msg(1, 1), clock(2), clock(3), msg(4, 4), clock(5)], 7);
    async function* flow(): LineFlow {
      yield batch;
    }
    const out = await itemsOf(createInjection(rulesOf('dup=1'), 1).into(flow()));
    const shown = out.flatMap((item) =>
      'damage' in item
        ? []
        : [[item.line, item.bytes === batch.bytes, item.bytes.toString('utf8', item.from, item.to)]],
    );
    expect(shown).toEqual([[7, true, msg(1, 1) + clock(2) + clock(3) + msg(4, 4) + clock(5)]]);
    const roomy = batchOf([msg(1, 1), clock(3), msg(4, 4), clock(7)], 7);
    async function* other(): LineFlow {
      yield roomy;
    }
    const cut = await itemsOf(createInjection(rulesOf('dup=1'), 1).into(other()));
    expect(cut.map((item) => ('damage' in item ? [] : [item.line, item.bytes === roomy.bytes]))).toEqual([
      ...[
        [7, true],
        [8, false],
        [8, true],
        [10, false],
        [10, true],
      ],
    ]);
  });
});

test('a kind named twice is a usage error', () => {
  expect(() => createInjection(rulesOf('drop=1,dup=1,drop=2'), 1)).toThrow("--inject names 'drop' twice");
});

interface Step {
  src: number;
  wait: number;
  kind: string;
  conn: number;
}

const KINDS = [
  'number',
  'odd',
  'lone',
  'clock',
  'book',
  'text',
  'open',
  'close',
  'gap',
  'tape',
  'end',
  'junk',
] as const;

const step = fc.record<Step>({
  src: fc.nat(1),
  wait: fc.constantFrom(1, 1, 2, 3, 1000, 300_000, 3_000_000),
  kind: fc.oneof({ weight: 12, arbitrary: fc.constant('msg') }, { weight: 5, arbitrary: fc.constantFrom(...KINDS) }),
  conn: fc.integer({ min: 1, max: 2 }),
});
const steps = fc.array(step, { maxLength: 60 });
const rule = fc.record<FaultRule>({ kind: fc.constantFrom(...FAULT_KINDS), every: fc.integer({ min: 1, max: 6 }) });
const rules = fc.uniqueArray(rule, { minLength: 1, selector: ({ kind }) => kind });
const rulesText = (given: readonly FaultRule[]): string => given.map(({ kind, every }) => `${kind}=${every}`).join();
const SRCS = [SRC, 'binance-usdm:ETHUSDT'];

/** A tape of every kind of line; no two lines are the same, and no two messages. */
function tapeOf(given: readonly Step[]): string[] {
  let now = 0;
  return given.map(({ src: which, wait, kind, conn: socket }, n) => {
    now += wait;
    const src = SRCS[which];
    const t = T0 + now;
    const conn = `k3f9.${socket}`;
    const line = (rest: object): string => entryLine({ t, src, ...rest } as Entry);
    switch (kind) {
      case 'msg':
        return message(t, `{"stream":"é${n}","data":[${n},{"a":"${'x'.repeat(n % 7)}"}]}`, src).toString();
      case 'number':
        return line({ conn, msg: n });
      case 'odd':
        return `{ "t": ${t}, "msg": {"n": ${n}} ,"conn":"${conn}", "src":"${src}"}\r\n`;
      case 'lone':
        return line({ msg: { n } });
      case 'book':
        return bookLine(t, src);
      case 'text':
        return line({ conn, text: 'Ping' });
      case 'open':
        return line({ conn, open: { url: 'wss://x' } });
      case 'close':
        return line({ conn, close: { code: 1000, reason: '' } });
      case 'gap':
        return line({ gap: { stream: 'trade', from: t - 1, reason: 'sequence' } });
      case 'tape':
        return headerLine(t, src);
      case 'end':
        return line({ end: { entries: n, sha256: '' } });
      case 'junk':
        return `junk ${t}\n`;
      default:
        return line({ clock: { wall: n, loop: 0, exchange: null } });
    }
  });
}

interface Read {
  line: string;
  t: number;
  src: string;
  key: string;
  value: string;
}

function read(line: string): Read | null {
  const bytes = Buffer.from(line);
  const envelope = envelopeOf(bytes, 0, bytes.length);
  if (envelope === null) return null;
  const { t, src, key, valueFrom, valueTo } = envelope;
  return { line, t, src, key, value: bytes.toString('utf8', valueFrom, valueTo) };
}

const entriesOf = (lines: readonly string[], src?: string): Read[] =>
  lines.flatMap((line) => {
    const found = read(line);
    return found === null || (src !== undefined && found.src !== src) ? [] : [found];
  });

describe('any tape, any faults', () => {
  test('times rise from line to line of a src', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rules, fc.nat(), async (given, mix, seed) => {
        const { lines } = await inject(tapeOf(given), rulesText(mix), seed);
        for (const src of SRCS) {
          const times = entriesOf(lines, src).map(({ t }) => t);
          for (const [n, t] of times.entries()) if (n > 0) expect(t).toBeGreaterThan(times[n - 1]);
        }
      }),
    );
  });

  test('what was not touched stands unchanged and in order, and all that is no message is untouched', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rules, fc.nat(), async (given, mix, seed) => {
        const tape = tapeOf(given);
        const { lines } = await inject(tape, rulesText(mix), seed);
        const before = new Set(tape);
        const after = new Set(lines);
        for (const src of SRCS) {
          const kept = entriesOf(tape, src).filter(({ line }) => after.has(line));
          expect(entriesOf(lines, src).filter(({ line }) => before.has(line))).toEqual(kept);
        }
        expect(entriesOf(tape).filter(({ line, key }) => key !== 'msg' && !after.has(line))).toEqual([]);
        expect(lines.filter((line) => line.startsWith('junk'))).toEqual(tape.filter((line) => line.startsWith('junk')));
      }),
    );
  });

  test('without faults the bytes are the same', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (given, seed) => {
        const text = tapeOf(given).join('');
        for (const mix of [[], rulesOf('drop=1000000000,delay=1000000000')]) {
          const injection = createInjection(mix, seed);
          const out = await collect(injection.into(flowOf([text])));
          expect(out).toMatchObject({ text, batches: 1 });
        }
      }),
    );
  });

  test('batches do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rules, fc.nat(), fc.array(fc.nat(60)), async (given, mix, seed, cuts) => {
        const tape = tapeOf(given);
        const within = cuts.map((cut) => Math.min(cut, tape.length));
        expect(await inject(tape, rulesText(mix), seed, within)).toEqual(await inject(tape, rulesText(mix), seed));
      }),
    );
  });

  test('other symbols do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rules, fc.nat(), async (given, mix, seed) => {
        const tape = tapeOf(given);
        const { lines } = await inject(tape, rulesText(mix), seed);
        for (const src of SRCS) {
          const alone = entriesOf(tape, src).map(({ line }) => line);
          expect(entriesOf(lines, src)).toEqual(entriesOf((await inject(alone, rulesText(mix), seed)).lines));
        }
      }),
    );
  });

  test('the order in which kinds are named does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(steps, rules, fc.nat(), async (given, mix, seed) => {
        const tape = tapeOf(given);
        const { lines } = await inject(tape, rulesText([...mix].reverse()), seed);
        expect(lines).toEqual((await inject(tape, rulesText(mix), seed)).lines);
      }),
    );
  });

  test('another seed makes other faults, and so does another src', async () => {
    const lines = SRCS.map((src) =>
      Array.from({ length: 100 }, (_, n) => message(T0 + n, `{"n":${n}}`, src).toString()),
    );
    const left = async (tape: readonly string[], seed: number): Promise<string> =>
      (await inject(tape, 'drop=4', seed)).lines.map((line) => timeIn(line) - T0).join();
    expect(await left(lines[0], 1)).not.toBe(await left(lines[0], 2));
    expect(await left(lines[0], 1)).not.toBe(await left(lines[1], 1));
  });
});

describe('one kind on any tape of one src', () => {
  interface Changed {
    before: Read[];
    after: Read[];
    /** of the tape, not printed; and printed, not of the tape */
    gone: Read[];
    made: Read[];
    count: number;
  }

  const holds = (kind: FaultKind, check: (changed: Changed) => void): Promise<void> =>
    fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), fc.nat(), async (given, every, seed) => {
        const tape = tapeOf(given.map((one) => ({ ...one, src: 0 })));
        const { lines, summary } = await inject(tape, `${kind}=${every}`, seed);
        const [before, after] = [entriesOf(tape), entriesOf(lines)];
        const gone = before.filter(({ line }) => !lines.includes(line));
        const made = after.filter(({ line }) => !tape.includes(line));
        check({ before, after, gone, made, count: Number.parseInt(summary, 10) });
      }),
    );
  const values = (entries: readonly Read[]): string[] => entries.map(({ value }) => value).sort();

  test('drop: so many are gone', () =>
    holds('drop', ({ gone, made, count }) => {
      expect(made).toEqual([]);
      expect(gone).toHaveLength(count);
    }));

  test('dup: so many more, each a microsecond behind its like', () =>
    holds('dup', ({ after, gone, made, count }) => {
      expect(gone).toEqual([]);
      expect(made).toHaveLength(count);
      for (const one of made) {
        const like = after[after.indexOf(one) - 1];
        expect(one).toEqual({ ...like, t: like.t + 1, line: like.line.replace(`${like.t}`, `${like.t + 1}`) });
      }
    }));

  test('reorder: the same messages at the same times, two neighbours swapped each time', () =>
    holds('reorder', ({ before, after, gone, made, count }) => {
      expect(after.map(({ t }) => t)).toEqual(before.map(({ t }) => t));
      expect(values(after)).toEqual(values(before));
      expect([gone.length, made.length]).toEqual([2 * count, 2 * count]);
      for (let n = 0; n < made.length; n += 2)
        expect([made[n + 1].value, made[n].value]).toEqual([gone[n].value, gone[n + 1].value]);
    }));

  test('delay: the same messages, some later', () =>
    holds('delay', ({ before, after, gone, made, count }) => {
      expect(values(after)).toEqual(values(before));
      // one may come at its own time, where its segment ends
      expect(made.length).toBeLessThanOrEqual(count);
      expect(made.map(({ value }) => value)).toEqual(gone.map(({ value }) => value));
      for (const [n, one] of made.entries()) {
        expect(one.t).toBeGreaterThan(gone[n].t);
        expect(one.t).toBeLessThanOrEqual(gone[n].t + 2 * SECOND + before.length);
      }
    }));

  const outage = (reason: string, { before, after, gone, made, count }: Changed): void => {
    const gaps = made.filter(({ key }) => key === 'gap');
    expect(gaps).toHaveLength(count);
    const out = gaps.flatMap((one) => {
      const gap = JSON.parse(one.value) as { from: number };
      expect(gap).toEqual({ stream: '*', from: gap.from, reason });
      expect(after.filter(({ t, key }) => key === 'msg' && t <= one.t).at(-1)?.t).toBe(gap.from);
      return before.filter(({ t, key }) => key === 'msg' && t > gap.from && t <= one.t);
    });
    expect([...new Set(out)]).toEqual(gone);
  };

  test('gap: what is gone lies between the time a gap names and its own', () =>
    holds('gap', (changed) => {
      outage('silence', changed);
      expect(changed.made.filter(({ key }) => key !== 'gap')).toEqual([]);
    }));

  test('disconnect: likewise, between close and open of the same connections', () =>
    holds('disconnect', (changed) => {
      outage('disconnect', changed);
      const sockets = (key: string): string[] =>
        changed.made.filter((one) => one.key === key).map(({ line }) => (JSON.parse(line) as { conn: string }).conn);
      expect(sockets('open')).toEqual(sockets('close'));
      expect(sockets('open').length).toBeGreaterThanOrEqual(changed.count);
      for (const { key, value } of changed.made)
        if (key === 'close') expect(JSON.parse(value)).toEqual({ code: 1006, reason: 'injected' });
    }));

  test('truncate: the first bytes of a message, as text, or as binary where a character was cut', () =>
    holds('truncate', ({ before, after, gone, made, count }) => {
      expect(after.map(({ t }) => t)).toEqual(before.map(({ t }) => t));
      expect([gone.length, made.length]).toEqual([count, count]);
      for (const [n, { key, value }] of made.entries()) {
        const left = Buffer.from(JSON.parse(value) as string, key === 'bin' ? 'base64' : 'utf8');
        expect(['text', 'bin']).toContain(key);
        expect(left.length).toBeLessThan(Buffer.byteLength(gone[n].value));
        expect(Buffer.from(gone[n].value).subarray(0, left.length)).toEqual(left);
      }
    }));
});

describe('readers notice', () => {
  async function verify(lines: readonly string[]): Promise<SourceReport> {
    const [report] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(lines.join(''))]) });
    return report;
  }
  const gapsOf = ({ problems }: SourceReport): string[] =>
    problems.filter(({ code }) => code === 'GAP').map(({ message: text }) => text);
  const whole = market(200, 50_000);
  const only = (kind: Received['kind']): string[] =>
    tapeLines(whole.filter((one) => one.kind === kind || one.kind === 'snapshot'));

  test('the tape is whole before', async () => {
    expect(await verify(tapeLines(whole))).toMatchObject({ src: MARKET_SRC, gaps: 0, verified: 99.83, problems: [] });
    expect(await verify(only('depth'))).toMatchObject({ gaps: 0, problems: [] });
  });

  /** The first line that is another one than in the tape, counted from 1. */
  const firstOther = (lines: readonly string[], faulty: readonly string[]): number =>
    1 + faulty.findIndex((line, n) => line !== lines[n]);

  test.each(['drop', 'reorder'])('%s of depth messages, as a sequence gap where it happened', async (kind) => {
    const lines = only('depth');
    for (const seed of [1, 2, 3, 4, 5]) {
      const { lines: faulty } = await inject(lines, `${kind}=60`, seed);
      const { problems } = await verify(faulty);
      expect(problems[0]).toMatchObject({ code: 'GAP', line: firstOther(lines, faulty) });
      expect(problems[0].message).toMatch(/^depth messages are missing since .*: sequence, expected \d+, got \d+$/);
    }
  });

  test.each(['drop', 'reorder', 'truncate'])('%s of trades, one by one', async (kind) => {
    const { lines: faulty, summary } = await inject(only('trade'), `${kind}=30`, 1);
    const { gaps, problems } = await verify(faulty);
    expect(Number.parseInt(summary, 10)).toBeGreaterThan(3);
    expect(gaps).toBe(Number.parseInt(summary, 10));
    expect(
      problems.filter(({ message: text }) => /^1 trade messages are missing before id \d+$/.test(text)),
    ).toHaveLength(gaps);
  });

  test('dup costs nothing', async () => {
    const lines = tapeLines(whole);
    const { lines: faulty } = await inject(lines, 'dup=3');
    expect(faulty.length).toBeGreaterThan(lines.length + 150);
    const plain = await verify(lines);
    const report = await verify(faulty);
    // what came is counted, repeats too
    const { clock } = report;
    const streams = report.streams.map((stream, n) => ({ ...stream, messages: plain.streams[n].messages }));
    const messages = plain.messages + faulty.length - lines.length;
    expect({ ...report, streams }).toEqual({ ...plain, messages, clock });
  });

  test.each([
    ['gap', 'silence'],
    ['disconnect', 'disconnect'],
  ])('%s, as what the tape says', async (kind, reason) => {
    const { lines: faulty, summary } = await inject(tapeLines(whole), `${kind}=60`, 1);
    const count = Number.parseInt(summary, 10);
    expect(count).toBeGreaterThan(2);
    const report = await verify(faulty);
    expect(report.gaps).toBe(count);
    const said = new RegExp(`^messages of all streams are missing since .*: ${reason}$`);
    expect(gapsOf(report).filter((text) => said.test(text))).toHaveLength(count);
  });

  describe('scan', () => {
    const given = {
      set: ['tape-imbalance.quantile=0.3', 'book-imbalance.on=0.3', 'book-imbalance.off=0.2'],
      ...{ unit: MINUTE, baseline: MINUTE, htf: MINUTE },
    };
    const tape = randomTape({ seed: 5, minutes: 4 }).lines.map((line) => `${line}\n`);
    const scanned = (lines: readonly string[]): ReturnType<typeof scanLines> =>
      scanLines(
        lines.map((line) => line.trimEnd()),
        given,
      );

    test('dup changes no signal', async () => {
      const { lines: faulty } = await inject(tape, 'dup=20');
      const plain = await scanned(tape);
      expect(plain.lines.length).toBeGreaterThan(20);
      // an end from outside names the last entry there was, and that may be a repeated one
      const facts = (lines: readonly string[]): string[] =>
        lines.map((line) => (/"reason":"(hour|eof)"/.test(line) ? line.replace(/"last":\d+/, '') : line));
      expect(facts((await scanned(faulty)).lines)).toEqual(facts(plain.lines));
    });

    test.each(['drop', 'reorder', 'gap', 'disconnect'])('%s ends what is open with reason gap', async (kind) => {
      const plain = await scanned(tape);
      expect(plain.signals.filter(({ reason }) => reason === 'gap')).toEqual([]);
      let ended = 0;
      for (const seed of [1, 2, 3, 4, 5]) {
        const { signals } = await scanned((await inject(tape, `${kind}=1000`, seed)).lines);
        ended += signals.filter(({ reason }) => reason === 'gap').length;
      }
      expect(ended).toBeGreaterThan(0);
    });
  });
});
