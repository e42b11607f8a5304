/** The recording loop: looks symbols up, opens tapes, connects, keeps time, and ends in order. */
import { randomInt } from 'node:crypto';
import type { Writable } from 'node:stream';
import { createDecoder } from '../decode/decoder.js';
import { createTrack } from '../market/track.js';
import { Union } from '../market/union.js';
import { type Micros, SHARED_SYMBOL, type Source, TAPE_VERSION } from '../model/entry.js';
import { describeError, TapedeckError } from '../model/errors.js';
import { type Instrument, scaleOf } from '../model/instrument.js';
import type { Note } from '../model/note.js';
import { witnessOf } from '../model/witness.js';
import { entryLine } from '../tape/line.js';
import { tapeFolder } from '../tape/names.js';
import { recoverFolder } from '../tape/recover.js';
import { createTapeQueue, type Keep, QUEUE_BOUND, type StartTapeThread, type TapeQueue } from '../tape/tape-queue.js';
import type { ConnectionPlan, Venue } from '../venues/venue.js';
import { createReceiveClock, systemTime, type TimeSource } from './clock.js';
import { type Endpoint, routeUrl } from './endpoint.js';
import { beat, HEARTBEAT_MS, type RecordStatus, type RecordSummary } from './heartbeat.js';
import { lookUpInstruments } from './instruments.js';
import { createLiveOutput, LIVE_BOUND, type LiveOutput } from './live.js';
import { createObserver, type RecordObserver } from './observer.js';
import { Recent } from './recent.js';
import { createRest } from './rest.js';
import { createSourceSink, type MessageCounts, type Opening } from './sink.js';
import { SourceRecorder } from './source.js';
import { createVenueFeed, type VenueFeed } from './venue-feed.js';

export type { RecordStatus, RecordSummary } from './heartbeat.js';
export type { Health, RecordObserver } from './observer.js';

export interface RecordRequest {
  venue: Venue;
  symbols: readonly string[];
  channels: readonly string[];
}

/** Where tapes go and how they are written. */
export interface TapeOptions {
  /** folder that holds the tapes */
  out: string;
  /** zstd level, 1 to 19 */
  level?: number;
  /** lines older than this are with the system */
  flushMs?: number;
  /** a new segment at each UTC multiple of this; null never */
  rotateEvery?: Micros | null;
  /** a new segment when the compressed file has reached this; null never */
  rotateBytes?: number | null;
  /** how much stays; without it, all */
  keep?: Keep;
  frameBytes?: number;
}

export interface RecordOptions {
  requests: readonly RecordRequest[];
  /** the tape; null to print only */
  tape: TapeOptions | null;
  /** stdout; null to record only */
  live: Writable | null;
  endpoints: readonly Endpoint[];
  restEndpoints: readonly Endpoint[];
  /** connections side by side for each plan of a venue; default 1 */
  redundancy?: number;
  /** missed trades are asked for over REST, where the venue has them; default true */
  backfill?: boolean;
  /** null: until the signal */
  durationMs: number | null;
  /** `tapedeck 0.1.0` */
  tool: string;
  /** ends the recording in order */
  signal: AbortSignal;
  note: Note;
  status?: (status: RecordStatus) => void;
  /** called once, when there is something to observe; the observer is good until the end */
  observe?: (observer: RecordObserver) => void;
  /** calls `rotate` for a new segment of every tape now */
  onRotate?: (rotate: () => void) => void;
  /** default 500 */
  statusEveryMs?: number;
  /** the following are for tests */
  time?: TimeSource;
  random?: () => number;
  adjust?: (plan: ConnectionPlan) => ConnectionPlan;
  liveBound?: number;
  queueBound?: number;
  tapeThread?: StartTapeThread;
  restTimeoutMs?: number;
}

/** How long a reader of stdout that takes nothing is waited for at the end. */
const PATIENCE_MS = 2_000;

/**
 * Records until the signal, the duration, or (printing only) the reader of stdout ends it.
 * A tape that cannot be written for a while does not end it.
 * @throws {TapedeckError} E_SYMBOL, E_CONNECT, E_EXISTS, E_PERMISSION, E_DISK_FULL … before anything is recorded; E_CONNECT where
 * nothing was received
 */
export async function record(options: RecordOptions): Promise<RecordSummary> {
  const { signal, note, time = systemTime, random = Math.random } = options;
  const counts: MessageCounts = { received: 0, written: 0, dropped: 0, bytes: 0 };
  const ending = new AbortController();
  let failure: unknown = null;
  const fail = (error: unknown): void => {
    failure ??= error;
    ending.abort();
  };
  const stop = AbortSignal.any([signal, ending.signal]);
  const get = createRest({
    signal: stop,
    ...(options.restTimeoutMs === undefined ? {} : { timeoutMs: options.restTimeoutMs }),
  });
  const restUrl = (venue: Venue) => (path: string) => routeUrl(venue.hosts.rest, path, venue.id, options.restEndpoints);

  const instruments = new Map<Venue, Instrument[]>();
  try {
    for (const { venue, symbols } of options.requests) {
      const url = restUrl(venue);
      instruments.set(venue, await lookUpInstruments(venue, symbols, { get, url, wait: pause(stop), random }));
    }
  } catch (error) {
    throw signal.aborted ? nothingReceived([]) : error;
  }

  /** newest time that stands already, by src */
  const stood = options.tape === null ? new Map<Source, Micros>() : await recover(options, options.tape.out);
  const live = options.live === null ? null : liveOutput(options, options.live, fail, () => ending.abort());
  /** nobody takes lines any more: what comes until the connections are closed is not counted */
  const isOver = (): boolean => options.tape === null && live?.closed === true;
  const disk: DiskCounts = { outages: 0, removed: 0 };
  const queue = options.tape === null ? null : tapeQueue(options, disk, time, fail);
  const recorder = recorderName();
  const decoder = createDecoder();
  const sources: SourceRecorder[] = [];
  let sockets = 0;

  const openSource = (venue: Venue, instrument: Instrument, channels: readonly string[]): SourceRecorder => {
    const { symbol } = instrument;
    const src: Source = `${venue.id}:${symbol}`;
    const after = stood.get(src) ?? null;
    const tape = options.tape;
    const liveSource = { dropLine: (t: Micros, count: number) => dropLine(t, src, count) };
    const openTape =
      queue === null || tape === null
        ? null
        : (now: Micros, opening: Opening) =>
            queue.open({ ...tape, src, now, opening, ...(after === null ? {} : { after }) });
    const sink = createSourceSink({ openTape, live, liveSource, counts, isOver });
    const flow = venue.flowOf([...channels]);
    decoder.bind(src, { layouts: venue.layouts, scale: scaleOf(instrument), symbol, flow });
    const header = { recorder, venue: venue.id, symbol, instrument, channels: [...channels], flow, tool: options.tool };
    const connOf = (origin: number): string | null => decoder.origins[origin].conn;
    const track = createTrack({ instrument, rules: venue, flow, connOf });
    const source = new SourceRecorder({
      src,
      symbol,
      header,
      version: TAPE_VERSION,
      clock: createReceiveClock(time, after ?? 0),
      track,
      union: new Union({ track, rules: venue, connOf }),
      decoder,
      sink,
      witness: witnessOf(venue, flow, channels),
      proof: { book: venue.continuity().skips === undefined, trades: venue.tradeChain().numbered },
      after,
      note,
    });
    source.begin(time.monoMs());
    sources.push(source);
    return source;
  };

  const openFeed = ({ venue, symbols, channels }: RecordRequest): VenueFeed => {
    const own = new Map<string, SourceRecorder>();
    for (const instrument of instruments.get(venue) ?? [])
      own.set(instrument.symbol, openSource(venue, instrument, channels));
    let shared: SourceRecorder | null = null;
    return createVenueFeed({
      venue,
      symbols,
      channels,
      endpoints: options.endpoints,
      redundancy: options.redundancy ?? 1,
      restUrl: restUrl(venue),
      get,
      sources: own,
      unnamed(...message) {
        try {
          shared ??= openSource(venue, noInstrument(venue), channels);
          shared.other(...message);
        } catch (error) {
          if (!isOver()) counts.dropped++;
          fail(error);
        }
      },
      nextId: () => `${recorder}.${++sockets}`,
      now: time.monoMs,
      random,
      note,
      received(bytes) {
        if (isOver()) return;
        counts.received++;
        counts.bytes += bytes;
      },
      backfill: options.backfill ?? true,
      adjust: options.adjust,
    });
  };

  const feeds: VenueFeed[] = [];
  try {
    for (const request of options.requests) feeds.push(openFeed(request));
    // what cannot be written is told before anybody is connected
    for (const source of sources) await source.ready;
  } catch (error) {
    fail(error);
  }

  const summary = (): RecordSummary => ({
    ...counts,
    gaps: sources.reduce((sum, source) => sum + source.losses.count, 0),
    reconnects: feeds.reduce((sum, feed) => sum + feed.reconnects, 0),
    linesLost: live?.dropped ?? 0,
    ...disk,
  });
  const loopLags = new Recent(60_000 / HEARTBEAT_MS);
  const { queueBound = QUEUE_BOUND, tool } = options;
  const startedAt = time.wallMs() / 1000;
  const seen = { feeds, sources, queue, queueBound, summary, loopLags, now: time.monoMs, startedAt };
  options.observe?.(createObserver({ ...seen, version: tool.replace(/^.* /, '') }));
  let rotation = false;
  options.onRotate?.(() => {
    rotation = true;
  });
  const wantsRotation = (): boolean => {
    const wanted = rotation && queue !== null;
    rotation = false;
    return wanted;
  };
  const { durationMs, status, statusEveryMs = 500 } = options;
  await beat({
    ...{ feeds, sources, time, stop, durationMs, summary, status, statusEveryMs, fail, loopLags, wantsRotation },
  });

  await Promise.all(sources.map((source) => source.end()));
  queue?.close();
  await live?.end(PATIENCE_MS);
  if (failure !== null) {
    if (counts.received > 0) note(describeCounts(counts), { event: 'summary', data: { ...counts } });
    throw failure;
  }
  // who reads and has enough before anything comes has lost nothing
  if (counts.received === 0 && !isOver()) throw nothingReceived(feeds);
  return summary();
}

function nothingReceived(feeds: readonly VenueFeed[]): TapedeckError {
  const why = feeds.map(({ refusal }) => (refusal === null ? '' : `; ${refusal}`));
  return new TapedeckError('E_CONNECT', `while recording: nothing was received${why.join('')}`);
}

/** `received 120, written 120, dropped 0` */
export function describeCounts({ received, written, dropped }: MessageCounts): string {
  return `received ${received}, written ${written}, dropped ${dropped}`;
}

/** Completes what a killed recorder left in the folders this one writes to. */
async function recover(options: RecordOptions, out: string): Promise<Map<Source, Micros>> {
  const stood = new Map<Source, Micros>();
  for (const { venue, symbols } of options.requests) {
    for (const symbol of [...symbols, SHARED_SYMBOL]) {
      const src = `${venue.id}:${symbol}`;
      const { last, segments } = await recoverFolder(tapeFolder(out, src));
      if (!Number.isNaN(last)) stood.set(src, last);
      for (const { path, lines, tornBytes } of segments) {
        options.note(`${path}: was not sealed; ${lines} lines recovered, ${tornBytes} bytes of a torn line lost`, {
          ...{ event: 'recovered', level: 'warn', venue: venue.id, symbol, data: { path, lines, tornBytes } },
        });
      }
    }
  }
  return stood;
}

function liveOutput(
  options: RecordOptions,
  stream: Writable,
  fail: (error: unknown) => void,
  end: () => void,
): LiveOutput {
  const onClosed = (error: TapedeckError | null): void => {
    if (options.tape !== null)
      options.note(`stdout is closed${error === null ? '' : ` (${error.message})`}; recording goes on`, {
        ...{ event: 'stdout-closed', level: 'warn' },
      });
    else if (error === null) end();
    else fail(error);
  };
  return createLiveOutput(stream, onClosed, options.liveBound ?? LIVE_BOUND);
}

type DiskCounts = Pick<RecordSummary, 'outages' | 'removed'>;

function tapeQueue(
  options: RecordOptions,
  disk: DiskCounts,
  time: TimeSource,
  refused: (error: unknown) => void,
): TapeQueue {
  const { note, queueBound = QUEUE_BOUND, tapeThread } = options;
  const size = `${Math.round(queueBound / 1024 / 1024)} MB`;
  return createTapeQueue({
    bound: queueBound,
    ...(tapeThread === undefined ? {} : { start: tapeThread }),
    now: time.monoMs,
    refused,
    failed(error) {
      disk.outages++;
      note(`${describeError(error)}; what stands is kept, up to ${size} of lines wait, and writing is tried again`, {
        ...{ event: 'disk-failed', level: 'error', data: { code: error.code } },
      });
    },
    resumed: () => note('the tapes are written again', { event: 'disk-resumed' }),
    full: (dropping) =>
      note(
        dropping
          ? `${size} of lines wait for the disk: messages are dropped until it takes them`
          : 'the disk takes lines again; what was dropped is marked on the tapes',
        dropping ? { event: 'dropping', level: 'error' } : { event: 'drop-ended', level: 'warn' },
      ),
    removed({ path, bytes }) {
      disk.removed++;
      note(`${path}: removed, as --keep asks (${bytes} bytes)`, { event: 'removed', data: { path, bytes } });
    },
  });
}

function dropLine(t: Micros, src: Source, count: number): Buffer {
  return Buffer.from(entryLine({ t, src, drop: { count, reason: 'the reader of stdout was too slow' } }));
}

/** In the place of one where there is none; no prices are read there. */
function noInstrument(venue: Venue): Instrument {
  return { symbol: SHARED_SYMBOL, kind: venue.kind, tick: '1', lot: '1', multiplier: '1', inferred: true };
}

/** Four letters and digits: enough to tell runs apart, short enough for every line. */
function recorderName(): string {
  return randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0');
}

/** Waits; ends early, and rejects, when the signal comes. */
function pause(signal: AbortSignal): (ms: number) => Promise<void> {
  return (ms) =>
    new Promise((resolve, reject) => {
      const stopped = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stopped);
        resolve();
      }, ms);
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', stopped, { once: true });
    });
}
