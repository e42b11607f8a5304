/** Audits lines of tapes, whatever they were read from: every line, every src on its own. */
import { createDecoder } from '../decode/decoder.js';
import type { Damage, LineBatch } from '../model/batch.js';
import { type Entry, type HeaderEntry, type Micros, type Source, TAPE_VERSION } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../model/event.js';
import { type Envelope, envelopeOf, parseEntry } from '../tape/line.js';
import { venueById } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';
import type { Place } from './book-audit.js';
import { hasLevels } from './checkpoint-check.js';
import { type ProblemCode, Problems } from './problems.js';
import { SessionAudit, type SessionResult } from './session.js';
import { reportOf, type SourceReport } from './source-report.js';

interface SourceState {
  messages: number;
  problems: Problems;
  session: SessionAudit | null;
  results: SessionResult[];
  /** newest `t` of each recorder */
  newest: Map<string, Micros>;
  recorder: string;
  venue: Venue | null;
  last: Micros;
}

export interface Verifier {
  /** Audits the lines of a batch. Frames and seals are the caller's. */
  take(batch: LineBatch): void;
  /** Damage of a tape of `src` (null: it may concern every src). */
  damage(damage: Damage['damage'], src: Source | null): void;
  /** A finding of the caller's own. */
  problem(src: Source | null, code: ProblemCode, message: string, place?: Partial<Place>): void;
  /** In order of name. Nothing may be taken after it. */
  finish(): SourceReport[];
}

export function createVerifier(): Verifier {
  const decoder = createDecoder();
  const events = new EventBuffer();
  const sources = new Map<Source | null, SourceState>();
  /** state by origin of the decoder */
  const byOrigin: SourceState[] = [];
  const place: Place = { file: '', frame: -1, line: 0 };

  const stateOf = (src: Source | null): SourceState => {
    let state = sources.get(src);
    if (state === undefined) {
      const problems = new Problems();
      state = {
        messages: 0,
        problems,
        session: null,
        results: [],
        newest: new Map(),
        recorder: '',
        venue: null,
        last: 0,
      };
      sources.set(src, state);
    }
    return state;
  };

  const inOrder = (state: SourceState, t: Micros): void => {
    if (t <= state.last)
      state.problems.add('ORDER', `the time ${t} is not after ${state.last}, that of an entry before it`, { ...place });
    else state.last = t;
  };

  const endSession = (state: SourceState): void => {
    if (state.session !== null) state.results.push(state.session.finish());
    state.session = null;
  };

  const takeHeader = (state: SourceState, header: HeaderEntry): void => {
    const { version, recorder, venue: id, instrument, symbol, flow } = header.tape;
    if (!Number.isInteger(version) || version < 1 || version > TAPE_VERSION) {
      endSession(state);
      state.problems.add('E_VERSION', `the tape's version ${version} is unknown; this tool reads ${TAPE_VERSION}`, {
        ...place,
      });
      return;
    }
    state.newest.set(state.recorder, state.last);
    state.recorder = recorder;
    state.last = state.newest.get(recorder) ?? 0;
    if (state.session?.recorder === recorder) {
      state.session.nextSegment();
      return;
    }
    endSession(state);
    try {
      const venue = venueById(id);
      state.venue = venue;
      const session = new SessionAudit({ header, venue, decoder, problems: state.problems });
      decoder.bind(header.src, { layouts: venue.layouts, symbol, scale: session.scale, flow });
      state.session = session;
    } catch (error) {
      // a header without instrument stands before messages that belong to no single symbol
      if (instrument === undefined || instrument === null) return;
      if (!(error instanceof TapedeckError))
        state.problems.add('E_HEADER', 'the header names no usable instrument', { ...place });
      else state.problems.add('E_VENUE', error.message, { ...place });
    }
  };

  /** A line that is no message of a known src. */
  const takeEntry = (bytes: Buffer, from: number, to: number): void => {
    const envelope = envelopeOf(bytes, from, to);
    let entry: Entry | null = null;
    let why = 'the line is not an entry';
    try {
      if (envelope !== null) entry = parseEntry(bytes.subarray(from, to));
    } catch (error) {
      if (!(error instanceof TapedeckError)) throw error;
      why = error.message;
    }
    if (entry !== null && 'book' in entry && !hasLevels(entry.book)) why = 'its "book" has levels that are none';
    else if (envelope !== null && entry !== null) {
      takeParsed(entry, envelope);
      return;
    }
    stateOf(envelope?.src ?? soleSource()).problems.add('E_LINE', why, { ...place });
  };

  const takeParsed = (entry: Entry, { key, src, t }: Envelope): void => {
    const state = stateOf(src);
    if ('tape' in entry) takeHeader(state, entry);
    else if (state.recorder === '' && state.last === 0)
      state.problems.add('E_HEADER', 'entries stand before the first tape header', { ...place });
    inOrder(state, t);
    if (key === 'msg') state.messages++;
    else if (state.session !== null && key !== 'tape' && key !== 'index' && key !== 'end')
      state.session.entry(entry, place);
  };

  /** The src a line without one belongs to, where only one is there. */
  const soleSource = (): Source | null => (sources.size === 1 ? [...sources.keys()][0] : null);

  /** A message may be several records, all of one line. */
  const isNewLine = (i: number): boolean => {
    const e = events.events;
    const at = i * EVENT_STRIDE + Field.START;
    return i === 0 || e[at - EVENT_STRIDE] !== e[at];
  };

  /** Returns the first record behind what it took. */
  const takeRecord = (bytes: Buffer, i: number): number => {
    const e = events.events;
    const o = i * EVENT_STRIDE;
    if (e[o + Field.KIND] === Kind.entry) {
      takeEntry(bytes, e[o + Field.START], e[o + Field.END]);
      return i + 1;
    }
    const origin = e[o + Field.ORIGIN];
    byOrigin[origin] ??= stateOf(decoder.origins[origin].src);
    const state = byOrigin[origin];
    if (isNewLine(i)) {
      inOrder(state, e[o + Field.T]);
      state.messages++;
    }
    return state.session?.take(bytes, events, i, place) ?? i + 1;
  };

  return {
    take(batch) {
      const { bytes, from, to } = batch;
      place.file = batch.file;
      place.frame = batch.frame;
      place.line = batch.line;
      for (let at = from; at < to; ) {
        events.clear();
        at = decoder.decode(bytes, at, to, events);
        for (let i = 0; i < events.count; ) {
          if (i > 0 && isNewLine(i)) place.line++;
          i = takeRecord(bytes, i);
        }
        place.line++;
      }
    },
    damage({ code, file, frame, line, message }, src) {
      stateOf(src).problems.add(code, message, { file, frame, line });
      for (const [name, state] of sources) if (src === null || name === src) state.session?.damage();
    },
    problem(src, code, message, where = {}) {
      stateOf(src).problems.add(code, message, where);
    },
    finish() {
      const reports: SourceReport[] = [];
      for (const [src, state] of sources) {
        endSession(state);
        const { messages, problems, results } = state;
        reports.push(
          reportOf(src, messages, results, problems.list(), state.venue?.capabilities.bookLossDetected === true),
        );
      }
      return reports.sort((a, b) => ((a.src ?? '') < (b.src ?? '') ? -1 : 1));
    },
  };
}
