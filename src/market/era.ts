/** Tells records that were seen before from those of a venue that counts anew, as after a restart of its own: both have old ids. */
import type { Micros } from '../model/entry.js';

/** Old records in a row that are taken for repeats where no exchange time tells; a longer run means that the venue counts anew. */
export const MAX_OLD_RUN = 100;
/** A longer run of records of a numbering that is over means that the one that followed was a mistake. */
const MAX_LATE_RUN = 1000;
/** Nothing of a numbering that is over comes so long after its end. */
const LATEST: Micros = 10_000_000;

/** The time in which one numbering of a stream holds, by exchange times; 0 is a time that is not known. */
export class Era {
  /** newest of the numbering before; 0 where there was none */
  #before: Micros = 0;
  /** of the record that began this one; 0 where it was not seen */
  #began: Micros = 0;
  #newest: Micros = 0;
  /** old records in a row, and late ones of the numbering before */
  #repeats = 0;
  #late = 0;

  /** A record followed by its ids. */
  followed(at: Micros): void {
    this.#repeats = this.#late = 0;
    if (at <= this.#newest) return;
    this.#newest = at;
    if (this.#began > 0 && at > this.#began + LATEST) this.#began = this.#before = 0;
  }

  /** Whether what has an old id was made after all that was seen: then it is no repeat. */
  isOver(at: Micros): boolean {
    return this.#newest > 0 && at > this.#newest;
  }

  /**
   * Takes in a record that does not follow: its ids are old, or `isLate`: it is of the numbering before.
   * @returns whether ids begin anew with it; else it takes no part
   */
  beginsAnew(isLate: boolean, at: Micros): boolean {
    if (isLate ? ++this.#late < MAX_LATE_RUN : !this.isOver(at) && ++this.#repeats < MAX_OLD_RUN) return false;
    this.begin(at);
    return true;
  }

  /** Ids begin anew with a record of this time. */
  begin(at: Micros): void {
    this.#repeats = this.#late = 0;
    this.#before = this.#newest;
    this.#began = at;
    this.#newest = at;
  }

  /** No run of records that do not follow is being counted. */
  get plain(): boolean {
    return this.#repeats === 0 && this.#late === 0;
  }

  /** Whether a record with an id that does not follow is of the numbering before. */
  isBefore(at: Micros): boolean {
    return at > 0 && at < this.#began;
  }

  /** Whether a record is known to be of this numbering, and not of the one before. */
  isSince(at: Micros): boolean {
    return this.#began > 0 && at >= this.#began && at > this.#before;
  }

  /** Nothing is known of it. */
  forget(): void {
    this.#before = 0;
    this.#began = 0;
    this.#newest = 0;
  }

  /** Plain JSON. */
  state(): number[] {
    return [this.#before, this.#began, this.#newest];
  }

  /** Takes over what `state` gave; what is anything else tells nothing. */
  restore(state: unknown): void {
    const times: unknown[] = Array.isArray(state) ? state : [];
    const time = (i: number): Micros => (typeof times[i] === 'number' ? times[i] : 0);
    this.#before = time(0);
    this.#began = time(1);
    this.#newest = time(2);
  }
}
