/** Bytes of tape lines to event records: a scanner for the usual lines, the JSON decoder for all others. */
import type { Source } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE, NOT_FLOW, STREAM_SHIFT } from '../model/event.js';
import {
  type Binding,
  type Bound,
  boundOf,
  type Envelope,
  envelopeText,
  FIRST_T,
  PREFIX_AT,
  readEnvelope,
} from './envelope.js';
import { leadOf } from './forms.js';
import { decodeGeneral, generalRecords } from './general.js';
import { decodeJson } from './json-decoder.js';
import { MAX_STREAMS, type MessageLayout } from './layout.js';
import { type RestBook, readRestBook, srcOfRest } from './rest-book.js';
import { orderRows } from './row-order.js';
import { type DecodeMode, type Scanner, Stop } from './scanner.js';
import { createTypescriptScanner } from './typescript-scanner.js';
import { createWasmScanner, isCompiled } from './wasm-scanner.js';

export type { Binding } from './envelope.js';
export type { DecodeMode } from './scanner.js';

/** A src and connection that lines came from; records name it by its index. */
export interface Origin {
  readonly src: Source;
  readonly conn: string | null;
}

export interface DecodeCounts {
  /** messages that had a usual byte form */
  fast: number;
  /** messages that had other keys, or keys in another order */
  general: number;
  /** messages that took JSON.parse */
  slow: number;
  unknown: number;
  invalid: number;
}

export interface Decoder {
  readonly origins: readonly Origin[];
  readonly counts: DecodeCounts;
  /** Before its messages are decoded, and anew at each header: what they mean is told by the header and the venue it names. */
  bind(src: Source, binding: Binding): void;
  isBound(src: Source): boolean;
  /**
   * Decodes whole lines of `bytes[from, to)`, one record per line appended to `out`. Stops at `to`, or behind a line
   * that is no message or whose src is not bound (its record, of Kind.entry, is the last), or when `out` is nearly full.
   * @returns the offset behind the last line that was read
   */
  decode(bytes: Buffer, from: number, to: number, out: EventBuffer): number;
  /**
   * What the line `bytes[from, to)`, an entry, says apart from a REST book's levels, which are scaled already: spares parsing them. Call it
   * when the records decoded so far are used up. Null where the whole line has to be parsed.
   */
  restBook(bytes: Buffer, from: number, to: number): RestBook | null;
}

/** `t` is the first key of every entry. */
const T_FIRST = /^[ \t]*\{[ \t]*"t"[ \t]*:/;
/** A snapshot or checkpoint as the recorder writes them: long lines that need not be searched for a message. */
const PLAIN_ENTRY = /^\{"t":\d{16},"src":"[^"\\]*",(?:"conn":"[^"\\]*",)?"(?:http|book)":/;
const HEAD_BYTES = 512;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const LAYOUT_SHIFT = STREAM_SHIFT + Math.log2(MAX_STREAMS);
/** The start of every line that a recorder writes: `t` and its 16 digits. */
const USUAL_HEAD = /^\{"t":([1-9]\d{15})$/;
const BRACE = 0x7d;
/** A tape of endless reconnects must not grow the map of envelopes without end. */
const MAX_ENVELOPES = 4096;

/** An envelope that was met, whether its src is bound or not. */
interface Known {
  origin: number;
  src: Source;
  bytes: Buffer;
}

/**
 * Creates a decoder; one per consumer, since it keeps the srcs it met.
 * @param mode which scanner goes first; what is decoded is the same
 */
export function createDecoder(mode: DecodeMode = 'wasm'): Decoder {
  const origins: Origin[] = [];
  const bound = new Map<Source, Bound>();
  const known = new Map<string, Known | null>();
  const counts: DecodeCounts = { fast: 0, general: 0, slow: 0, unknown: 0, invalid: 0 };
  const encoder = new TextEncoder();
  let scanner: Scanner | null = null;
  /** a src is bound whose rows may stand in another order than they were matched */
  let isUnordered = false;

  function bind(src: Source, binding: Binding): void {
    bound.set(src, boundOf(binding));
    isUnordered ||= binding.layouts.messages.some(({ rowOrder }) => rowOrder !== undefined);
    if (mode === 'json') return;
    const usual = [...bound.values()].map(({ layouts }) => layouts).filter(({ wrapper }) => wrapper !== undefined);
    const compiled = mode === 'wasm' && usual.every(isCompiled);
    // envelopes hold what their src was bound to, so they are all learnt anew
    if (usual.length > 0) scanner = compiled ? createWasmScanner() : createTypescriptScanner();
  }

  /** The envelope of the line at `p`, where it has one and its src is bound; null for the unusual way. */
  function findKnown(bytes: Buffer, p: number, end: number): { envelope: Known; bound: Bound } | null {
    const text = envelopeText(bytes, p, end);
    if (text === null) return null;
    let envelope = known.get(text);
    if (envelope === undefined) {
      const read = readEnvelope(text);
      envelope =
        read === null ? null : { origin: originOf(read.src, read.conn), src: read.src, bytes: Buffer.from(text) };
      if (known.size >= MAX_ENVELOPES) known.clear();
      known.set(text, envelope);
    }
    const source = envelope === null ? undefined : bound.get(envelope.src);
    return envelope === null || source === undefined ? null : { envelope, bound: source };
  }

  /** What a scanner has to know of the line at `p`; null where it would not help: the prefix does not stand there. */
  function findEnvelope(bytes: Buffer, p: number, end: number): Envelope | null {
    const found = findKnown(bytes, p, end);
    if (found === null) return null;
    const { envelope, bound } = found;
    if (bound.layouts.wrapper === undefined) return null;
    const { before, hasSymbol, after } = leadOf(bound.layouts);
    const symbol = bound.layouts.topic.lowerCase === true ? bound.escapedLower : bound.escapedSymbol;
    const lead = encoder.encode(`${before}${hasSymbol ? symbol : ''}${after}`);
    const prefix = Buffer.concat([envelope.bytes, lead]);
    const at = p + PREFIX_AT;
    if (prefix.compare(bytes, at, Math.min(end, at + prefix.length)) !== 0) return null;
    return { prefix, origin: envelope.origin, bound };
  }

  function originOf(src: Source, conn: string | null): number {
    const index = origins.findIndex((origin) => origin.src === src && origin.conn === conn);
    return index >= 0 ? index : origins.push({ src, conn }) - 1;
  }

  /** Runs the scanner from `p` on, teaching it the envelopes it asks for. */
  function scan(scanner: Scanner, bytes: Buffer, from: number, to: number, out: EventBuffer): number {
    let p = scanner.scan(bytes, from, to, out);
    counts.fast += scanner.messages;
    for (let taught = -1; scanner.stop === Stop.envelope && taught !== p; ) {
      const envelope = findEnvelope(bytes, p, to);
      if (envelope === null) break;
      taught = p;
      scanner.learn(envelope, bytes, p, to);
      p = scanner.scan(bytes, p, to, out);
      counts.fast += scanner.messages;
    }
    return p;
  }

  function layoutOf(origin: number, flags: number): MessageLayout | undefined {
    return bound.get(origins[origin]?.src)?.layouts.messages[flags >> LAYOUT_SHIFT];
  }

  function decode(bytes: Buffer, from: number, to: number, out: EventBuffer): number {
    const first = out.count;
    const p = decodeLines(bytes, from, to, out);
    if (isUnordered) orderRows(out, first, layoutOf);
    return p;
  }

  function decodeLines(bytes: Buffer, from: number, to: number, out: EventBuffer): number {
    const full = out.events.length / EVENT_STRIDE;
    let p = from;
    while (p < to && out.count < full) {
      if (scanner !== null) {
        p = scan(scanner, bytes, p, to, out);
        if (p >= to || out.count >= full || scanner.stop === Stop.done) break;
      }
      let end = bytes.indexOf(NEWLINE, p);
      if (end < 0 || end >= to) end = to;
      const o = out.count * EVENT_STRIDE;
      const general = mode === 'json' ? 0 : decodeOtherForm(bytes, p, end, out);
      const records = general > 0 ? general : decodeUnusual(bytes, p, end, out);
      finish(out, records, p, end);
      p = end < to ? end + 1 : to;
      if (out.events[o + Field.KIND] === Kind.entry) break;
    }
    return p;
  }

  /** The records of one line: T and ORIGIN, which its first has, and where the line stands. */
  function finish(out: EventBuffer, records: number, start: number, end: number): void {
    const e = out.events;
    const first = out.count * EVENT_STRIDE;
    for (let n = 0, o = first; n < records; n++, o += EVENT_STRIDE) {
      e[o + Field.START] = start;
      e[o + Field.END] = end;
      e[o + Field.T] = e[first + Field.T];
      e[o + Field.ORIGIN] = e[first + Field.ORIGIN];
      if (n + 1 < records) e[o + Field.FLAGS] |= MORE;
    }
    out.count += records;
  }

  /** T, ORIGIN and NOT_FLOW of a message that was decoded. */
  function place(out: EventBuffer, records: number, t: number, origin: number, source: Bound): void {
    const e = out.events;
    const first = out.count * EVENT_STRIDE;
    e[first + Field.T] = t;
    e[first + Field.ORIGIN] = origin;
    if (source.notFlow[e[first + Field.FLAGS] >> LAYOUT_SHIFT])
      for (let n = 0; n < records; n++) e[first + n * EVENT_STRIDE + Field.FLAGS] |= NOT_FLOW;
  }

  /**
   * A line in a known envelope whose message has another form than the usual ones.
   * @returns its records; 0 where JSON.parse has to judge
   */
  function decodeOtherForm(bytes: Buffer, p: number, end: number, out: EventBuffer): number {
    const head = USUAL_HEAD.exec(bytes.toString('latin1', p, Math.min(end, p + PREFIX_AT)));
    const t = head === null ? Number.NaN : Number(head[1]);
    const found = t <= Number.MAX_SAFE_INTEGER ? findKnown(bytes, p, end) : null;
    if (found === null) return 0;
    const { envelope, bound: source } = found;
    const from = p + PREFIX_AT + envelope.bytes.length;
    // invalid UTF-8 became other characters in the text it was found by
    if (envelope.bytes.compare(bytes, p + PREFIX_AT, Math.min(end, from)) !== 0) return 0;
    const levels = out.levelCount;
    const behind = decodeGeneral(bytes, from, end, source, out);
    if (behind < 0 || behind !== end - 1 || bytes[behind] !== BRACE) {
      out.levelCount = levels;
      return 0;
    }
    place(out, generalRecords, t, envelope.origin, source);
    counts.general++;
    return generalRecords;
  }

  /** A line that no scanner takes: an entry for the caller, or a message that takes the JSON decoder. Returns its records. */
  function decodeUnusual(bytes: Buffer, p: number, end: number, out: EventBuffer): number {
    const e = out.events;
    const o = out.count * EVENT_STRIDE;
    e[o + Field.KIND] = Kind.entry;
    e[o + Field.T] = 0;
    e[o + Field.ORIGIN] = -1;
    // only a message is worth a parse here (its key may be written with escapes): entries are parsed by the caller
    if (PLAIN_ENTRY.test(bytes.toString('latin1', p, Math.min(end, p + HEAD_BYTES)))) return 1;
    const whole = bytes.subarray(p, end);
    if (whole.indexOf('"msg"', 0, 'latin1') < 0 && whole.indexOf(BACKSLASH) < 0) return 1;
    let line: unknown;
    try {
      const text = whole.toString('utf8');
      line = T_FIRST.test(text) ? JSON.parse(text) : null;
    } catch {
      return 1; // the caller reads it as an entry and reports what is wrong
    }
    return decodeParsed(line, out);
  }

  function decodeParsed(line: unknown, out: EventBuffer): number {
    if (typeof line !== 'object' || line === null || !('msg' in line)) return 1;
    const { t, src, conn, msg } = line as { t?: unknown; src?: unknown; conn?: unknown; msg: unknown };
    if (typeof t !== 'number' || !Number.isSafeInteger(t) || t < FIRST_T || typeof src !== 'string') return 1;
    const source = bound.get(src);
    if (source === undefined) return 1;
    const records = decodeJson(msg, source, out);
    place(out, records, t, originOf(src, typeof conn === 'string' ? conn : null), source);
    const kind = out.events[out.count * EVENT_STRIDE + Field.KIND];
    counts.slow++;
    if (kind === Kind.unknown) counts.unknown++;
    else if (kind === Kind.invalid) counts.invalid++;
    return records;
  }

  function restBook(bytes: Buffer, from: number, to: number): RestBook | null {
    const src = mode === 'wasm' ? srcOfRest(bytes, from, to) : null;
    const source = src === null ? undefined : bound.get(src);
    return source?.layouts.restPairs === true ? readRestBook(bytes, from, to, source.scale) : null;
  }

  return { origins, counts, bind, isBound: (src) => bound.has(src), decode, restBook };
}
