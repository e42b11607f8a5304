/** The books of one venue that come over REST: snapshots to join, and books to audit the joined ones by. */
import { Effect } from '../market/track.js';
import type { Note, NoteFacts } from '../model/note.js';
import type { Venue } from '../venues/venue.js';
import { waitText } from './backoff.js';
import { type BookReads, createBookReads } from './book-reads.js';
import type { Pace } from './pace.js';
import { createReaches } from './reach.js';
import type { RestAnswer, RestGet } from './rest.js';
import { faultIn, parsed } from './rest-fault.js';
import type { SourceRecorder } from './source.js';
import { createSync, type Sync } from './sync.js';

/** Joins that fail this often in a row are worth a word and a gap entry. */
const STUCK_ATTEMPTS = 5;

export interface RestBooksOptions {
  venue: Venue;
  /** full address of a path */
  restUrl: (path: string) => string;
  get: RestGet;
  /** by symbol */
  sources: ReadonlyMap<string, SourceRecorder>;
  /** monotonic ms */
  now: () => number;
  /** uniform in [0, 1) */
  random: () => number;
  note: Note;
}

export interface RestBooks {
  snapshots: Sync;
  /** starts what is due at monotonic `nowMs` */
  tick(nowMs: number): void;
  /** nothing is started any more */
  stop(): void;
}

/** Prepares both; snapshots are asked for first. Both keep `pace`. */
export function createRestBooks(options: RestBooksOptions, pace: Pace): RestBooks {
  const snapshots = createSnapshots(options, pace);
  const reads = createAuditReads(options, pace);
  const renew = renewalOf(options, snapshots);
  return {
    snapshots,
    tick(nowMs) {
      renew(nowMs);
      snapshots.tick(nowMs);
      reads?.tick(nowMs);
    },
    stop() {
      snapshots.stop();
      reads?.stop();
    },
  };
}

function createSnapshots({ venue, sources, get, restUrl, now, random, note }: RestBooksOptions, pace: Pace): Sync {
  const sync = createSync({
    get,
    url: (symbol) => restUrl(venue.rest.snapshot?.(symbol) ?? ''),
    pace,
    now,
    random,
    fault: (answer) => faultIn(venue, answer),
    answered: (symbol, answer, startedMs, attempts) => {
      const source = sources.get(symbol)!;
      const effect = source.http(answer, startedMs);
      if ((effect & Effect.valid) !== 0) sync.joined(symbol);
      else if (attempts === STUCK_ATTEMPTS && source.track.needsSnapshot) {
        note(
          `${source.src}: no snapshot could be joined in ${attempts} attempts; trying on`,
          about(venue, symbol, 'no-snapshot'),
        );
        source.losses.tell({ stream: 'depth', from: source.track.lastBookT, reason: 'snapshot' });
      }
      return refusal(venue, answer, (body) => venue.readSnapshot(body), 'snapshot');
    },
    failed: (symbol, why, attempts, retryMs) => {
      note(
        `${venue.id}:${symbol}: snapshot attempt ${attempts} failed: ${why}; next in ${waitText(retryMs)}`,
        about(venue, symbol, 'snapshot-failed'),
      );
    },
  });
  return sync;
}

/** Asks for newer snapshots of the books that are no longer known far enough; nothing where the stream tells how far it reaches. */
function renewalOf({ venue, sources }: RestBooksOptions, snapshots: Sync): (nowMs: number) => void {
  if (venue.slides === true || venue.rest.snapshot === undefined) return () => {};
  const reaches = createReaches();
  return (nowMs) => {
    for (const [symbol, { track }] of sources) {
      if (track.state !== 'valid') continue;
      if (reaches.runsOut(symbol, track, nowMs)) snapshots.want(symbol);
      else snapshots.joined(symbol);
    }
  };
}

function createAuditReads(options: RestBooksOptions, pace: Pace): BookReads | null {
  const { venue, sources, get, restUrl, now, random, note } = options;
  const { audit } = venue.rest;
  if (audit === undefined) return null;
  return createBookReads({
    symbols: sources.keys(),
    times: audit,
    get,
    url: (symbol) => restUrl(audit.book(symbol)),
    pace,
    now,
    random,
    hasBook: (symbol) => sources.get(symbol)!.track.state === 'valid',
    answered: (symbol, answer, startedMs) => {
      sources.get(symbol)!.http(answer, startedMs);
      return refusal(venue, answer, (body) => audit.read(body), 'book');
    },
    fault: (answer) => faultIn(venue, answer),
    failed: (symbol, why, failures, retryMs) => {
      if (failures === 1)
        note(
          `${venue.id}:${symbol}: no book to audit by: ${why}; next in ${waitText(retryMs)}`,
          about(venue, symbol, 'audit-failed'),
        );
    },
  });
}

/** Why an answer is not what was asked for; null where it is. */
function refusal(venue: Venue, answer: RestAnswer, read: (body: unknown) => unknown, what: string): string | null {
  if (answer.status !== 200) return `HTTP status ${answer.status}`;
  const fault = faultIn(venue, answer);
  if (fault !== null) return `the venue says ${fault.text}`;
  return read(parsed(answer.body)) === null ? `the answer is no ${what}` : null;
}

function about({ id }: Venue, symbol: string, event: string): NoteFacts {
  return { event, level: 'warn', venue: id, symbol };
}
