/** Envelopes: what stands between the time and the message of a line, the same for every message of a src and connection. */
import type { Source } from '../model/entry.js';
import type { Scale } from '../model/instrument.js';
import type { Layouts } from './layout.js';

/** What must be known of a src before its messages can be decoded: from the tape header and the venue. */
export interface Binding {
  layouts: Layouts;
  symbol: string;
  scale: Scale;
  /** channel whose trades are the flow */
  flow: string;
}

/** A binding with what follows from it. */
export interface Bound extends Binding {
  lower: string;
  /** the symbol as it stands inside JSON: one that needs escapes must not be able to close its string */
  escapedLower: string;
  escapedSymbol: string;
  /** index per layout: its trades are beside the flow */
  notFlow: readonly boolean[];
}

/** An envelope of a bound src, as scanners look for it. */
export interface Envelope {
  /** from behind `t` up to the stream's name: `,"src":…,"conn":…,"msg":` and the wrapper before the stream */
  prefix: Uint8Array;
  /** what records of it have in ORIGIN */
  origin: number;
  bound: Bound;
}

/** `{"t":` and 16 digits. */
export const T_AT = 5;
export const PREFIX_AT = T_AT + 16;
/** The smallest time of 16 digits. */
export const FIRST_T = 1e15;
/** Longest src and connection that are looked for; a line with longer ones takes the slow way. */
const MAX_PREFIX = 512;

export function boundOf(binding: Binding): Bound {
  const { layouts, symbol, flow } = binding;
  const lower = symbol.toLowerCase();
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  const isTrade = layouts.messages.some(({ event, name }) => event === 'trade' && name === flow);
  const notFlow = layouts.messages.map(({ event, name }) => event === 'trade' && isTrade && name !== flow);
  return { ...binding, lower, escapedLower: inJson(lower), escapedSymbol: inJson(symbol), notFlow };
}

/** The envelope text of the line at `p`: from behind `t` to `"msg":`; null where the line has not the usual form. */
export function envelopeText(bytes: Buffer, p: number, end: number): string | null {
  const start = p + PREFIX_AT;
  const key = bytes.subarray(start, Math.min(end, start + MAX_PREFIX)).indexOf('"msg":', 0, 'latin1');
  return key < 0 ? null : bytes.toString('utf8', start, start + key + 6);
}

/** What an envelope text says; null where it has another form than the recorder writes, or wrong escapes in a name. */
export function readEnvelope(text: string): { src: Source; conn: string | null } | null {
  const match = /^,"src":("(?:[^"\\]|\\.)*")(?:,"conn":("(?:[^"\\]|\\.)*"))?,"msg":$/.exec(text);
  if (match === null) return null;
  try {
    return {
      src: JSON.parse(match[1]) as string,
      conn: match[2] === undefined ? null : (JSON.parse(match[2]) as string),
    };
  } catch {
    return null;
  }
}
