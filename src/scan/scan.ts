/** Flows of lines to signals: decoding, one pipeline per src, and the order in which several flows are printed. */

import { createDecoder, type DecodeMode, type Decoder } from '../decode/decoder.js';
import { scannerBuffer, scannerRooms } from '../decode/wasm-scanner.js';
import type { Damage, LineBatch, LineFlow, TextRooms } from '../model/batch.js';
import type { Entry, HeaderEntry, Micros, Source } from '../model/entry.js';
import { TAPE_VERSION } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../model/event.js';
import { isUsable, scaleOf } from '../model/instrument.js';
import { parseEntry } from '../tape/line.js';
import { venueById } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';
import { type Sums, sumsOf } from './checksum.js';
import { type FlowCount, flowNotes } from './flow-count.js';
import { compareBytes, Pipeline, type PipelineSink, type Printed } from './pipeline.js';
import type { ScanSettings } from './settings.js';

export interface ScanOptions {
  settings: ScanSettings;
  /** bytes of a tape are lost; the scan goes on behind them */
  damage(damage: Damage['damage']): void;
  /** a sentence for people, e.g. a detector that the tape does not support */
  note(text: string): void;
  /** with `settings.checksum`: what was summed over a src, once its flow has ended */
  sums?(sums: Sums): void;
  /** a src whose header was read, once or more often */
  met?(src: Source): void;
  /** who looks at markets beside the detectors */
  view?: PipelineSink['view'];
  /** ends the scan as if the input had ended */
  signal?: AbortSignal;
  /**
   * With it, `signal` ends the scan where it stands: of what is open no end is said, as none is there. Called for each flow of
   * which something is left, with the time that was reached (NOTHING_READ: none).
   */
  stopped?(t: Micros): void;
  /** which decoder is used; the results are the same */
  decoder?: DecodeMode | undefined;
}

/** Where the text of flows that are to be scanned is best put together; undefined where it does not matter. */
export function scanRooms(mode: DecodeMode = 'wasm'): TextRooms | undefined {
  return mode === 'wasm' ? scannerRooms() : undefined;
}

/**
 * Scans flows; several are printed as one, in byte order of the lines. Each flow's own signals come in the order its
 * entries stand: a flow of one src is in byte order by itself, a live flow of several comes as it arrives. What one batch gave is
 * one array.
 * @throws {TapedeckError} E_HEADER, E_VERSION, E_VENUE
 */
export async function* scan(flows: readonly LineFlow[], options: ScanOptions): AsyncGenerator<Printed[]> {
  const buffer = createScanBuffer(options.decoder);
  const counts: FlowCount[] = [];
  const counted = { ...options, flow: (count: FlowCount) => void counts.push(count) };
  const scans = flows.map((flow) => scanFlow(flow, counted, buffer));
  yield* scans.length === 1 ? scans[0] : mergeOrdered(scans);
  for (const text of flowNotes(counts)) options.note(text);
}

async function* scanFlow(flow: LineFlow, options: FlowScannerOptions, buffer: EventBuffer): AsyncGenerator<Printed[]> {
  const { signal, stopped } = options;
  const scanner = new FlowScanner(options, buffer);
  for await (const item of flow) {
    if (stopped !== undefined && signal?.aborted === true) {
      scanner.stop();
      stopped(scanner.reached);
      return;
    }
    const printed = scanner.take(item);
    if (printed.length > 0) yield printed;
    // a live flow may have no next one for long
    if (scanner.done || (stopped === undefined && signal?.aborted === true)) break;
  }
  const rest = scanner.finish();
  scanner.leave();
  if (rest.length > 0) yield rest;
}

interface Head {
  scan: AsyncGenerator<Printed[]>;
  batch: Printed[];
  at: number;
}

/** Records are used up within a batch, so one buffer serves all flows; it is small enough to stay in the nearest caches. */
export function createScanBuffer(mode: DecodeMode = 'wasm'): EventBuffer {
  return mode === 'wasm' ? scannerBuffer() : new EventBuffer(256);
}

/** Merges scans whose own output is in byte order; runs of one scan go out together. */
export async function* mergeOrdered(scans: readonly AsyncGenerator<Printed[]>[]): AsyncGenerator<Printed[]> {
  const open: Head[] = [];
  try {
    for (const scan of scans) {
      const head: Head = { scan, batch: [], at: 0 };
      if (await refill(head)) open.push(head);
    }
    while (open.length > 0) {
      let first = open[0];
      for (const head of open) if (compareBytes(head.batch[head.at].line, first.batch[first.at].line) < 0) first = head;
      const run: Printed[] = [];
      do run.push(first.batch[first.at++]);
      while (first.at < first.batch.length && isNext(first, open));
      yield run;
      if (first.at === first.batch.length && !(await refill(first))) open.splice(open.indexOf(first), 1);
    }
  } finally {
    for (const scan of scans) await scan.return(undefined);
  }
}

function isNext(head: Head, open: readonly Head[]): boolean {
  const { line } = head.batch[head.at];
  return open.every((other) => other === head || compareBytes(line, other.batch[other.at].line) <= 0);
}

async function refill(head: Head): Promise<boolean> {
  const { value, done } = await head.scan.next();
  if (done === true) return false;
  head.batch = value;
  head.at = 0;
  return true;
}

/** A checkpoint as tapedeck writes it; srcs beyond ASCII are parsed like any entry. */
const CHECKPOINT = /^\{"t":(\d{16}),"src":"([!#-[\]-~]+)","book":\{/;
const CHECKPOINT_HEAD = 256;

interface Place {
  file: string;
  frame?: number;
  line: number;
}

/** A flow of several, or a part of one, cannot tell alone whether the trades of a src are missing. */
export interface FlowScannerOptions extends ScanOptions {
  /** what was met of a src's trades, once the flow has ended */
  flow(count: FlowCount): void;
}

/** One flow: finds the src of every line and hands it to that src's pipeline. */
export class FlowScanner {
  /** every src has met an entry at or after `to` */
  done = false;
  readonly #options: FlowScannerOptions;
  readonly #buffer: EventBuffer;
  readonly #decoder: Decoder;
  readonly #pipelines = new Map<Source, Pipeline>();
  /** by file, whose header stood in it: several tapes may come as one flow, and what is lost of one is not lost of another */
  readonly #files = new Map<string, Set<Pipeline>>();
  /** by index of `Decoder.origins` */
  readonly #byOrigin: Pipeline[] = [];
  #printed: Printed[] = [];
  #damaged = false;
  readonly #skipped = new Map<Source, number>();

  constructor(options: FlowScannerOptions, buffer: EventBuffer) {
    this.#options = options;
    this.#buffer = buffer;
    this.#decoder = createDecoder(options.decoder);
  }

  /** of every src met so far */
  get pipelines(): readonly Pipeline[] {
    return [...this.#pipelines.values()];
  }

  take(item: LineBatch | Damage): Printed[] {
    if ('damage' in item) this.#damage(item.damage);
    else this.#batch(item);
    return this.#taken();
  }

  finish(): Printed[] {
    for (const pipeline of this.#pipelines.values()) {
      pipeline.finish();
      const sums = pipeline.sums();
      if (sums !== null) this.#options.sums?.(sumsOf(sums));
      const { flowCount } = pipeline;
      if (flowCount !== null) this.#options.flow(flowCount);
    }
    this.stop();
    return this.#taken();
  }

  /** After the end, where nobody looks at a market any more: others read on with what these took. */
  leave(): void {
    for (const pipeline of this.#pipelines.values()) pipeline.leave();
  }

  /** Nothing more comes, and the input has not ended: signals and sums stay as they are. */
  stop(): void {
    for (const [src, count] of this.#skipped)
      this.#options.note(`${src}: ${count} messages were skipped: the tape header is lost`);
  }

  /** The newest time met; NOTHING_READ, which is what the greatest of none is, before the first. */
  get reached(): Micros {
    return Math.max(...this.pipelines.map(({ t }) => t));
  }

  #taken(): Printed[] {
    const printed = this.#printed;
    if (printed.length > 0) this.#printed = [];
    return printed;
  }

  #damage(damage: Damage['damage']): void {
    this.#damaged = true;
    this.#options.damage(damage);
    for (const pipeline of this.#files.get(damage.file) ?? this.#pipelines.values()) pipeline.damage();
  }

  #batch(batch: LineBatch): void {
    const buffer = this.#buffer;
    const { bytes, to } = batch;
    let p = batch.from;
    while (p < to) {
      buffer.clear();
      p = this.#decoder.decode(bytes, p, to, buffer);
      const e = buffer.events;
      for (let i = 0; i < buffer.count; ) {
        const o = i * EVENT_STRIDE;
        if (e[o + Field.KIND] === Kind.entry) {
          this.#entry(batch, e[o + Field.START], e[o + Field.END]);
          i++;
        } else i = (this.#byOrigin[e[o + Field.ORIGIN]] ?? this.#findPipeline(e[o + Field.ORIGIN])).records(buffer, i);
      }
    }
    // a src that is silent may still come back, so only all of them end a flow
    let open = this.#pipelines.size === 0;
    for (const pipeline of this.#pipelines.values()) open ||= !pipeline.done;
    this.done = !open;
  }

  #findPipeline(origin: number): Pipeline {
    const { src } = this.#decoder.origins[origin];
    const pipeline = this.#pipelines.get(src);
    if (pipeline === undefined) throw new Error(`no pipeline for ${src}`); // only srcs with a header are bound
    this.#byOrigin[origin] = pipeline;
    return pipeline;
  }

  #entry(batch: LineBatch, start: number, end: number): void {
    if (end === start || this.#passCheckpoint(batch, start, end)) return;
    // lines are counted only where one has to be named
    const placeOf = (): Place => ({
      file: batch.file,
      ...(batch.frame >= 0 ? { frame: batch.frame } : {}),
      line: lineAt(batch, start),
    });
    let entry: Entry;
    const apart = this.#decoder.restBook(batch.bytes, start, end);
    try {
      entry = parseEntry(apart?.text ?? batch.bytes.subarray(start, end));
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error;
      const { message } = error;
      const place = placeOf();
      this.#damage({
        code: 'E_LINE',
        file: batch.file,
        frame: batch.frame,
        line: place.line,
        bytes: end - start,
        message,
      });
      return;
    }
    const pipeline = this.#pipelines.get(entry.src);
    if ('tape' in entry) this.#header(entry, pipeline, placeOf());
    else if (pipeline !== undefined) {
      pipeline.entry(entry, apart?.levels);
    } else if ('msg' in entry) {
      if (!this.#damaged)
        throw new TapedeckError(
          'E_HEADER',
          `while scanning: a message of ${entry.src} before that tape's header (its first line)`,
          placeOf(),
        );
      this.#skipped.set(entry.src, (this.#skipped.get(entry.src) ?? 0) + 1);
    }
  }

  /** Checkpoints are long, and dear to parse where the book is known already. */
  #passCheckpoint(batch: LineBatch, start: number, end: number): boolean {
    const head = batch.bytes.toString('latin1', start, Math.min(end, start + CHECKPOINT_HEAD));
    const match = CHECKPOINT.exec(head);
    const pipeline = match === null ? undefined : this.#pipelines.get(match[2]);
    if (match === null || pipeline === undefined || !pipeline.knowsBook) return false;
    pipeline.pass(Number(match[1]));
    return true;
  }

  #header(entry: HeaderEntry, pipeline: Pipeline | undefined, place: Place): void {
    const { tape, src } = entry;
    if (!(tape.version >= 1 && tape.version <= TAPE_VERSION))
      throw new TapedeckError(
        'E_VERSION',
        `while scanning: tape version ${tape.version} is unknown, this tool reads ${TAPE_VERSION}`,
        place,
      );
    const venue = venueOf(tape.venue, place);
    const { symbol, instrument, flow } = tape;
    if (!isUsable(instrument))
      throw new TapedeckError('E_HEADER', 'while scanning: the header names no usable instrument', place);
    this.#decoder.bind(src, { layouts: venue.layouts, scale: scaleOf(instrument), symbol, flow });
    if (pipeline !== undefined) {
      this.#stands(pipeline, place.file);
      pipeline.header(entry);
      return;
    }
    const print = (printed: Printed): void => void this.#printed.push(printed);
    const connOf = (origin: number): string | null => this.#decoder.origins[origin].conn;
    const { settings, note, view } = this.#options;
    const created = new Pipeline(entry, venue, settings, connOf, { print, note, view });
    this.#pipelines.set(src, created);
    this.#options.met?.(src);
    this.#stands(created, place.file);
  }

  #stands(pipeline: Pipeline, file: string): void {
    const there = this.#files.get(file);
    if (there === undefined) this.#files.set(file, new Set([pipeline]));
    else there.add(pipeline);
  }
}

/** @throws {TapedeckError} E_VENUE, with its place */
function venueOf(id: string, place: Place): Venue {
  try {
    return venueById(id);
  } catch (error) {
    throw error instanceof TapedeckError ? new TapedeckError(error.code, error.message, place, error) : error;
  }
}

/** One-based number of the line that starts at `start`. */
function lineAt(batch: LineBatch, start: number): number {
  let line = batch.line;
  for (let p = batch.bytes.indexOf(0x0a, batch.from); p >= 0 && p < start; p = batch.bytes.indexOf(0x0a, p + 1)) line++;
  return line;
}
