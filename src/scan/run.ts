/** One run of a divided scan: reads its srcs from their starting points, and gives what lies in its own time, once. */

import type { DecodeMode } from '../decode/decoder.js';
import type { Damage, LineBatch } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import type { EventBuffer } from '../model/event.js';
import { lastLineOf, lastTimeOf } from '../tape/checkpoints.js';
import { endOfLine, parseEntry } from '../tape/line.js';
import { metered } from '../tape/meter.js';
import { openMember, openSegment } from '../tape/segment.js';
import { cutBatch, firstAtOrAfter, readSegments } from '../tape/source.js';
import { NOTHING_READ } from '../tape/stop.js';
import type { SumsPart } from './checksum.js';
import type { FlowCount } from './flow-count.js';
import type { Printed } from './pipeline.js';
import { createScanBuffer, FlowScanner, mergeOrdered, scanRooms } from './scan.js';
import { type GivenSettings, scanSettings } from './settings.js';
import type { Run, RunFlow } from './units.js';

/** What a worker needs to know, as plain data. */
export interface RunTask {
  run: Run;
  given: GivenSettings;
  checksum: boolean;
  decoder?: DecodeMode | undefined;
  /** where reading of the whole scan starts; absent: at the first entry */
  origin?: Micros;
  /** text that may wait for its turn to be printed; beyond it the run pauses */
  mostWaiting: number;
}

export interface RunSink {
  damage(damage: Damage['damage']): void;
  note(text: string): void;
  /** compressed bytes read since the last call */
  read(bytes: number): void;
  /** set from outside: the run ends where it stands */
  readonly stopped: boolean;
}

export interface RunResult {
  /** what was summed, by group of the tape */
  sums: { group: number; part: SumsPart }[];
  /** the next run rests on what this one could not confirm: what follows has to be read through */
  unproven: boolean;
  /** of which there was a header */
  srcs: Source[];
  /** what was met of trades, also before and behind the run's own time */
  flows: FlowCount[];
  /** it was stopped: up to this time all of it was given. Null: to its end */
  stopped: Micros | null;
}

/** Bytes between two reports of progress: about ten a second, each a message to another thread. */
const REPORT_BYTES = 4 * 1024 * 1024;

/** What was read from a checkpoint turns out to depend on what the checkpoint does not hold. */
class Guessed extends Error {}

/**
 * Scans a run. Where it turns out to rest on a guess, it is read again from the origin, and what was given already is left out: the
 * same entries give the same lines.
 * @throws {TapedeckError} as `scan`
 */
export async function* scanRun(task: RunTask, sink: RunSink): AsyncGenerator<Printed[], RunResult> {
  const said = { lines: 0, damage: 0, notes: 0 };
  try {
    return yield* attempt(task, sink, said);
  } catch (error) {
    if (!(error instanceof Guessed)) throw error;
  }
  const { readFrom: _, ...run } = task.run;
  const flows = run.flows.map((flow) => ({ ...flow, skip: 0 }));
  const { origin } = task;
  const whole = { ...run, flows, ...(origin === undefined ? {} : { readFrom: origin }) };
  return yield* attempt({ ...task, run: whole }, leavingOut(sink, said), { ...said }, said.lines);
}

interface Said {
  lines: number;
  damage: number;
  notes: number;
}

/** A sink that has heard this much before. */
function leavingOut(sink: RunSink, { damage, notes }: Said): RunSink {
  let [oldDamage, oldNotes] = [damage, notes];
  return {
    damage: (one) => void (oldDamage-- > 0 || sink.damage(one)),
    note: (text) => void (oldNotes-- > 0 || sink.note(text)),
    read: (bytes) => sink.read(bytes),
    get stopped() {
      return sink.stopped;
    },
  };
}

async function* attempt(task: RunTask, sink: RunSink, said: Said, skip = 0): AsyncGenerator<Printed[], RunResult> {
  const result: RunResult = { sums: [], unproven: false, srcs: [], flows: [], stopped: null };
  const buffer = createScanBuffer(task.decoder);
  const scans = task.run.flows.map((flow) => scanPart(flow, task, sink, said, buffer, result));
  let old = skip;
  for await (const printed of scans.length === 1 ? scans[0] : mergeOrdered(scans)) {
    const fresh = old > 0 ? printed.slice(old) : printed;
    old = Math.max(0, old - printed.length);
    said.lines += fresh.length;
    if (fresh.length > 0) yield fresh;
  }
  return result;
}

/** Where in a flow the scan stands: before the run's own time, in it, or behind it. */
type Phase = 'before' | 'own' | 'behind';

/** A place to look up at: before the first entry at or after `t`, or with `after` just behind it. */
interface Stop {
  t: Micros;
  after: boolean;
  reached(lastLine: Buffer): void;
}

async function* scanPart(
  { group, paths, faulty, skip, proof }: RunFlow,
  { run, given, checksum, decoder, origin }: RunTask,
  sink: RunSink,
  said: Said,
  buffer: EventBuffer,
  result: RunResult,
): AsyncGenerator<Printed[]> {
  const { from, to, readFrom, continues, continued } = run;
  const settings = scanSettings(given, {
    checksum,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
  let phase: Phase = continues ? 'before' : 'own';
  let confirmed = proof === null;
  const scanner = new FlowScanner(
    {
      settings,
      decoder,
      damage(damage) {
        if (phase !== 'own') return;
        // line numbers behind damage, and what is skipped, depend on having met it
        result.unproven = true;
        said.damage++;
        sink.damage(damage);
      },
      note(text) {
        if (phase !== 'own') return;
        said.notes++;
        sink.note(text);
      },
      met: (src) => void result.srcs.push(src),
      flow: (count) => void result.flows.push(count),
    },
    buffer,
  );
  const stops: Stop[] = [];
  if (continues && from !== undefined)
    stops.push({
      t: from,
      after: false,
      reached() {
        phase = 'own';
        for (const pipeline of scanner.pipelines) pipeline.restartSums();
      },
    });
  if (continued && to !== undefined)
    stops.push({
      t: to,
      after: false,
      reached() {
        phase = 'behind';
      },
    });
  if (proof !== null)
    stops.push({
      t: proof,
      after: true,
      reached(line) {
        confirmed = confirms(line, proof, scanner);
      },
    });
  stops.sort((a, b) => a.t - b.t);

  const guesses = continues && readFrom !== origin;
  const segments = paths.slice(skip).map(faulty ? openMember : openSegment);
  const flow = readSegments(segments, readFrom === undefined ? {} : { from: readFrom }, scanRooms(decoder));
  for await (const item of metered(flow, segments, REPORT_BYTES, (bytes) => sink.read(bytes))) {
    if (sink.stopped) {
      scanner.stop();
      // what lies before is another run's, and what lies behind
      const reached = Math.min(Math.max(scanner.reached, from ?? NOTHING_READ), to ?? Number.POSITIVE_INFINITY);
      result.stopped = Math.min(reached, result.stopped ?? reached);
      return;
    }
    for (const piece of pieces(item, stops)) {
      const printed = scanner.take(piece);
      if (guesses && scanner.pipelines.some((pipeline) => pipeline.guessed)) throw new Guessed();
      if (printed.length > 0) yield printed;
      if (scanner.done) break;
    }
    if (scanner.done) break;
  }
  const rest = scanner.finish();
  if (!confirmed) result.unproven = true;
  for (const pipeline of scanner.pipelines) {
    const part = pipeline.sums();
    if (part !== null) result.sums.push({ group, part });
  }
  scanner.leave();
  if (rest.length > 0) yield rest;
}

/** Whether a line is the checkpoint expected, and says what this scan knows. */
function confirms(line: Buffer, t: Micros, scanner: FlowScanner): boolean {
  const entry = parseEntry(line);
  const { pipelines } = scanner;
  return 'book' in entry && entry.t === t && pipelines.length === 1 && pipelines[0].agreesWith(entry.book);
}

/** Cuts a batch at the stops in it, and says each when all before it was taken. `stops` loses those that were reached. */
function* pieces(item: LineBatch | Damage, stops: Stop[]): Generator<LineBatch | Damage> {
  if ('damage' in item) {
    yield item;
    return;
  }
  let batch = item;
  while (stops.length > 0 && lastTimeOf(batch.bytes, batch.from, batch.to) >= stops[0].t) {
    const [{ t, after, reached }] = stops.splice(0, 1);
    const { bytes, from, to } = batch;
    const start = firstAtOrAfter(bytes, from, to, t);
    const end = after ? endOfLine(bytes, start, to) : start;
    if (end > from) yield cutBatch(batch, from, end);
    reached(bytes.subarray(lastLineOf(bytes, from, end), end));
    batch = cutBatch(batch, end, to);
    if (end === to) return;
  }
  yield batch;
}
