/** Hands the book's level changes to all who follow some of them; the track itself knows one listener and one band. */
import type { BookSide } from './book.js';
import type { LevelTap } from './follower.js';
import { LevelChanges } from './level-changes.js';
import type { Track } from './track.js';

/** Where level changes come from. */
export type LevelSource = Pick<Track, 'levelBand' | 'onLevel'>;

export class LevelFeed {
  readonly #track: LevelSource;
  readonly #taps: LevelTap[] = [];
  /** of the message under way */
  readonly #changes = new LevelChanges();

  constructor(track: LevelSource) {
    this.#track = track;
  }

  tap(tap: LevelTap): void {
    const track = this.#track;
    this.#taps.push(tap);
    if (this.#taps.length === 1) {
      track.levelBand = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
      track.onLevel = (side: BookSide, price: number, before: number, after: number): void =>
        this.#changes.add(side, price, before, after);
    }
    this.settle();
  }

  /** A message was applied: who follows some of its changes is handed them. */
  tell(): void {
    const changes = this.#changes;
    if (changes.count === 0) return;
    const taps = this.#taps;
    for (let i = 0; i < taps.length; i++) taps[i].changes(changes);
    changes.clear();
  }

  /** Owners may have moved their bands: the track's is the hull of all. */
  settle(): void {
    const taps = this.#taps;
    if (taps.length === 0) return;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < taps.length; i++) {
      const { band } = taps[i];
      if (band.low < low) low = band.low;
      if (band.high > high) high = band.high;
    }
    const { levelBand } = this.#track;
    levelBand.low = low;
    levelBand.high = high;
  }
}
