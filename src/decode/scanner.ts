/** The contract of the scanners: usual lines to records, whatever does it. */
import type { EventBuffer } from '../model/event.js';
import type { Envelope } from './envelope.js';

/** Why a scan came back: there is no more text or no more room, the line is not usual, or its envelope is not known. */
export const Stop = { done: 0, unusual: 1, envelope: 2 } as const;

export interface Scanner {
  /**
   * Appends a record to `out` for each line of `bytes[from, to)` that is usual to the byte, and stops at the first that
   * is not; `stop` then says why.
   * @returns the offset behind the last line that was read
   */
  scan(bytes: Buffer, from: number, to: number, out: EventBuffer): number;
  readonly stop: number;
  /** how many messages the last scan read: one may be several records */
  readonly messages: number;
  /** makes an envelope known; a line that has it begins at `bytes[p]` */
  learn(envelope: Envelope, bytes: Buffer, p: number, to: number): void;
  /** forgets all envelopes */
  forget(): void;
}

/**
 * Which decoder to use; results are the same. `wasm` is the default, `typescript` what it falls back to where WebAssembly or the
 * compiled forms of a layout are not to be had, `json` the oracle of both.
 */
export type DecodeMode = 'wasm' | 'typescript' | 'json';
