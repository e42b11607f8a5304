/** Counts gaps once each: a break seen in the messages and the recorder's entries about it are one gap. */
import type { Gap } from '../model/entry.js';

/**
 * Gaps of one recording. A stream (`depth`, `trade`, …, `*` for all) has at most one open gap; what is said about it
 * until its next good message belongs to that gap.
 */
export class GapLedger {
  count = 0;
  readonly #open = new Set<string>();
  /** streams that had a good message since all were lost; null when no gap of all streams is open */
  #resumed: Set<string> | null = null;
  /** one loss is told once per channel by recorders: same reason, same moment */
  #told = '';

  /** Whether anything is open: then `resume` needs to be told of good messages. */
  get pending(): boolean {
    return this.#open.size > 0 || this.#resumed !== null;
  }

  /** A break seen in the messages themselves. Returns true when it is a gap of its own. */
  broken(stream: string): boolean {
    const known = this.#covers(stream);
    if (stream === '*') this.#resumed = new Set();
    else this.#open.add(stream);
    if (!known) this.count++;
    return !known;
  }

  /** A gap entry of the recorder. Returns true when it is a gap of its own. */
  entry(gap: Gap): boolean {
    const told = `${gap.reason} ${gap.from}`;
    if (this.#told === told && gap.reason !== 'sequence') {
      this.#mark(gap.stream);
      return false;
    }
    this.#told = told;
    return this.broken(gap.stream);
  }

  /** A good message of a stream: its gap is over. */
  resume(stream: string): void {
    this.#open.delete(stream);
    this.#resumed?.add(stream);
  }

  #mark(stream: string): void {
    if (stream === '*') this.#resumed = new Set();
    else this.#open.add(stream);
  }

  #covers(stream: string): boolean {
    if (stream === '*') return this.#resumed !== null && this.#resumed.size === 0;
    return this.#open.has(stream) || (this.#resumed !== null && !this.#resumed.has(stream));
  }
}
