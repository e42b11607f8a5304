/** What is usual: samples of the last whole UTC minutes and the running one, with exact quantiles. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';

/** Number of the UTC minute that holds `t`. */
export function minuteOf(t: Micros): number {
  return Math.floor(t / MICROS_PER_MINUTE);
}

/** Samples of one minute, sorted. */
interface Minute {
  minute: number;
  count: number;
  sorted: Float64Array;
}

/** Up to so many samples an insertion costs less than the searches it saves. */
const FEW = 1024;

/**
 * A ring of `minutes` whole UTC minutes plus the running one. Samples are kept as they are, so quantiles are exact and do not
 * depend on units. Each minute is sorted by itself and leaves whole when it is over; new samples join it when somebody asks. Where
 * samples are few, one sorted list of all stands beside the minutes and a quantile is a place in it; with a hundred samples a second
 * such a list took ten times as long, and the minutes are searched instead.
 */
export class Baseline {
  readonly minutes: number;
  readonly #ring: Minute[];
  #newest = Number.NEGATIVE_INFINITY;
  #count = 0;
  /** changes whenever samples come or go */
  version = 0;
  /** samples of the newest minute that nobody has asked for yet, in no order */
  #newer: Float64Array = new Float64Array(16);
  #waiting = 0;
  /** all others, sorted, while they are few */
  #all: Float64Array = new Float64Array(64);
  #isFew = true;
  readonly #few: number;
  /** where a search still looks: places [low, high) of each minute, or of its two halves */
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  /** of each minute, where its halves meet */
  readonly #cuts: Int32Array;

  /** @param few up to so many samples are kept as one list, too */
  constructor(minutes: number, few = FEW) {
    this.minutes = minutes;
    this.#few = few;
    const empty = (): Minute => ({ minute: Number.NEGATIVE_INFINITY, count: 0, sorted: new Float64Array(64) });
    this.#ring = Array.from({ length: minutes + 1 }, empty);
    this.#low = new Int32Array(2 * (minutes + 1));
    this.#high = new Int32Array(2 * (minutes + 1));
    this.#cuts = new Int32Array(minutes + 1);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a sample, unless it is NaN: what is not known is none. Minutes must not run backwards. */
  add(t: Micros, value: number): void {
    if (Number.isNaN(value)) return;
    this.expire(t);
    if (this.#waiting === this.#newer.length) this.#newer = withRoom(this.#newer, this.#waiting, this.#waiting + 1);
    this.#newer[this.#waiting++] = value;
    this.#count++;
    this.version++;
  }

  /** Samples that came since somebody last asked join their minute. */
  #settle(): void {
    const more = this.#waiting;
    if (more === 0) return;
    this.#waiting = 0;
    sort(this.#newer, more);
    const slot = this.#ring[this.#newest % this.#ring.length];
    slot.minute = this.#newest;
    slot.sorted = withRoom(slot.sorted, slot.count, slot.count + more);
    merge(slot.sorted, slot.count, this.#newer, more);
    slot.count += more;
    if (this.#count > this.#few) this.#isFew = false;
    if (!this.#isFew) return;
    const before = this.#count - more;
    this.#all = withRoom(this.#all, before, this.#count);
    merge(this.#all, before, this.#newer, more);
  }

  /** Lets go of minutes that are older than the ring at time `t`. */
  expire(t: Micros): void {
    const minute = minuteOf(t);
    if (minute === this.#newest) return;
    this.#settle();
    this.#newest = minute;
    for (const slot of this.#ring) {
      if (slot.minute >= minute - this.minutes || slot.count === 0) continue;
      this.version++;
      if (this.#isFew) this.#remove(slot);
      this.#count -= slot.count;
      slot.count = 0;
    }
    // half of it, so that samples do not go to and fro between few and many
    if (!this.#isFew && this.#count <= this.#few / 2) this.#gather();
  }

  /** Takes the samples of a minute out of the one list. */
  #remove({ sorted, count }: Minute): void {
    const all = this.#all;
    let kept = 0;
    let gone = 0;
    for (let n = 0; n < this.#count; n++)
      if (gone < count && all[n] === sorted[gone]) gone++;
      else all[kept++] = all[n];
  }

  /** Makes the one list of all samples anew. */
  #gather(): void {
    let count = 0;
    for (const slot of this.#ring) {
      this.#all = withRoom(this.#all, count, count + slot.count);
      this.#all.set(slot.sorted.subarray(0, slot.count), count);
      count += slot.count;
    }
    this.#all.subarray(0, count).sort();
    this.#isFew = true;
  }

  /**
   * The smallest sample that at least the share `q` of all samples does not exceed; NaN without samples.
   * @param near where it may be, as it was before some came and went: the search begins there
   */
  quantile(q: number, near = Number.NaN): number {
    this.#settle();
    const n = this.#count;
    return n === 0 ? Number.NaN : this.#ranked(Math.min(n - 1, Math.max(0, Math.ceil(q * n) - 1)), near);
  }

  /** The sample with so many before it in sorted order. */
  #ranked(rank: number, near: number): number {
    return this.#isFew ? this.#all[rank] : this.#searched(rank, near);
  }

  /**
   * The same, of many. A value, as a rule the middle of the minute with most samples left, cuts all minutes; what is on the wrong side of it
   * is left out from there on, and counts as below or above all that is left. So are samples that have more of their own minute between them and
   * the cut than there are of all minutes between the cut and the one wanted.
   */
  #searched(rank: number, near: number): number {
    const ring = this.#ring;
    const low = this.#low;
    const high = this.#high;
    const behind = this.#count - 1 - rank;
    for (let m = 0; m < ring.length; m++) {
      const { count } = ring[m];
      low[m] = Math.max(0, count - 1 - behind);
      high[m] = Math.min(count, rank + 1);
    }
    for (let pivot = near; ; pivot = this.#middle()) {
      if (Number.isNaN(pivot)) continue;
      let below = 0;
      let upTo = 0;
      for (let m = 0; m < ring.length; m++) {
        below += firstNotBelow(ring[m].sorted, pivot, low[m], high[m]);
        upTo += firstAbove(ring[m].sorted, pivot, low[m], high[m]);
      }
      if (rank >= below && rank < upTo) return pivot;
      for (let m = 0; m < ring.length; m++)
        if (rank < below) {
          high[m] = firstNotBelow(ring[m].sorted, pivot, low[m], high[m]);
          low[m] = Math.max(low[m], high[m] - (below - rank));
        } else {
          low[m] = firstAbove(ring[m].sorted, pivot, low[m], high[m]);
          high[m] = Math.min(high[m], low[m] + (rank - upTo + 1));
        }
    }
  }

  /** The middle of the minute with most samples left. */
  #middle(): number {
    const ring = this.#ring;
    const low = this.#low;
    const high = this.#high;
    let widest = 0;
    for (let m = 1; m < ring.length; m++) if (high[m] - low[m] > high[widest] - low[widest]) widest = m;
    return ring[widest].sorted[(low[widest] + high[widest]) >>> 1];
  }

  /** How many samples are smaller than `value`. */
  countBelow(value: number): number {
    this.#settle();
    if (this.#isFew) return firstNotBelow(this.#all, value, 0, this.#count);
    let sum = 0;
    for (const { sorted, count } of this.#ring) sum += firstNotBelow(sorted, value, 0, count);
    return sum;
  }

  /** How many samples do not exceed `value`. */
  countTo(value: number): number {
    this.#settle();
    if (this.#isFew) return firstAbove(this.#all, value, 0, this.#count);
    let sum = 0;
    for (const { sorted, count } of this.#ring) sum += firstAbove(sorted, value, 0, count);
    return sum;
  }

  /** The median, between the two middle samples where their number is even: that of mirrored samples is its mirror. NaN without samples. */
  median(): number {
    this.#settle();
    const n = this.#count;
    if (n === 0) return Number.NaN;
    const low = this.#ranked((n - 1) >> 1, Number.NaN);
    return (low + this.#ranked(n >> 1, low)) / 2;
  }

  /** Median distance of the samples from `centre`: at least half of them lie no farther. NaN without samples. */
  deviation(centre: number): number {
    this.#settle();
    const n = this.#count;
    if (n === 0) return Number.NaN;
    const rank = Math.ceil(n / 2) - 1;
    return this.#isFew ? this.#nearest(centre, rank) : this.#searchedDeviation(centre, rank);
  }

  /** The distance from `centre` that so many others do not exceed: the wider end of the narrowest stretch with so many samples. */
  #nearest(centre: number, rank: number): number {
    const all = this.#all;
    const last = this.#count - 1 - rank;
    // the stretch begins before the first place from which its end would be no nearer to the centre than its beginning
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (centre - all[middle] > all[middle + rank] - centre) low = middle + 1;
      else high = middle;
    }
    const from = low;
    const wider = Math.max(centre - all[from], all[from + rank] - centre);
    return from === 0 ? wider : Math.min(wider, Math.max(centre - all[from - 1], all[from - 1 + rank] - centre));
  }

  /** The same, of many: searched for as a quantile is, in twice as many lists: what lies before the centre of each minute, from there backwards, and what lies behind. */
  #searchedDeviation(centre: number, rank: number): number {
    const ring = this.#ring;
    const cuts = this.#cuts;
    const low = this.#low;
    const high = this.#high;
    for (let m = 0; m < ring.length; m++) {
      const { sorted, count } = ring[m];
      cuts[m] = firstNotBelow(sorted, centre, 0, count);
      low[2 * m] = 0;
      high[2 * m] = Math.min(cuts[m], rank + 1);
      low[2 * m + 1] = 0;
      high[2 * m + 1] = Math.min(count - cuts[m], rank + 1);
    }
    for (;;) {
      let widest = 0;
      for (let list = 1; list < low.length; list++)
        if (high[list] - low[list] > high[widest] - low[widest]) widest = list;
      const pivot = this.#distance(widest, (low[widest] + high[widest]) >>> 1, centre);
      let below = 0;
      let upTo = 0;
      for (let list = 0; list < low.length; list++) {
        below += this.#firstAt(list, centre, pivot, false);
        upTo += this.#firstAt(list, centre, pivot, true);
      }
      if (rank >= below && rank < upTo) return pivot;
      for (let list = 0; list < low.length; list++)
        if (rank < below) high[list] = this.#firstAt(list, centre, pivot, false);
        else low[list] = this.#firstAt(list, centre, pivot, true);
    }
  }

  /** Distance of place `i` of a list from the centre: lists of even number run backwards from it. */
  #distance(list: number, i: number, centre: number): number {
    const { sorted } = this.#ring[list >> 1];
    const cut = this.#cuts[list >> 1];
    return (list & 1) === 0 ? centre - sorted[cut - 1 - i] : sorted[cut + i] - centre;
  }

  /** First place of a list, where the search still looks, whose distance is not below `distance`; with `beyond`, above it. */
  #firstAt(list: number, centre: number, distance: number, beyond: boolean): number {
    let low = this.#low[list];
    let high = this.#high[list];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const value = this.#distance(list, middle, centre);
      if (beyond ? value <= distance : value < distance) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    for (const slot of this.#ring) slot.count = 0;
    this.version++;
    this.#count = 0;
    this.#waiting = 0;
    this.#isFew = true;
  }
}

/** The list, or a copy of its first `count` values that has room for so many. */
function withRoom(list: Float64Array, count: number, needed: number): Float64Array {
  if (needed <= list.length) return list;
  const grown = new Float64Array(Math.max(needed, list.length * 2));
  grown.set(list.subarray(0, count));
  return grown;
}

/** So few values are sorted by insertion. */
const HANDFUL = 24;

/** Sorts the first `count` values. */
function sort(values: Float64Array, count: number): void {
  if (count > HANDFUL) {
    // numbers above zero lie in the order of their bits, and those are sorted in an eighth of the time
    if (areAboveZero(values, count)) new BigUint64Array(values.buffer, 0, count).sort();
    else values.subarray(0, count).sort();
    return;
  }
  for (let n = 1; n < count; n++) {
    const value = values[n];
    let place = n;
    for (; place > 0 && values[place - 1] > value; place--) values[place] = values[place - 1];
    values[place] = value;
  }
}

function areAboveZero(values: Float64Array, count: number): boolean {
  for (let n = 0; n < count; n++) if (!(values[n] > 0)) return false;
  return true;
}

/** From a place so far from the end a copy of what lies behind takes less time than steps. */
const FAR = 256;

/** Puts `more` sorted values among the first `count` of sorted ones, from the last place on. */
function merge(sorted: Float64Array, count: number, newer: Float64Array, more: number): void {
  if (more === 1 && count > FAR) {
    const place = firstNotBelow(sorted, newer[0], 0, count);
    sorted.copyWithin(place + 1, place, count);
    sorted[place] = newer[0];
    return;
  }
  let n = count - 1;
  let place = count + more - 1;
  for (let m = more - 1; m >= 0; m--) {
    const value = newer[m];
    while (n >= 0 && sorted[n] > value) sorted[place--] = sorted[n--];
    sorted[place--] = value;
  }
}

/** First place of sorted values in [low, high) that is not below `value`, or `high`. */
function firstNotBelow(sorted: Float64Array, value: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First place of sorted values in [low, high) that is above `value`, or `high`. */
function firstAbove(sorted: Float64Array, value: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many things happened in the last whole UTC minutes and the running one. */
export class MinuteCounter {
  readonly minutes: number;
  readonly #counts: Float64Array;
  #minute = Number.NEGATIVE_INFINITY;
  /** end of that minute: a division less for most of what is counted */
  #end: Micros = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(minutes: number) {
    this.minutes = minutes;
    this.#counts = new Float64Array(minutes + 1);
  }

  add(t: Micros): void {
    this.#advance(t);
    this.#counts[this.#minute % this.#counts.length]++;
    this.#total++;
  }

  count(t: Micros): number {
    this.#advance(t);
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  #advance(t: Micros): void {
    if (t >= this.#end) this.#moveTo(minuteOf(t));
  }

  #moveTo(minute: number): void {
    const size = this.#counts.length;
    if (minute - this.#minute >= size) this.clear();
    else
      for (let m = this.#minute + 1; m <= minute; m++) {
        this.#total -= this.#counts[m % size];
        this.#counts[m % size] = 0;
      }
    this.#minute = minute;
    this.#end = (minute + 1) * MICROS_PER_MINUTE;
  }
}
