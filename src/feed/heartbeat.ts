/** The one timer of a recorder: drives connections, srcs and the status line, and ends them in order. */
import type { Micros } from '../model/entry.js';
import type { TimeSource } from './clock.js';
import type { Recent } from './recent.js';
import type { MessageCounts } from './sink.js';
import type { SourceRecorder } from './source.js';
import type { VenueFeed } from './venue-feed.js';

export interface RecordSummary extends MessageCounts {
  gaps: number;
  reconnects: number;
  /** lines that a slow reader of stdout did not get */
  linesLost: number;
  /** times the tapes could not be written for a while */
  outages: number;
  /** segments that retention removed */
  removed: number;
}

export interface RecordStatus extends RecordSummary {
  /** newest exchange time minus receive time of the src that is furthest behind, µs; null before any */
  exchangeLag: Micros | null;
  /** worst event-loop lag since the last status, ms */
  loopLagMs: number;
  /** books valid, of all */
  valid: number;
  books: number;
}

export interface Running {
  feeds: readonly VenueFeed[];
  /** grows while running */
  sources: readonly SourceRecorder[];
  time: TimeSource;
  /** ends everything in order */
  stop: AbortSignal;
  /** null: until `stop` */
  durationMs: number | null;
  summary: () => RecordSummary;
  status: ((status: RecordStatus) => void) | undefined;
  statusEveryMs: number;
  fail: (error: unknown) => void;
  /** takes the lag of each beat, ms */
  loopLags: Recent;
  /** true once for each wish that all segments be rotated */
  wantsRotation: () => boolean;
}

/** One beat each so many ms. */
export const HEARTBEAT_MS = 50;
/** A beat this late lets sockets be read first. */
const STANDSTILL_MS = 1_000;

/** Beats until asked to stop and all connections are closed. */
export function beat({
  feeds,
  sources,
  time,
  stop,
  durationMs,
  summary,
  status,
  statusEveryMs,
  fail,
  loopLags,
  wantsRotation,
}: Running): Promise<void> {
  const endMs = durationMs === null ? Number.POSITIVE_INFINITY : time.monoMs() + durationMs;
  let expectedMs = time.monoMs();
  let statusAtMs = expectedMs;
  let worstLagMs = 0;
  let stopping = false;
  let late = false;

  /** @returns true when there is nothing left to do */
  const step = (): boolean => {
    const nowMs = time.monoMs();
    const lagMs = Math.max(0, nowMs - expectedMs);
    expectedMs = nowMs + HEARTBEAT_MS;
    worstLagMs = Math.max(worstLagMs, lagMs);
    loopLags.add(lagMs);
    if (!stopping && (stop.aborted || nowMs >= endMs)) {
      stopping = true;
      for (const feed of feeds) feed.stop();
    }
    for (const feed of feeds) feed.tick(nowMs);
    for (const source of sources) source.tick(nowMs, lagMs);
    if (wantsRotation()) for (const source of sources) source.rotate(nowMs);
    if (status !== undefined && nowMs >= statusAtMs) {
      statusAtMs = nowMs + statusEveryMs;
      status({ ...summary(), ...healthOf(sources), loopLagMs: worstLagMs });
      worstLagMs = 0;
    }
    return stopping && feeds.every((feed) => feed.connections.every(({ state }) => state === 'stopped'));
  };

  return new Promise((resolve) => {
    const run = (): void => {
      // the process stood still: what came meanwhile waits in the sockets, and must not be taken for silence
      if (!late && time.monoMs() - expectedMs >= STANDSTILL_MS) {
        late = true;
        setImmediate(run);
        return;
      }
      late = false;
      try {
        if (!step()) return;
      } catch (error) {
        fail(error);
        // once ending, what still throws must not keep the recorder from its end
        if (!stopping) return;
      }
      clearInterval(timer);
      stop.removeEventListener('abort', run);
      resolve();
    };
    const timer = setInterval(run, HEARTBEAT_MS);
    stop.addEventListener('abort', run);
    run();
  });
}

function healthOf(sources: readonly SourceRecorder[]): Pick<RecordStatus, 'exchangeLag' | 'valid' | 'books'> {
  let exchangeLag: Micros | null = null;
  let valid = 0;
  let books = 0;
  for (const source of sources) {
    const lag = source.exchangeLag;
    if (lag !== null && (exchangeLag === null || lag < exchangeLag)) exchangeLag = lag;
    // what takes messages of no single symbol has no book
    if (source.links.length > 0) books++;
    if (source.track.state === 'valid') valid++;
  }
  return { exchangeLag, valid, books };
}
