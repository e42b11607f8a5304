/** Holds a tape against what the exchange published and what was handed to the recorder: nothing missing, nothing made up. */
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import type { ProblemCode } from '../../../src/audit/problems.js';
import { verifyTapes } from '../../../src/audit/verify.js';
import type { Checkpoint, Entry, Gap, Micros } from '../../../src/model/entry.js';
import { parseEntry } from '../../../src/tape/line.js';
import { follow, messageIn, only } from '../tape.js';
import { ANEW } from './ledger.js';
import type { Line } from './relay.js';
import type { FaultRig } from './rig.js';

/** A message on a tape: the bytes it came in. */
interface Recorded {
  t: Micros;
  conn: string;
  text: Buffer;
}

/** Where two messages of a topic that stand one after the other on the tape did not follow each other when published. */
interface Break {
  from: Micros;
  to: Micros;
  /** messages of the topic that are nowhere on the tape, lost here */
  lost: number;
}

export interface Verdict {
  gaps: Gap[];
  reconnects: number;
  /** messages that were published between the first and the last recorded one, and are not on the tape */
  lost: number;
}

/** Ends the recording and judges it. @param found what verify may say besides the gaps */
export async function judge(rig: FaultRig, found: readonly ProblemCode[] = []): Promise<Verdict> {
  const { venue, symbol, ledger, relay } = rig;
  const summary = await rig.finish();
  expect(summary).toMatchObject({ dropped: 0, written: summary.received });
  const { symbol: lines, others } = await rig.lines();
  const entries = lines.map((line) => parseEntry(line));
  const times = entries.map(({ t }) => t);
  expect(times.filter((t, i) => i > 0 && t <= times[i - 1])).toEqual([]);

  // every message that was handed on stands there verbatim, and in order
  const recorded = recordedIn(lines);
  const opens = only([...entries, ...others.map((line) => parseEntry(line))], 'open');
  const byConn = new Map([...recorded, ...recordedIn(others)].map(({ conn }) => [conn, [] as Recorded[]]));
  for (const one of recorded) byConn.get(one.conn)?.push(one);
  for (const one of recordedIn(others)) byConn.get(one.conn)?.push(one);
  const closes = new Map(only(entries, 'close').map(({ conn, close }) => [conn, close.reason]));
  for (const [conn, line] of pairs(opens, relay.lines)) {
    const kept = byConn.get(conn) ?? [];
    const due = line.given.slice(0, line.readable);
    // who gives a silent connection up does not wait for what may be on its way
    const given = closes.get(conn) === 'silence' ? due.slice(0, kept.length) : due;
    expect(sortedTexts(kept.map(({ text }) => text))).toEqual(sortedTexts(given.map(({ text }) => text)));
    for (const topic of new Set(given.map((message) => message.topic))) {
      if (topic === null) continue;
      const mine = kept.filter(({ text }) => venue.topicOf(text, 0, text.length) === topic);
      expect(hexOf(mine)).toEqual(hexOf(given.filter((message) => message.topic === topic)));
    }
  }

  const followed = await follow({ lines: async () => lines }, symbol);
  // what was published and is not there lies within a gap, and gaps are nowhere else
  const gaps = only(entries, 'gap');
  const lostConns = only(entries, 'close').filter(({ close }) => close.code !== 1000 || close.reason !== 'stop');
  const topics = venue.connections([symbol], [...venue.channels.default]).flatMap((plan) => plan.topics);
  const breaks = new Map<string, Break[]>();
  let lost = 0;
  for (const { name, channel } of topics) {
    const mine = recorded.filter(({ text }) => venue.topicOf(text, 0, text.length) === name);
    const found = breaksOf(mine, ledger.published.get(name) ?? [], entries[0].t);
    breaks.set(channel, found);
    const isProven = channel === 'depth' ? venue.capabilities.bookLossDetected : venue.capabilities.tradeLossDetected;
    for (const hole of found) {
      if (hole.lost === 0) continue;
      lost += hole.lost;
      const atLoss = lostConns.some(({ t }) => t > hole.from && t < hole.to);
      // quotes have no numbers that tell of a loss, nor have trades on some venues
      if (!atLoss && (!isProven || channel === 'bookTicker')) continue;
      const isTold = gaps.some(({ t, gap }) => {
        // a lost book is lost until it is there again
        const to = channel === 'depth' ? (followed.valid.find((valid) => valid > t) ?? t) : t;
        return (gap.stream === '*' || gap.stream === channel) && gap.from <= hole.to && to >= hole.from;
      });
      expect(
        isTold,
        `${hole.lost} messages of ${name} lost between ${hole.from} and ${hole.to}, and no gap says so`,
      ).toBe(true);
    }
  }
  for (const { t, gap } of gaps) {
    const atLoss = lostConns.some((close) => close.t >= gap.from && close.t <= t);
    const holes = gap.stream === '*' ? [...breaks.values()].flat() : (breaks.get(gap.stream) ?? []);
    const isHole = holes.some(({ from, to }) => gap.from <= to && t >= from);
    expect(
      gap.reason === 'sequence' || gap.reason === 'number' ? isHole : atLoss || isHole,
      `${JSON.stringify(gap)} is made up`,
    ).toBe(true);
  }

  // the book is the one that all its messages make
  const whole = await wholeBook(rig, lines[0]);
  expect([followed.book.state, whole.state]).toEqual(['valid', 'valid']);
  for (const side of ['bids', 'asks'] as const) {
    expect(followed.book[side].length).toBeGreaterThan(100);
    expect(followed.book[side].slice(0, 100)).toEqual(whole[side].slice(0, 100));
  }

  const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
  const problems = reports.flatMap((report) => report.problems);
  expect(problems.filter(({ code }) => code !== 'GAP' && !found.includes(code))).toEqual([]);
  return { gaps: gaps.map(({ gap }) => gap), reconnects: summary.reconnects, lost };
}

/** The exchange's book, made of what it published since it counts as it does; `header` is the tape's. */
async function wholeBook({ venue, symbol, ledger, relay, topicOf }: FaultRig, header: string): Promise<Checkpoint> {
  const { src, t } = parseEntry(header);
  const line = (n: number, rest: string): string => `{"t":${t + n},"src":"${src}",${rest}}`;
  const message = (n: number, text: string): string => line(n, `"conn":"x.1","msg":${text}`);
  const topic = topicOf('depth');
  const opening = ledger.opening(topic);
  const lines = [header];
  if (opening !== null) lines.push(message(1, opening));
  else {
    const url = venue.rest.snapshot?.(symbol) ?? '';
    lines.push(line(1, `"http":{"url":"${url}","status":200,"sent":${t},"body":${relay.answers.get(url)}}`));
    const published = ledger.published.get(topic) ?? [];
    for (const [n, text] of published.slice(published.lastIndexOf(ANEW) + 1).entries())
      lines.push(message(2 + n, text));
  }
  return (await follow({ lines: async () => lines }, symbol)).book;
}

/** Messages on lines, in order. */
function recordedIn(lines: string[]): Recorded[] {
  return lines.flatMap((line) => {
    const message = messageIn(line);
    const entry: Entry | null = message === null && !/"(text|bin)":/.test(line.slice(0, 120)) ? null : parseEntry(line);
    if (entry === null) return [];
    const { t } = entry;
    const conn = 'conn' in entry ? String(entry.conn) : '';
    if (message !== null) return [{ t, conn, text: Buffer.from(message) }];
    if ('text' in entry) return [{ t, conn, text: Buffer.from(entry.text) }];
    return 'bin' in entry ? [{ t, conn, text: Buffer.from(entry.bin, 'base64') }] : [];
  });
}

/** Connections of the tape with those of the relay: the nth of a path is the nth. */
function pairs(opens: { conn: string; open: { url: string } }[], lines: Line[]): [string, Line][] {
  const taken = new Map<string, Line>();
  const left = [...lines];
  for (const { conn, open } of opens) {
    if (taken.has(conn)) continue;
    const at = left.findIndex(({ path }) => open.url.endsWith(path));
    if (at < 0) throw new Error(`${conn} was never accepted`);
    taken.set(conn, left.splice(at, 1)[0]);
  }
  // whoever was accepted and gave up before it knew has heard nothing
  expect(left.filter(({ given }) => given.some(({ topic }) => topic !== null))).toEqual([]);
  return [...taken];
}

function breaksOf(mine: Recorded[], published: string[], start: Micros): Break[] {
  const places = new Map<string, number[]>();
  for (const [n, text] of published.entries()) {
    const all = places.get(text);
    if (all === undefined) places.set(text, [n]);
    else all.push(n);
  }
  const seen = new Set<number>();
  let previous = -1;
  const numbered = mine.flatMap(({ t, text }) => {
    const all = places.get(text.toString('utf8')) ?? [];
    // of equal ones, the next
    const n = all.find((place) => place > previous) ?? all.at(-1);
    if (n === undefined) return [];
    previous = n;
    seen.add(n);
    return [{ t, n }];
  });
  const breaks: Break[] = [];
  for (const [i, { t, n }] of numbered.entries()) {
    const before = i === 0 ? { t: start, n: n - 1 } : numbered[i - 1];
    if (n === before.n + 1 && i > 0) continue;
    let missing = 0;
    for (let between = before.n + 1; between < n; between++)
      if (!seen.has(between) && published[between] !== ANEW) missing++;
    breaks.push({ from: before.t, to: t, lost: missing });
  }
  return breaks;
}

const hexOf = (messages: { text: Buffer }[]): string[] => messages.map(({ text }) => text.toString('latin1'));
const sortedTexts = (texts: Buffer[]): string[] => texts.map((text) => text.toString('latin1')).sort();
