/** The scanner in TypeScript: the fallback where there is no WebAssembly, and the oracle of the compiled one. */
import { EVENT_STRIDE, type EventBuffer, Field, NOT_FLOW, STREAM_SHIFT } from '../model/event.js';
import { fineDecimals } from '../model/instrument.js';
import { type Envelope, FIRST_T, PREFIX_AT, T_AT } from './envelope.js';
import type { Layouts } from './layout.js';
import { MAX_STREAMS } from './layout.js';
import { readFour } from './numbers.js';
import { type Scanner, Stop } from './scanner.js';
import { createTemplates, type Names, type Template, templateRows } from './template.js';

/** A tape of endless reconnects must not grow the list of envelopes without end. */
const MAX_ENVELOPES = 4096;
/** Slots of the cache of envelopes; a power of two. */
const SLOTS = 1024;
const LINE_START = new DataView(new TextEncoder().encode('{"t":').buffer).getInt32(0, true);
const COLON = 0x3a;
const NEWLINE = 0x0a;
const BRACE = 0x7d;
const LAYOUT_SHIFT = STREAM_SHIFT + Math.log2(MAX_STREAMS);

/** An envelope, ready to be compared. */
interface Known {
  prefix: Uint8Array;
  view: DataView;
  origin: number;
  names: Names;
  notFlow: readonly boolean[];
  templates: (key: number) => readonly Template[];
  /** what the last message of it asked for */
  key: number;
  fitting: readonly Template[];
}

const compiled = new WeakMap<Layouts, (key: number) => readonly Template[]>();

function templatesOf(layouts: Layouts): (key: number) => readonly Template[] {
  let templates = compiled.get(layouts);
  if (templates === undefined) {
    templates = createTemplates(layouts);
    compiled.set(layouts, templates);
  }
  return templates;
}

/** Creates a scanner; it knows envelopes of any layouts. */
export function createTypescriptScanner(): Scanner {
  const encoder = new TextEncoder();
  let slots: (Known | undefined)[] = new Array(SLOTS);
  let known = 0;
  let current: Known | null = null;
  let view: DataView = new DataView(new ArrayBuffer(0));
  let viewed: Buffer | null = null;
  let stop: number = Stop.done;
  let messages = 0;

  const look = (bytes: Buffer): void => {
    if (viewed === bytes) return;
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };

  /** The slot of the cache that the prefix of the line at `p` falls into. */
  function slotOf(p: number, to: number): number {
    const end = Math.min(to - 4, p + PREFIX_AT + 60);
    let h = 0;
    for (let i = p + PREFIX_AT + 8; i <= end; i += 4)
      h = Math.imul(h ^ view.getInt32(i, true), 0x9e3779b1) ^ (h >>> 15);
    return (h ^ (h >>> 12)) & (SLOTS - 1);
  }

  function samePrefix(p: number, end: number, bytes: Buffer, envelope: Known): boolean {
    const { prefix, view: wanted } = envelope;
    const n = prefix.length;
    if (p + PREFIX_AT + n > end) return false;
    let i = 0;
    // as float64, as templates do: what is NaN differs from itself, and takes the slow way
    for (; i + 8 <= n; i += 8)
      if (view.getFloat64(p + PREFIX_AT + i, true) !== wanted.getFloat64(i, true)) return false;
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

  /**
   * A line in the usual form, judged without looking for its end first: no literal, number or plain string of a form
   * holds a newline, so a form cannot run into the next line. Returns the line's end, or -1.
   */
  function scanLine(bytes: Buffer, p: number, to: number, out: EventBuffer, o: number): number {
    stop = Stop.unusual;
    if (p + PREFIX_AT + 4 > to || view.getInt32(p, true) !== LINE_START || bytes[p + 4] !== COLON) return -1;
    const t = readTime(p + T_AT);
    if (t < 0) return -1;
    if (current === null || !samePrefix(p, to, bytes, current)) {
      const found = slots[slotOf(p, to)];
      if (found === undefined || !samePrefix(p, to, bytes, found)) {
        stop = Stop.envelope;
        return -1;
      }
      current = found;
    }
    const envelope = current;
    const at = p + PREFIX_AT + envelope.prefix.length;
    if (at + 4 > to) return -1;
    const levels = out.levelCount;
    const key = view.getUint32(at, true);
    if (key !== envelope.key) {
      envelope.key = key;
      envelope.fitting = envelope.templates(key);
    }
    const { fitting } = envelope;
    for (let i = 0; i < fitting.length; i++) {
      const q = fitting[i](bytes, view, at, to, envelope.names, out, o);
      if (q > 0 && q < to && bytes[q] === BRACE && (q + 1 === to || bytes[q + 1] === NEWLINE)) {
        const e = out.events;
        const beside = envelope.notFlow[e[o + Field.FLAGS] >> LAYOUT_SHIFT] ? NOT_FLOW : 0;
        for (let r = o; r < o + templateRows.count * EVENT_STRIDE; r += EVENT_STRIDE) {
          if (beside !== 0) e[r + Field.FLAGS] |= beside;
          e[r + Field.START] = p;
          e[r + Field.END] = q + 1;
          e[r + Field.T] = t;
          e[r + Field.ORIGIN] = envelope.origin;
        }
        return q + 1;
      }
      out.levelCount = levels;
    }
    return -1;
  }

  return {
    scan(bytes, from, to, out) {
      look(bytes);
      messages = 0;
      const full = out.events.length / EVENT_STRIDE;
      let p = from;
      while (p < to && out.count < full) {
        const end = scanLine(bytes, p, to, out, out.count * EVENT_STRIDE);
        if (end < 0) return p;
        out.count += templateRows.count;
        messages++;
        p = end < to ? end + 1 : to;
      }
      stop = Stop.done;
      return p;
    },
    get stop() {
      return stop;
    },
    get messages() {
      return messages;
    },
    learn({ prefix, origin, bound }: Envelope, bytes, p, to) {
      look(bytes);
      const { scale, layouts, notFlow } = bound;
      if (++known > MAX_ENVELOPES) {
        slots = new Array(SLOTS);
        known = 1;
      }
      slots[slotOf(p, to)] = {
        prefix,
        view: new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength),
        origin,
        names: {
          symbol: encoder.encode(bound.escapedSymbol),
          priceDecimals: scale.price,
          sizeDecimals: scale.size,
          fineDecimals: fineDecimals(scale),
        },
        notFlow,
        templates: templatesOf(layouts),
        key: -1,
        fitting: [],
      };
    },
    forget() {
      slots = new Array(SLOTS);
      known = 0;
      current = null;
    },
  };
}
