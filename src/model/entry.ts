/** One line of a tape: the kinds of entry, their JSON shapes, and the names of sources. */
import type { Instrument } from './instrument.js';

/** Integer microseconds since the Unix epoch (16 digits until 2286). */
export type Micros = number;

/** The version this tool writes and the newest it reads. */
export const TAPE_VERSION = 1;

/** `venue:symbol`, e.g. `binance-usdm:BTCUSDT`. */
export type Source = string;

/** The symbol of the tape that takes what names no single symbol. The instrument in its header is none: headers have to have one. */
export const SHARED_SYMBOL = '_venue';

interface EntryBase {
  t: Micros;
  src: Source;
}

export interface TapeHeader {
  version: number;
  /** names the recorder run; (recorder, t) names an entry for ever */
  recorder: string;
  venue: string;
  symbol: string;
  instrument: Instrument;
  /** channels that were asked for */
  channels: string[];
  /** the one trade channel that counts as flow */
  flow: string;
  tool: string;
  /** set by `replay --from`: consumers print nothing for lines before it */
  from?: Micros;
  /** set where the lines were not received live, e.g. `hftbacktest` */
  imported?: string;
  /** set where the tapes of several recorders were made into one */
  merged?: MergedFrom;
}

/** What a merged tape is made of. */
export interface MergedFrom {
  /** recorder of the entries that stand as they were; times are by its clock */
  base: string[];
  /** the others: the name of each recorder, and its clock minus the base's, µs */
  others: { recorders: string[]; clock: number }[];
}

export type GapReason =
  | 'sequence' // the venue's own chain broke
  | 'disconnect' // the connection was lost
  | 'silence' // no data although the socket was open
  | 'restart' // the recorder was not running
  | 'snapshot' // no snapshot could be joined
  | 'number' // a number that cannot be held exactly
  | 'damage' // bytes of the tape itself are lost, or never reached it
  | 'crossed' // the book crossed itself where ids prove nothing: an update is missing, or wrong
  | 'handover'; // another connection is followed from here on, and no ids say where it stood

export interface Gap {
  stream: string;
  /** `t` of the last good entry of the stream; of the recorder's first header where none came */
  from: Micros;
  reason: GapReason;
  expected?: number | string;
  got?: number | string;
}

/** Derived state at one moment, so that reading can start here. */
export interface Checkpoint {
  state: BookState;
  /** prices between which the book is known, decimal text; null where nothing is known */
  coverage: { low: string | null; high: string | null };
  /** continuity and decoding state of the venue, plain JSON */
  streams: Record<string, unknown>;
  /** [price, size] decimal texts, best first */
  bids: [string, string][];
  asks: [string, string][];
}

export type BookState = 'empty' | 'syncing' | 'valid' | 'suspect';

export interface ClockReading {
  /** wall clock minus the monotonic clock's idea of it, µs */
  wall: number;
  /** worst event-loop lag since the last reading, µs */
  loop: number;
  /** newest exchange time minus local receive time, µs; null before any data */
  exchange: number | null;
}

/** Missed trades that a REST request was made for. */
export interface Fills {
  /** the channel they were missed in */
  stream: string;
  /** ids of the first and the last one that it asked for: all between them were missing */
  first: number;
  last: number;
  /** `t` of the gap entry that tells of them */
  gap: Micros;
}

export interface HttpExchange {
  url: string;
  status: number;
  /** when the request was sent */
  sent: Micros;
  /** it was made for trades that did not arrive: what the body holds happened before, and is no flow of this moment */
  fills?: Fills;
  /** the body, byte for byte, when it is JSON */
  body?: unknown;
  /** the body otherwise; base64 where it is not UTF-8 */
  text?: string;
  bin?: string;
}

export interface SeekEntry {
  /** byte offset of the frame in the segment */
  offset: number;
  /** first `t` in the frame */
  t: Micros;
  lines: number;
  /** decompressed bytes */
  bytes: number;
  checkpoint: boolean;
}

interface Close {
  code: number;
  reason: string;
}

export type HeaderEntry = EntryBase & { tape: TapeHeader };
export type OpenEntry = EntryBase & { conn: string; open: { url: string } };
export type SentEntry = EntryBase & { conn: string; sent: unknown };
export type MessageEntry = EntryBase & { conn: string; msg: unknown };
export type TextEntry = EntryBase & { conn: string; text: string };
export type BinaryEntry = EntryBase & { conn: string; bin: string };
export type HttpEntry = EntryBase & { http: HttpExchange };
export type GapEntry = EntryBase & { conn?: string; gap: Gap };
export type BookEntry = EntryBase & { book: Checkpoint };
export type ClockEntry = EntryBase & { clock: ClockReading };
export type DropEntry = EntryBase & { drop: { count: number; reason: string } };
/** `filled`: how it ended, on a merged tape where others have what was missed. */
export type CloseEntry = EntryBase & { conn: string; close: Close; filled?: Close };
/** On a merged tape: what its recorder missed here, and others have. */
export type FilledEntry = EntryBase & { conn?: string; filled: { gap: Gap } | { drop: DropEntry['drop'] } };
export type IndexEntry = EntryBase & { index: SeekEntry[] };
export type EndEntry = EntryBase & { end: { entries: number; sha256: string; recovered?: boolean } };

export type Entry =
  | HeaderEntry
  | OpenEntry
  | SentEntry
  | MessageEntry
  | TextEntry
  | BinaryEntry
  | HttpEntry
  | GapEntry
  | BookEntry
  | ClockEntry
  | DropEntry
  | CloseEntry
  | FilledEntry
  | IndexEntry
  | EndEntry;

/** The key that tags an entry's kind, in the order they are looked for. */
export const ENTRY_KEYS = [
  'msg',
  'tape',
  'open',
  'sent',
  'text',
  'bin',
  'http',
  'gap',
  'book',
  'clock',
  'drop',
  'close',
  'index',
  'end',
  'filled',
] as const;

export type EntryKey = (typeof ENTRY_KEYS)[number];

/** Whether the recorder itself ended the connection, since it was told to end: no event of the venue, and nothing was missed before it. */
export function isOwnClose({ code, reason }: CloseEntry['close']): boolean {
  return code === 1000 && reason === 'stop';
}

/** Splits `venue:symbol`; the symbol may hold colons, the venue may not. Null when there is no colon. */
export function parseSource(src: Source): { venue: string; symbol: string } | null {
  const colon = src.indexOf(':');
  return colon <= 0 ? null : { venue: src.slice(0, colon), symbol: src.slice(colon + 1) };
}
