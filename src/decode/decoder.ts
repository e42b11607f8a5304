/** Bytes of tape lines to event records: envelope, choice of the generated decoder, and the JSON decoder behind it. */
import type { Source } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, NOT_FLOW } from '../model/event.js';
import type { Scale } from '../model/instrument.js';
import { decodeJson, type JsonNames } from './json-decoder.js';
import type { Layouts } from './layout.js';
import { readFour } from './numbers.js';
import { compileTemplates, type Names, type Template } from './template.js';

/** A src and connection that lines came from; records name it by its index. */
export interface Origin {
  readonly src: Source;
  readonly conn: string | null;
}

/** What must be known of a src before its messages can be decoded: from the tape header and the venue. */
export interface Binding {
  layouts: Layouts;
  symbol: string;
  scale: Scale;
  /** channel whose trades are the flow */
  flow: string;
}

export interface DecodeCounts {
  /** messages that had a usual byte form */
  fast: number;
  /** messages that took the JSON decoder */
  slow: number;
  unknown: number;
  invalid: number;
}

/** Which decoder to use: `fast` is the default, `json` the oracle. Results are the same. */
export type DecodeMode = 'fast' | 'json';

export interface Decoder {
  readonly origins: readonly Origin[];
  readonly counts: DecodeCounts;
  bind(src: Source, binding: Binding): void;
  isBound(src: Source): boolean;
  /**
   * Decodes whole lines of `bytes[from, to)`, one record per line appended to `out`. Stops at `to`, or behind a line
   * that is no message or whose src is not bound (its record, of Kind.entry, is the last), or when `out` is nearly full.
   * @returns the offset behind the last line that was read
   */
  decode(bytes: Buffer, from: number, to: number, out: EventBuffer): number;
}

/** Decoders of one venue's layouts, shared by its srcs, keyed by the four bytes after the topic's separator. */
interface Family {
  layouts: Layouts;
  /** bytes of a message before the symbol in lower case, and of the separator */
  lead: number;
  separator: number;
  /** compiled when the first message asks for them */
  templates: Map<number, Template[]>;
  streams: Map<number, [layout: number, stream: number][]>;
}

interface Bound {
  family: Family;
  names: Names;
  json: JsonNames;
  /** FLAGS of streams from here on get NOT_FLOW: index per layout */
  notFlow: boolean[];
}

interface Envelope {
  index: number;
  /** the line's bytes from behind `t` up to the message */
  prefix: Uint8Array;
  view: DataView;
  src: Source;
  bound: Bound | null;
}

const T_AT = 5; // behind `{"t":`
const PREFIX_AT = T_AT + 16;
/** The smallest time of 16 digits. */
const FIRST_T = 1e15;
/** Longest src and connection that are looked for; a longer one takes the slow way. */
const MAX_PREFIX = 512;
/** A tape of endless reconnects must not grow the map of envelopes without end. */
const MAX_ENVELOPES = 4096;
const LINE_START = new DataView(new TextEncoder().encode('{"t":').buffer).getInt32(0, true);
/** `t` is the first key of every entry. */
const T_FIRST = /^[ \t]*\{[ \t]*"t"[ \t]*:/;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const BRACE = 0x7d;

function familyOf(layouts: Layouts): Family {
  const streams: Family['streams'] = new Map();
  layouts.messages.forEach((layout, index) => {
    layout.streams.forEach((stream, variant) => {
      const key = keyOf(stream);
      streams.set(key, [...(streams.get(key) ?? []), [index, variant]]);
    });
  });
  const lead = layouts.wrapper.indexOf('<topic>');
  return { layouts, lead, separator: layouts.separator.length, templates: new Map(), streams };
}

function templatesOf(family: Family, key: number): Template[] | undefined {
  const known = family.templates.get(key);
  const streams = family.streams.get(key);
  if (known !== undefined || streams === undefined) return known;
  const compiled = streams.flatMap(([layout, stream]) => compileTemplates(family.layouts, layout, stream));
  family.templates.set(key, compiled);
  return compiled;
}

/** The first four bytes of a stream's name as they stand in the message (a shorter name brings its closing quote). */
function keyOf(stream: string): number {
  return new DataView(new TextEncoder().encode(`${stream}","`).buffer).getInt32(0, true);
}

const families = new WeakMap<Layouts, Family>();

/** Creates a decoder; one per consumer, since it keeps the srcs it met. */
export function createDecoder(mode: DecodeMode = 'fast'): Decoder {
  const origins: Origin[] = [];
  const bound = new Map<Source, Bound>();
  const envelopes = new Map<string, Envelope>();
  const counts: DecodeCounts = { fast: 0, slow: 0, unknown: 0, invalid: 0 };
  const encoder = new TextEncoder();
  let current: Envelope | null = null;
  let view: DataView = new DataView(new ArrayBuffer(0));
  let viewed: Buffer | null = null;

  function bind(src: Source, binding: Binding): void {
    const { layouts, symbol, scale } = binding;
    let family = families.get(layouts);
    if (family === undefined) {
      family = familyOf(layouts);
      families.set(layouts, family);
    }
    const lower = symbol.toLowerCase();
    // symbols come from tapes: one that needs escapes must not be able to close its string in a template
    const escaped = (text: string): Uint8Array => encoder.encode(JSON.stringify(text).slice(1, -1));
    const decimals = { priceDecimals: scale.price, sizeDecimals: scale.size };
    const isTrade = layouts.messages.some(({ event, name }) => event === 'trade' && name === binding.flow);
    bound.set(src, {
      family,
      names: { lower: escaped(lower), symbol: escaped(symbol), ...decimals },
      json: { lower, symbol, ...decimals },
      notFlow: layouts.messages.map(({ event, name }) => event === 'trade' && isTrade && name !== binding.flow),
    });
    for (const envelope of envelopes.values()) envelope.bound = bound.get(envelope.src) ?? null;
  }

  /** Finds or makes the envelope of a line that does not start like the one before; null when it has not the usual form. */
  function findEnvelope(bytes: Buffer, p: number, end: number): Envelope | null {
    const start = p + PREFIX_AT;
    const key = bytes.subarray(start, Math.min(end, start + MAX_PREFIX)).indexOf('"msg":', 0, 'latin1');
    if (key < 0) return null;
    const text = bytes.toString('utf8', start, start + key + 6);
    const envelope = envelopes.get(text) ?? readEnvelope(text);
    // invalid UTF-8 became other characters in `text`: the bytes themselves must be those of the envelope
    return envelope !== null && samePrefix(p, end, bytes, envelope) ? envelope : null;
  }

  function readEnvelope(text: string): Envelope | null {
    const match = /^,"src":("(?:[^"\\]|\\.)*")(?:,"conn":("(?:[^"\\]|\\.)*"))?,"msg":$/.exec(text);
    if (match === null) return null;
    try {
      const conn = match[2] === undefined ? null : (JSON.parse(match[2]) as string);
      return addEnvelope(text, JSON.parse(match[1]) as string, conn);
    } catch {
      return null; // control characters or wrong escapes in a name
    }
  }

  function addEnvelope(text: string, src: Source, conn: string | null): Envelope {
    const prefix = encoder.encode(text);
    const envelope = {
      index: originOf(src, conn),
      prefix,
      view: new DataView(prefix.buffer),
      src,
      bound: bound.get(src) ?? null,
    };
    if (envelopes.size >= MAX_ENVELOPES) envelopes.clear();
    envelopes.set(text, envelope);
    return envelope;
  }

  function originOf(src: Source, conn: string | null): number {
    const index = origins.findIndex((origin) => origin.src === src && origin.conn === conn);
    return index >= 0 ? index : origins.push({ src, conn }) - 1;
  }

  function samePrefix(p: number, end: number, bytes: Buffer, envelope: Envelope): boolean {
    const { prefix, view: wanted } = envelope;
    const n = prefix.length;
    if (p + PREFIX_AT + n > end) return false;
    let i = 0;
    // the tail of the prefix differs first between srcs and connections of one recorder; the whole is compared all the same
    for (; i + 4 <= n; i += 4) if (view.getInt32(p + PREFIX_AT + i, true) !== wanted.getInt32(i, true)) return false;
    for (; i < n; i++) if (bytes[p + PREFIX_AT + i] !== prefix[i]) return false;
    return true;
  }

  /** 16 digits at `p`, the first not 0 (which JSON forbids), below 2^53; or -1. */
  function readTime(p: number): number {
    const a = readFour(view, p);
    const b = readFour(view, p + 4);
    const c = readFour(view, p + 8);
    const d = readFour(view, p + 12);
    if (a < 0 || b < 0 || c < 0 || d < 0) return -1;
    const t = (a * 1e4 + b) * 1e8 + (c * 1e4 + d);
    return t >= FIRST_T && t <= Number.MAX_SAFE_INTEGER ? t : -1;
  }

  function decode(bytes: Buffer, from: number, to: number, out: EventBuffer): number {
    if (viewed !== bytes) {
      viewed = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const full = out.events.length / EVENT_STRIDE;
    let p = from;
    while (p < to && out.count < full) {
      const o = out.count * EVENT_STRIDE;
      let kind: number = Kind.entry;
      let end = decodeUsual(bytes, p, to, out, o);
      if (end > 0) kind = out.events[o + Field.KIND];
      else {
        end = bytes.indexOf(NEWLINE, p);
        if (end < 0 || end >= to) end = to;
        kind = decodeUnusual(bytes, p, end, out, o);
      }
      const e = out.events;
      e[o + Field.START] = p;
      e[o + Field.END] = end;
      out.count++;
      p = end < to ? end + 1 : to;
      if (kind === Kind.entry) break;
    }
    return p;
  }

  /**
   * A message in the usual envelope and a usual form, judged without looking for the end of its line first: no literal,
   * number or plain string of a form holds a newline, so a form cannot run into the next line. Returns the line's end, or -1.
   */
  function decodeUsual(bytes: Buffer, p: number, to: number, out: EventBuffer, o: number): number {
    if (mode !== 'fast' || p + PREFIX_AT + 4 > to || view.getInt32(p, true) !== LINE_START || bytes[p + 4] !== COLON)
      return -1;
    const t = readTime(p + T_AT);
    if (t < 0) return -1;
    if (current === null || !samePrefix(p, to, bytes, current)) {
      const found = findEnvelope(bytes, p, to);
      if (found === null) return -1;
      current = found;
    }
    const source = current.bound;
    if (source === null) return -1;
    const end = decodeFast(bytes, p + PREFIX_AT + current.prefix.length, to, out, o, source);
    if (end < 0) return -1;
    const e = out.events;
    e[o + Field.T] = t;
    e[o + Field.ORIGIN] = current.index;
    counts.fast++;
    return end;
  }

  /** Any other line: an entry for the caller, or a message that takes the JSON decoder. */
  function decodeUnusual(bytes: Buffer, p: number, end: number, out: EventBuffer, o: number): number {
    const e = out.events;
    e[o + Field.KIND] = Kind.entry;
    e[o + Field.T] = 0;
    e[o + Field.ORIGIN] = -1;
    // only a message is worth a parse here (its key may be written with escapes): entries are parsed by the caller
    const whole = bytes.subarray(p, end);
    if (whole.indexOf('"msg"', 0, 'latin1') < 0 && whole.indexOf(BACKSLASH) < 0) return Kind.entry;
    let line: unknown;
    try {
      const text = whole.toString('utf8');
      line = T_FIRST.test(text) ? JSON.parse(text) : null;
    } catch {
      return Kind.entry; // the caller reads it as an entry and reports what is wrong
    }
    return decodeParsed(line, out, o);
  }

  /** Tries the forms for the message at `p`; returns the end of its line, or -1. */
  function decodeFast(bytes: Buffer, p: number, to: number, out: EventBuffer, o: number, source: Bound): number {
    const { family, names } = source;
    const at = p + family.lead + names.lower.length + family.separator;
    if (at + 4 > to) return -1;
    const templates = templatesOf(family, view.getInt32(at, true));
    if (templates === undefined) return -1;
    const levels = out.levelCount;
    for (let i = 0; i < templates.length; i++) {
      const stop = templates[i](bytes, view, p, to, names, out, o);
      if (stop > 0 && stop < to && bytes[stop] === BRACE && (stop + 1 === to || bytes[stop + 1] === NEWLINE)) {
        if (i > 0) {
          // the form that fits now fits most likely next time
          const fitting = templates[i];
          templates[i] = templates[0];
          templates[0] = fitting;
        }
        const e = out.events;
        const flags = e[o + Field.FLAGS];
        if (source.notFlow[flags >> 6]) e[o + Field.FLAGS] = flags | NOT_FLOW;
        return stop + 1;
      }
      out.levelCount = levels;
    }
    return -1;
  }

  function decodeParsed(line: unknown, out: EventBuffer, o: number): number {
    const e = out.events;
    e[o + Field.KIND] = Kind.entry;
    if (typeof line !== 'object' || line === null || !('msg' in line)) return Kind.entry;
    const { t, src, conn, msg } = line as { t?: unknown; src?: unknown; conn?: unknown; msg: unknown };
    if (typeof t !== 'number' || !Number.isSafeInteger(t) || t < FIRST_T || typeof src !== 'string') return Kind.entry;
    const source = bound.get(src);
    if (source === undefined) return Kind.entry;
    decodeJson(msg, source.family.layouts, source.json, out);
    e[o + Field.T] = t;
    e[o + Field.ORIGIN] = originOf(src, typeof conn === 'string' ? conn : null);
    const flags = e[o + Field.FLAGS];
    if (source.notFlow[flags >> 6]) e[o + Field.FLAGS] = flags | NOT_FLOW;
    const kind = e[o + Field.KIND];
    counts.slow++;
    if (kind === Kind.unknown) counts.unknown++;
    else if (kind === Kind.invalid) counts.invalid++;
    return kind;
  }

  return { origins, counts, bind, isBound: (src) => bound.has(src), decode };
}
