/** Dividing a scan among jobs: by src where there are many, else by time at whole units (sums: minutes), each run after its look-back. */
import type { HeaderEntry, Micros } from '../model/entry.js';
import type { Segment } from '../tape/segment.js';
import { startingPoint } from '../tape/source.js';
import { divisionOf, readingStart, type ScanSettings } from './settings.js';

/** One src of a run, as plain data. */
export interface RunFlow {
  /** which of the tape's groups */
  group: number;
  /** its segments in order of time, up to the one that ends the run */
  paths: string[];
  /** it is a file that could not be opened when the tape was: that is damage, while one that is gone since then is a failure */
  faulty: boolean;
  /** reading starts at this one of them */
  skip: number;
  /** `t` of the checkpoint at which the next run starts reading: it must say what this run knows there. Null: none */
  proof: Micros | null;
}

/** A contiguous run of whole units of some srcs: what one worker does at a time. */
export interface Run {
  flows: RunFlow[];
  /** signals with `from <= time < to` are this run's */
  from?: Micros;
  to?: Micros;
  /** where reading starts; absent: at the first entry */
  readFrom?: Micros;
  /** what is read before `from` is another run's, its damage, notes and sums too */
  continues: boolean;
  /** what lies behind `to` is another run's */
  continued: boolean;
  /** compressed bytes to read */
  bytes: number;
}

/** Runs whose output is printed one after the other; several lanes are merged. */
export interface Lane {
  groups: readonly number[];
  runs: Run[];
  /** workers that it has */
  workers: number;
}

export interface PlanOptions {
  jobs: number;
  /** a run of fewer compressed bytes is not worth a thread */
  leastBytes: number;
}

/** About a tenth of a second of work: starting a thread costs as much. */
export const LEAST_BYTES = 1024 * 1024;
/** Runs per worker at most. */
const MOST_RUNS = 4;
/** Flows that may be open at once where every worker reads every src: each holds a book, windows and buffers. */
const MOST_FLOWS = 64;
/** Dividing has to save at least this share of the work's time. */
const LEAST_GAIN = 0.1;

interface Extent {
  /** `t` of the first entry, and the last time that is known without reading: boundaries stand between them */
  first: Micros;
  last: Micros;
  /** nothing comes after `last` */
  ends: boolean;
  /** time may be cut from here on; Infinity: nowhere */
  cuttableFrom: Micros;
  /** frames by time: compressed bytes from `t` on */
  marks: { t: Micros; bytes: number }[];
}

/** What a scan has to do, and what it is divided by. */
export class Plan {
  readonly lanes: Lane[];
  /** compressed bytes of all runs, look-backs included */
  readonly bytes: number;
  readonly #groups: readonly (readonly Segment[])[];
  readonly #settings: ScanSettings;
  readonly #extents: readonly Extent[];
  readonly #readFrom: Micros | undefined;
  /** by time, places that were looked at: each look decompresses and parses a checkpoint */
  readonly #known = new Map<Micros, Cut | null>();

  constructor(groups: readonly (readonly Segment[])[], settings: ScanSettings, options: PlanOptions) {
    this.#groups = groups;
    this.#settings = settings;
    this.#extents = groups.map(extentOf);
    this.#readFrom = settings.from === undefined ? undefined : readingStart(settings, settings.from);
    this.lanes = this.#proven(options.jobs, options.leastBytes);
    this.bytes = this.lanes.reduce((sum, { runs: some }) => sum + some.reduce((bytes, run) => bytes + run.bytes, 0), 0);
  }

  /** The best division whose places were looked at: most that are thought of are not chosen, so only those of the best are. */
  #proven(jobs: number, least: number): Lane[] {
    const all = this.#groups.map((_, group) => group);
    for (;;) {
      const lanes = this.#best(all, jobs, least);
      const cuts = lanes.flatMap(({ runs }) => runs.flatMap(({ from, continues }) => (continues ? [from ?? 0] : [])));
      const unseen = cuts.filter((t) => !this.#known.has(t));
      if (unseen.length === 0) return lanes;
      for (const t of unseen) this.#known.set(t, this.#cutAt(all, t));
    }
  }

  #best(all: readonly number[], jobs: number, least: number): Lane[] {
    const whole = this.#whole(all);
    const ways = [[lane(all, [whole], 1)], this.#bySource(all, jobs, least)];
    // one run a worker reads the fewest look-backs, several balance better where units are few or uneven
    for (let each = 1; each <= MOST_RUNS; each++) {
      const runs = this.#byTime(all, whole.bytes, jobs, each, least);
      if (runs.length > 1) ways.push([lane(all, runs, Math.min(jobs, runs.length))]);
    }
    const costs = ways.map((lanes) => Math.max(...lanes.map(costOf)));
    const best = costs.indexOf(Math.min(...costs));
    return ways[costs[best] <= (1 - LEAST_GAIN) * costs[0] ? best : 0];
  }

  /** All that `run` of a lane left over, as one run that starts where that run did. */
  restAfter({ groups }: Lane, run: Run): Run {
    return this.#run(groups, { from: run.to, to: this.#settings.to, readFrom: run.readFrom });
  }

  #whole(groups: readonly number[]): Run {
    const { from, to } = this.#settings;
    return { ...this.#run(groups, { from, to, readFrom: this.#readFrom }), continues: false };
  }

  #run(groups: readonly number[], range: Record<'from' | 'to' | 'readFrom', Micros | undefined>): Run {
    const { from, to, readFrom } = range;
    const flows: RunFlow[] = [];
    let bytes = 0;
    for (const group of groups) {
      const extent = this.#extents[group];
      if (from !== undefined && extent.ends && extent.last < from && from !== this.#settings.from) continue;
      const segments = this.#groups[group];
      // the first entry at or after `to` ends the run, so its segment is read too
      const end = to === undefined ? -1 : segments.findIndex(({ first }) => first >= to);
      const paths = segments.slice(0, end < 0 ? segments.length : end + 1).map(({ path }) => path);
      const skip =
        readFrom === undefined
          ? 0
          : Math.max(
              0,
              segments.findLastIndex(({ first }) => first <= readFrom),
            );
      flows.push({
        group,
        paths,
        faulty: segments[0].fault !== null,
        skip: Math.min(skip, paths.length - 1),
        proof: null,
      });
      bytes += bytesBetween(extent, readFrom, to);
    }
    return {
      flows,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(readFrom === undefined ? {} : { readFrom }),
      continues: true,
      continued: false,
      bytes,
    };
  }

  /** Neighbouring srcs together, so that the lanes weigh about the same; what jobs 1 says first is still said first. */
  #bySource(groups: readonly number[], jobs: number, least: number): Lane[] {
    const weights = groups.map((group) => this.#whole([group]).bytes);
    const total = weights.reduce((sum, bytes) => sum + bytes, 0);
    const most = Math.min(jobs, groups.length, Math.floor(total / Math.max(1, least)));
    return partition(weights, most).map((part) => lane(part, [this.#whole(part)], 1));
  }

  /** Time cut into `each` runs a worker, or fewer. */
  #byTime(groups: readonly number[], bytes: number, jobs: number, each: number, least: number): Run[] {
    const extents = groups.map((group) => this.#extents[group]);
    const { from, to } = this.#settings;
    const unit = divisionOf(this.#settings);
    const first = Math.max(from ?? Number.NEGATIVE_INFINITY, ...extents.map((extent) => extent.cuttableFrom));
    const open = extents.filter(({ ends }) => !ends).map(({ last }) => last);
    const end = Math.min(to ?? Number.POSITIVE_INFINITY, Math.max(...extents.map(({ last }) => last)), ...open);
    if (!(first < end) || jobs < 2) return [];
    const marks = extents.flatMap((extent) => extent.marks).sort((a, b) => a.t - b.t);
    const inside = marks.filter(({ t }) => t >= (this.#readFrom ?? Number.NEGATIVE_INFINITY) && t < (to ?? Infinity));
    const count = Math.min(
      ...[jobs * each, Math.floor(bytes / Math.max(1, least))],
      groups.length * jobs > MOST_FLOWS ? 1 : Number.POSITIVE_INFINITY,
    );
    const since = (t: Micros, until: Micros): number =>
      extents.reduce((sum, extent) => sum + bytesBetween(extent, t, until), 0);
    const cuts: Cut[] = [];
    let sum = 0;
    for (const mark of inside) {
      if (sum >= (bytes * (cuts.length + 1)) / count && cuts.length < count - 1) {
        const lowest = cuts.length === 0 ? first : cuts[cuts.length - 1].t;
        const below = Math.floor(mark.t / unit) * unit;
        const near = mark.t - below < unit / 2 ? [below, below + unit] : [below + unit, below];
        const cut = near
          .filter((t) => t > lowest && t < end && since(lowest, t) >= least)
          .map((t) => this.#likelyCutAt(t))
          .find((one) => one !== null);
        if (cut !== undefined && cut !== null) cuts.push(cut);
      }
      sum += mark.bytes;
    }
    return this.#cutInto(groups, cuts);
  }

  #cutInto(groups: readonly number[], cuts: readonly Cut[]): Run[] {
    const { from, to } = this.#settings;
    return Array.from({ length: cuts.length + 1 }, (_, n) => {
      const begins = n === 0 ? null : cuts[n - 1];
      const ends = cuts[n] ?? null;
      const run = this.#run(groups, {
        from: begins?.t ?? from,
        to: ends?.t ?? to,
        readFrom: begins?.readFrom ?? this.#readFrom,
      });
      if (ends !== null) for (const flow of run.flows) flow.proof = ends.proofs.get(flow.group) ?? null;
      return { ...run, continues: begins !== null, continued: ends !== null };
    });
  }

  /** The cut at `t`; where nobody looked yet, it is taken for a possible one. */
  #likelyCutAt(t: Micros): Cut | null {
    const known = this.#known.get(t);
    return known === undefined ? { t, readFrom: readingStart(this.#settings, t), proofs: new Map() } : known;
  }

  /** A boundary of units at which time can be cut for all these srcs; null where one of them must be read through. */
  #cutAt(groups: readonly number[], t: Micros): Cut | null {
    const readFrom = readingStart(this.#settings, t);
    const proofs = new Map<number, Micros>();
    for (const group of groups) {
      const { first, last, ends } = this.#extents[group];
      if (ends && last + 1 < t) continue; // it is over, its last end included
      if (last < t) return null;
      if (readFrom < first) continue; // read from its first entry on
      const start = startingPoint(this.#groups[group], readFrom);
      if (start.checkpoint === null && start.segment === 0) continue;
      if (start.checkpoint?.valid !== true) return null;
      proofs.set(group, start.checkpoint.t);
    }
    return { t, readFrom, proofs };
  }
}

interface Cut {
  t: Micros;
  readFrom: Micros;
  proofs: Map<number, Micros>;
}

function lane(groups: readonly number[], runs: Run[], workers: number): Lane {
  return { groups, runs, workers };
}

/** Bytes read by the busiest worker, when each takes the next run as soon as it is free. */
function costOf({ runs, workers }: Lane): number {
  const loads = new Array<number>(workers).fill(0);
  for (const { bytes } of runs) loads[loads.indexOf(Math.min(...loads))] += bytes;
  return Math.max(...loads);
}

/** At most `most` runs of neighbours, so that the heaviest is as light as can be; returns indices. */
function partition(weights: readonly number[], most: number): number[][] {
  const fill = (room: number): number[][] => {
    const parts: number[][] = [];
    let sum = Number.POSITIVE_INFINITY;
    for (const [i, weight] of weights.entries()) {
      if (sum + weight > room) {
        parts.push([]);
        sum = 0;
      }
      parts[parts.length - 1].push(i);
      sum += weight;
    }
    return parts;
  };
  let low = Math.max(...weights);
  let high = weights.reduce((sum, weight) => sum + weight, 0);
  if (most < 2) return fill(high);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fill(middle).length <= most) high = middle;
    else low = middle;
  }
  return fill(fill(low).length <= most ? low : high);
}

function bytesBetween({ marks }: Extent, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): number {
  let sum = 0;
  for (const { t, bytes } of marks) if (t >= from && t < to) sum += bytes;
  return sum;
}

/**
 * What the indexes tell of a src. Time may be cut where all of this holds, so that reading from a checkpoint is reading the
 * same: its segments are sealed up to there, follow each other without overlap, and speak of the same market.
 */
function extentOf(segments: readonly Segment[]): Extent {
  const marks: Extent['marks'] = [];
  let sealed = 0;
  for (const [n, segment] of segments.entries()) {
    if (segment.sealed && segment.form === 'zstd' && sealed === n) {
      sealed++;
      const { frames, end } = segment.index();
      for (const [i, { t, offset }] of frames.entries())
        marks.push({ t, bytes: (frames[i + 1]?.offset ?? end) - offset });
    } else marks.push({ t: segment.first, bytes: segment.bytes });
  }
  const { first } = segments[0];
  const ends = sealed === segments.length;
  const last = ends ? segments[sealed - 1].index().last : segments[sealed].first;
  const cuttableFrom = sealed > 0 && inOrder(segments, sealed) ? cuttableSince(segments) : Number.POSITIVE_INFINITY;
  return { first, last, ends, cuttableFrom, marks };
}

/** Whether times never run backwards over the sealed segments and the one behind them. */
function inOrder(segments: readonly Segment[], sealed: number): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const segment of segments.slice(0, sealed)) {
    if (!(segment.first > before)) return false;
    const { frames, last } = segment.index();
    if (frames.some(({ t }, i) => i > 0 && !(t > frames[i - 1].t)) || !(last >= segment.first)) return false;
    before = last;
  }
  return sealed === segments.length || segments[sealed].first > before;
}

/** From when on a src prints all it has to say, where its headers speak of one market; Infinity where they do not. */
function cuttableSince(segments: readonly Segment[]): Micros {
  let since = segments[0].first;
  let market: string | null = null;
  for (const segment of segments) {
    let header: HeaderEntry;
    try {
      header = segment.header();
    } catch {
      return Number.POSITIVE_INFINITY;
    }
    const { venue, symbol, instrument, channels, flow, from } = header.tape;
    const one = JSON.stringify([header.src, venue, symbol, instrument, channels, flow]);
    market ??= one;
    if (one !== market) return Number.POSITIVE_INFINITY;
    since = Math.max(since, from ?? since);
  }
  return since;
}
