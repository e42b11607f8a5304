/** Flows without detectors: what happens in each market is told to a follower, in order, by the same state that they read. */
import type { DecodeMode } from '../decode/decoder.js';
import type { Follower } from '../market/follower.js';
import type { Damage, LineFlow } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { type FlowCount, flowNotes } from './flow-count.js';
import type { Seen } from './pipeline.js';
import { createScanBuffer, FlowScanner } from './scan.js';
import { scanSettings } from './settings.js';

export type { Seen };

export interface WatchOptions {
  /** what came before is not to be shown; a header that says so counts as well */
  from?: Micros | undefined;
  /** nothing at or behind `to` is told */
  to?: Micros | undefined;
  /** called for every src once its header was read, and again when its instrument changes */
  open(seen: Seen): Follower;
  damage(damage: Damage['damage']): void;
  note(text: string): void;
  /** ends it as if the input had ended */
  signal?: AbortSignal;
  /** called where `signal` ends it before its end, with the time reached; without it that counts as the end */
  stopped?(t: Micros): void;
  decoder?: DecodeMode | undefined;
}

/** Whether an entry of a market lies in the range that is looked at; true where nothing but its header was recorded. */
export function isInRange({ market, from, done }: Seen): boolean {
  return market.t >= from && !(done && market.track.t === 0);
}

/**
 * Reads a flow; yields after every batch of lines, so that what a viewer made of them can be written out.
 * @throws {TapedeckError} E_HEADER, E_VERSION, E_VENUE
 */
export async function* watch(
  lines: LineFlow,
  { open, from, to, signal, stopped, decoder, ...told }: WatchOptions,
): AsyncGenerator<void> {
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const settings = scanSettings({ detect: ['none'] }, { checksum: false, ...range });
  const counts: FlowCount[] = [];
  const flow = (count: FlowCount): void => void counts.push(count);
  const scanner = new FlowScanner({ settings, decoder, view: open, ...told, flow }, createScanBuffer(decoder));
  for await (const item of lines) {
    if (stopped !== undefined && signal?.aborted === true) {
      stopped(scanner.reached);
      break;
    }
    scanner.take(item);
    yield;
    if (scanner.done || (stopped === undefined && signal?.aborted === true)) break;
  }
  scanner.finish();
  for (const text of flowNotes(counts)) told.note(text);
  yield;
}
