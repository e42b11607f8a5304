/** Which of a venue's layouts explains a parsed message, by paths and keys alone. */
import type { Layouts, MessageLayout, Path, TopicLayout } from './layout.js';

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path from `root`; undefined where there is none. */
export function valueAt(root: JsonObject, path: Path): unknown {
  if (path === '') return root;
  let value: unknown = root;
  for (const key of path.split('.')) {
    if (key === '0' && Array.isArray(value)) {
      if (value.length !== 1) return undefined;
      value = value[0];
      continue;
    }
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** The value of a key of the payload or, with a `/` before it, at a path from the root. */
export function fieldAt(root: JsonObject, payload: JsonObject, key: string): unknown {
  if (key.startsWith('/')) return valueAt(root, key.slice(1));
  return Object.hasOwn(payload, key) ? payload[key] : undefined;
}

export type Explained =
  /** a layout and stream variant, and what its records are made of; no payload is left out */
  | { kind: 'data'; index: number; variant: number; payloads: JsonObject[] }
  /** acks, errors and the like */
  | { kind: 'control' }
  /** of another instrument: the name it has there */
  | { kind: 'stranger'; name: string }
  | { kind: 'unknown' };

const UNKNOWN: Explained = { kind: 'unknown' };

/** Explains a message to who follows `symbol`. */
export function explain(message: unknown, layouts: Layouts, symbol: string): Explained {
  if (!isObject(message)) return UNKNOWN;
  const stream = streamOf(message, layouts, symbol);
  const payload = valueAt(message, layouts.payload);
  if (stream === undefined || payload === undefined)
    if (layouts.control.some((key) => Object.hasOwn(message, key))) return { kind: 'control' };
  if (stream === undefined || stream === null) return UNKNOWN;
  if (typeof stream !== 'string') return { kind: 'stranger', name: stream.stranger };
  const inner = isObject(payload) ? payload : {};
  const type = fieldAt(message, inner, layouts.type);
  for (const [index, layout] of layouts.messages.entries()) {
    const variant = layout.streams.indexOf(stream);
    if (variant < 0 || !isOfType(layout, type)) continue;
    const payloads = payloadsOf(message, payload, layout);
    return payloads === null ? UNKNOWN : { kind: 'data', index, variant, payloads };
  }
  return UNKNOWN;
}

function isOfType({ type }: MessageLayout, value: unknown): boolean {
  return type === undefined || (type === null ? value === undefined : value === type);
}

function payloadsOf(message: JsonObject, payload: unknown, { rows }: MessageLayout): JsonObject[] | null {
  const list = rows === undefined ? payload : valueAt(message, rows);
  const all = rows !== undefined && Array.isArray(list) ? (list as unknown[]) : [list];
  return all.every(isObject) ? all : null;
}

/** What stands where messages name their symbol. */
function symbolAt(message: JsonObject, { symbol, symbolElse }: TopicLayout): unknown {
  const given = valueAt(message, symbol ?? '');
  return given === undefined && symbolElse !== undefined ? valueAt(message, symbolElse) : given;
}

/** The name of the message's stream; undefined where there is none, null where it cannot be told. */
function streamOf(
  message: JsonObject,
  { topic }: Layouts,
  symbol: string,
): string | { stranger: string } | null | undefined {
  let text = '';
  for (const [n, path] of topic.stream.entries()) {
    const part = valueAt(message, path);
    if (part === undefined && n > 0) continue;
    // an ack may have the key with nothing in it
    if (part === undefined || (part === '' && n === 0)) return undefined;
    if (typeof part === 'string') text += part;
    else if (Number.isSafeInteger(part) && n > 0) text += String(part);
    else return null;
  }
  const name = topic.lowerCase === true ? symbol.toLowerCase() : symbol;
  if (topic.symbol !== null) {
    const given = symbolAt(message, topic);
    // acks may name a stream, but no symbol
    if (given === undefined) return undefined;
    if (typeof given !== 'string') return null;
    return given === name ? text : { stranger: given };
  }
  const { separator = '', symbolFirst = false } = topic;
  if (symbolFirst) {
    const prefix = name + separator;
    return text.startsWith(prefix) ? text.slice(prefix.length) : { stranger: text };
  }
  const suffix = separator + name;
  return text.endsWith(suffix) ? text.slice(0, -suffix.length) : { stranger: text };
}

/** The symbol a message names, where its topic says so in the venue's own spelling; null where it does not. */
export function symbolIn(message: unknown, { topic, payload, messages }: Layouts): string | null {
  if (!isObject(message) || valueAt(message, payload) === undefined) return null;
  if (topic.symbol !== null) {
    const given = symbolAt(message, topic);
    return typeof given === 'string' && given !== '' ? given : null;
  }
  const text = valueAt(message, topic.stream[0]);
  if (typeof text !== 'string' || topic.lowerCase === true) return null;
  const { separator = '', symbolFirst = false } = topic;
  for (const { streams } of messages)
    for (const stream of streams) {
      if (symbolFirst && text.endsWith(separator + stream)) return text.slice(0, -(separator.length + stream.length));
      if (!symbolFirst && text.startsWith(stream + separator)) return text.slice(stream.length + separator.length);
    }
  return null;
}
