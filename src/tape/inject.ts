/** Faults a bot has to survive, put into a flow of lines: each src has its own schedule, and the same seed makes the same faults. */
import type { LineFlow } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { type Envelope, endOfLine, entryLine, envelopeOf, isJsonLine, messageLine } from './line.js';

export const FAULT_KINDS = ['drop', 'dup', 'reorder', 'delay', 'gap', 'disconnect', 'truncate'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultRule {
  kind: FaultKind;
  /** mean number of messages from one fault to the next */
  every: number;
}

/** Faults for the flows of one replay, and what became of them. */
export interface Injection {
  /** the flow with faults; batches in which nothing happens are passed on as they are */
  into(flow: LineFlow): LineFlow;
  /** `12 drops, 3 gaps (4.2 s)`: what was injected so far, in the order of the rules */
  summary(): string;
}

const LONGEST_DELAY: Micros = 2_000_000;
const LONGEST_OUTAGE: Micros = 5_000_000;

/** Prepares faults. @throws {TapedeckError} E_USAGE when a kind is named twice */
export function createInjection(rules: readonly FaultRule[], seed: number): Injection {
  const tallies = rules.map(({ kind }) => ({ kind, count: 0, micros: 0 }));
  const twice = rules.find(({ kind }, n) => rules.findIndex((other) => other.kind === kind) < n);
  if (twice !== undefined) throw new TapedeckError('E_USAGE', `--inject names '${twice.kind}' twice`);
  const schedulesOf = (src: Source): Schedule[] =>
    rules
      .map((rule, n) => schedule(rule, createDraw(`${seed} ${rule.kind} ${src}`), tallies[n]))
      // where two are due, the last of the list comes first: the rare and long is not kept waiting by the frequent
      .sort((a, b) => FAULT_KINDS.indexOf(b.kind) - FAULT_KINDS.indexOf(a.kind));
  return {
    into: (flow) => inject(flow, (src) => new SourceFaults(src, schedulesOf(src))),
    summary: () => tallies.map(tallyText).join(', '),
  };
}

async function* inject(flow: LineFlow, faultsOf: (src: Source) => SourceFaults): LineFlow {
  const sources = new Map<Source, SourceFaults>();
  for await (const item of flow) {
    if ('damage' in item) {
      yield item;
      continue;
    }
    const { bytes, to } = item;
    let { from, line, line: fromLine } = item;
    for (let p = from, end = p; p < to; p = end, line++) {
      end = endOfLine(bytes, p, to);
      const envelope = envelopeOf(bytes, p, end);
      if (envelope === null) continue;
      const source = sources.get(envelope.src) ?? faultsOf(envelope.src);
      sources.set(envelope.src, source);
      const stays = source.take(bytes, p, end, envelope);
      const made = source.takeMade();
      if (stays && made === null) continue;
      if (p > from) yield { ...item, from, to: p, line: fromLine };
      if (made !== null) yield { ...item, bytes: made, from: 0, to: made.length, line };
      from = stays ? p : end;
      fromLine = stays ? line : line + 1;
    }
    if (from === item.from) yield item;
    else if (from < to) yield { ...item, from, line: fromLine };
  }
  for (const source of sources.values()) {
    const bytes = source.end();
    if (bytes !== null) yield { bytes, from: 0, to: bytes.length, file: '-', frame: -1, line: 1 };
  }
}

/** How often a kind was injected, and how long that lasted together (0 for kinds that take no time). */
type Tally = { kind: FaultKind; count: number; micros: Micros };

function tallyText({ kind, count, micros }: Tally): string {
  const noun = kind === 'truncate' ? 'truncation' : kind;
  return `${count} ${noun}${count === 1 ? '' : 's'}${micros === 0 ? '' : ` (${(micros / 1e6).toFixed(1)} s)`}`;
}

/** When a kind of fault is due on one src: once `left` is below 1, until it could happen. */
interface Schedule {
  kind: FaultKind;
  tally: Tally;
  /** messages up to the next one */
  left: number;
  draw: Draw;
  happened(): void;
}

function schedule({ kind, every }: FaultRule, draw: Draw, tally: Tally): Schedule {
  // from 1 to 2N - 1 messages: N in the mean
  const next = (): number => draw(2 * every - 1);
  return {
    kind,
    tally,
    left: next(),
    draw,
    happened() {
      tally.count++;
      this.left = next();
    },
  };
}

/** What begins or ends a connection or a segment, or says that something is lost: nothing is held back over it if it has room. */
const SETTLING: ReadonlySet<string> = new Set(['tape', 'open', 'gap', 'drop', 'close', 'index', 'end']);

interface Held {
  by: Schedule;
  t: Micros;
  line: Buffer;
}

/**
 * The faults of one src. What it prints of its own stands at a time after the last line and before the next one, so that
 * is done when the next line of the src is seen; lines of others are no clock, as a pipe has them in order of arrival.
 */
class SourceFaults {
  readonly #src: Source;
  readonly #schedules: readonly Schedule[];
  #made: Buffer[] = [];
  /** of the newest line printed, the newest message printed (NaN for none since an outage), and the newest line seen */
  #last: Micros = 0;
  #lastMessage = Number.NaN;
  #seen: Micros = 0;
  /** urls of open connections, empty where not seen */
  readonly #conns = new Map<string, string>();
  /** a message the next line decides about: to be repeated (it was printed), or to be swapped (it was not) */
  #undecided: Held | null = null;
  #delayed: (Held & { due: Micros }) | null = null;
  #outage: { by: Schedule; conns: [string, string][]; conn: string | null; begun: Micros; until: Micros } | null = null;

  constructor(src: Source, schedules: readonly Schedule[]) {
    this.#src = src;
    this.#schedules = schedules;
  }

  /** Takes the next line; what `takeMade` gives comes before it. Returns whether the line itself stays as it is. */
  take(bytes: Buffer, from: number, to: number, { t, key, conn, valueFrom, valueTo }: Envelope): boolean {
    const hold = (by: Schedule): Held => ({ by, t, line: Buffer.from(bytes.subarray(from, to)) });
    const first = this.#undecided;
    this.#undecided = null;
    this.#seen = t;
    if (key === 'msg' && first?.by.kind === 'reorder') {
      for (const one of this.#schedules) one.left--;
      this.#printMessage(hold(first.by), first.t);
      this.#settle(t, false);
      this.#printMessage(first, t);
      first.by.happened();
      return false;
    }
    if (first !== null) this.#decide(first, t);
    this.#settle(t, SETTLING.has(key));
    if (key === 'tape') this.#conns.clear();
    else if (key === 'close') this.#conns.delete(conn ?? '');
    else if (key === 'open' && conn !== null) this.#conns.set(conn, urlIn(bytes.toString('utf8', valueFrom, valueTo)));
    if (key !== 'msg') {
      this.#last = t;
      return true;
    }
    if (this.#outage !== null) return false;
    if (conn !== null && !this.#conns.has(conn)) this.#conns.set(conn, '');
    for (const one of this.#schedules) one.left--;
    for (const by of this.#schedules) {
      if (by.left > 0) continue;
      if (by.kind === 'drop') by.happened();
      else if (by.kind === 'dup' || by.kind === 'reorder') {
        this.#undecided = hold(by);
        if (by.kind === 'dup') break;
      } else if (by.kind === 'truncate') {
        if (!this.#truncate(by, t, conn, bytes.subarray(valueFrom, valueTo))) continue;
      } else if (this.#delayed !== null) continue;
      else if (by.kind === 'delay') {
        this.#delayed = { ...hold(by), due: t + by.draw(LONGEST_DELAY) };
        by.happened();
      } else if (!this.#begin(by, t, conn)) continue;
      return false;
    }
    this.#last = t;
    this.#lastMessage = t;
    return true;
  }

  /** The flow is over: what is held comes now, as it would before a line that settles. */
  end(): Buffer | null {
    if (this.#undecided !== null) this.#decide(this.#undecided, Number.POSITIVE_INFINITY);
    this.#settle(Math.max(this.#last, this.#seen) + 2 + (this.#outage?.conns.length ?? 0), true);
    return this.takeMade();
  }

  /** The lines made since the last call, or null. */
  takeMade(): Buffer | null {
    if (this.#made.length === 0) return null;
    const lines = this.#made;
    this.#made = [];
    return Buffer.concat(lines);
  }

  #print(line: Buffer | string, t: Micros): void {
    this.#made.push(Buffer.from(line));
    this.#last = t;
  }

  /** A held message at its time or another; `t` comes first in a line, so its digits are the first of their like. */
  #printMessage({ line, t: own }: Held, t: Micros): void {
    line.write(String(t), line.indexOf(String(own)), 'latin1');
    this.#print(line, t);
    this.#lastMessage = t;
  }

  /** A line at `t` follows that no message can be swapped with. */
  #decide(held: Held, t: Micros): void {
    if (held.by.kind === 'reorder') this.#printMessage(held, held.t);
    else if (held.t + 1 < t) {
      this.#printMessage(held, held.t + 1);
      held.by.happened();
    }
  }

  /** The first of `count` free microseconds from `due` on, before a line at `t`; NaN where there are none yet. */
  #free(due: Micros, count: number, t: Micros, settles: boolean): Micros {
    const first = this.#last + 1;
    // the tape's own times go back: nothing waits until they have caught up
    if (t <= this.#last) return first;
    const wanted = Math.max(due, first);
    const at = settles ? Math.min(wanted, t - count) : wanted;
    return at >= first && at + count <= t ? at : Number.NaN;
  }

  /** Prints what is over before a line at `t`; before one that settles, all that is held. */
  #settle(t: Micros, settles: boolean): void {
    if (this.#delayed !== null) {
      const at = this.#free(this.#delayed.due, 1, t, settles);
      if (Number.isNaN(at)) return;
      this.#delayed.by.tally.micros += at - this.#delayed.t;
      this.#printMessage(this.#delayed, at);
      this.#delayed = null;
    }
    if (this.#outage === null) return;
    const { by, conns, conn, begun, until } = this.#outage;
    let at = this.#free(until, conns.length + 1, t, settles);
    if (Number.isNaN(at)) return;
    const src = this.#src;
    for (const [conn, url] of conns) this.#print(entryLine({ t: at, src, conn, open: { url } }), at++);
    const reason = by.kind === 'gap' ? 'silence' : 'disconnect';
    const gap = { stream: '*', from: this.#lastMessage, reason } as const;
    this.#print(entryLine({ t: at, src, ...(conn === null ? {} : { conn }), gap }), at);
    by.tally.micros += at - begun;
    this.#lastMessage = Number.NaN;
    this.#outage = null;
  }

  /** Begins an outage with the message at `t`; up to its place stands what closes the connections. False: not here. */
  #begin(by: Schedule, t: Micros, conn: string | null): boolean {
    const src = this.#src;
    const conns = by.kind === 'gap' ? [] : [...this.#conns];
    let at = t - conns.length;
    if (Number.isNaN(this.#lastMessage) || at < this.#last || (by.kind === 'disconnect' && conn === null)) return false;
    for (const [name] of conns)
      this.#print(entryLine({ t: ++at, src, conn: name, close: { code: 1006, reason: 'injected' } }), at);
    this.#outage = { by, conns, conn, begun: t, until: t + by.draw(LONGEST_OUTAGE) };
    by.happened();
    return true;
  }

  /** Prints the message's first bytes, as a recorder that received no more. False: not here. */
  #truncate(by: Schedule, t: Micros, conn: string | null, value: Buffer): boolean {
    if (conn === null || value.length < 2) return false;
    const part = value.subarray(0, by.draw(value.length - 1));
    // half a number is a number
    if (isJsonLine(part)) return false;
    this.#print(messageLine(t, this.#src, conn, part), t);
    by.happened();
    return true;
  }
}

function urlIn(open: string): string {
  const { url } = (JSON.parse(open) ?? {}) as { url?: unknown };
  return typeof url === 'string' ? url : '';
}

/** A whole number from 1 to n. */
type Draw = (n: number) => number;

/** A generator for this seed text: FNV-1a into mulberry32, integers only, so that every machine draws the same. */
function createDraw(seed: string): Draw {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193);
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return 1 + Math.floor((((x ^ (x >>> 14)) >>> 0) / 4294967296) * n);
  };
}
