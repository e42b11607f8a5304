/** Flows for a person's eyes: what happens in each market is told to a viewer, in order, by the same state that detectors read. */
import type { DecodeMode } from '../decode/decoder.js';
import type { Follower } from '../market/follower.js';
import type { Market } from '../market/market.js';
import type { Damage, LineFlow } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import type { Detector } from '../signals/detector.js';
import { createScanBuffer, FlowScanner } from './scan.js';
import { scanSettings } from './settings.js';

/** Which market is looked at. */
export interface Seen {
  venue: string;
  symbol: string;
  market: Market;
}

export interface WatchOptions {
  /** nothing at or behind `to` is told */
  to?: Micros;
  /** called for every src once its header was read, and again when its instrument changes */
  open(seen: Seen): Follower;
  damage(damage: Damage['damage']): void;
  note(text: string): void;
  /** ends it as if the input had ended */
  signal?: AbortSignal;
  decoder?: DecodeMode | undefined;
}

/**
 * Reads a flow; yields after every batch of lines, so that what a viewer made of them can be written out.
 * @throws {TapedeckError} E_HEADER, E_VERSION, E_VENUE
 */
export async function* watch(
  flow: LineFlow,
  { open, to, signal, decoder, ...told }: WatchOptions,
): AsyncGenerator<void> {
  const viewers = [{ detector: viewerOf(open), options: {} }];
  const detectors = { of: () => viewers, lists: [viewers] };
  const range = to === undefined ? {} : { to };
  const settings = { ...scanSettings({ detect: ['none'] }, { checksum: false, ...range }), detectors };
  const scanner = new FlowScanner({ settings, decoder, ...told }, createScanBuffer(decoder));
  for await (const item of flow) {
    scanner.take(item);
    yield;
    if (scanner.done || signal?.aborted === true) break;
  }
  scanner.finish();
  yield;
}

/** A detector that detects nothing: where it would be created, the viewer begins to follow the market. */
function viewerOf(open: WatchOptions['open']): Detector {
  return {
    name: 'view',
    summary: '',
    doc: '',
    needs: [],
    parameters: {},
    meaning: { side: '', price: '', score: '', evidence: {} },
    lookback: () => 0,
    create(_, market, { speaker }) {
      const { venue, symbol } = speaker;
      market.follow(open({ venue, symbol, market }));
      return { wake: 0, evaluate() {}, close() {}, lose() {} };
    },
  };
}
