/** What a person named as tapes: segments, folders and stdin, opened together and cut to a range of time. */
import type { Damage, LineBatch, LineFlow, TextRooms } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { formatTime, resolveTime, type TimeSpec } from '../model/time.js';
import { firstTimeOf, lastTimeOf } from './checkpoints.js';
import { noticing, readStream } from './flow.js';
import { listSegments } from './reader.js';
import { lastOfSegment, type Segment } from './segment.js';
import { groupBySource, readSegments, selectRange, type TimeRange } from './source.js';

export interface Tape {
  /** files, each src's in order of time; stdin is not among them */
  readonly groups: readonly (readonly Segment[])[];
  readonly hasStdin: boolean;
  /** something of it comes by a pipe: stdin, or a name that is one */
  readonly piped: boolean;
  /**
   * Turns typed times into a range. Offsets count from the first and the last entry of all files, or from the first
   * line of stdin where nothing else was named. A range that nothing lies in is noted: of files at once, of stdin when it has
   * been read.
   * @throws {TapedeckError} E_USAGE for an offset from the end of stdin, and where `to` is not after `from`
   */
  range(from: TimeSpec | undefined, to: TimeSpec | undefined): Promise<TimeRange>;
  /**
   * One flow per src and one for stdin, each with damage in its place; may be asked for once where stdin is among them.
   * @param rooms where the text of files is put together
   */
  flows(range?: TimeRange, rooms?: TextRooms): LineFlow[];
}

/** A live pipe may bring nothing, so that it is no damage. */
export const SILENT_STDIN = 'stdin: nothing came';

/**
 * Opens tapes by their paths: files and folders, and `-` for `stdin`, named at most once. Only then is it read.
 * @param note hears what is odd and no damage, such as a pipe by which nothing came, or a file that was named twice
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_NOT_A_TAPE, E_USAGE
 */
export async function openTape(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
  note: (text: string) => void = () => {},
): Promise<Tape> {
  const files = paths.filter((path) => path !== '-');
  if (paths.length - files.length > 1) throw new TapedeckError('E_USAGE', "'-' (stdin) can be named once");
  const hasStdin = files.length < paths.length;
  const groups = files.length > 0 ? groupBySource(await listSegments(files, note)) : [];
  const piped = hasStdin ? peekable(noticing(readStream(stdin, '-'), () => note(SILENT_STDIN))) : null;

  const firstOf = async (): Promise<Micros> => {
    const firsts = groups.flat().flatMap(({ first }) => (Number.isNaN(first) ? [] : [first]));
    return firsts.length > 0 ? Math.min(...firsts) : ((await piped?.firstTime()) ?? Number.NaN);
  };
  const lastOf = (): Micros => {
    if (hasStdin) throw new TapedeckError('E_USAGE', 'an offset from the end needs a file: stdin has no known end');
    const lasts = groups.map((group) => lastOfSegment(group[group.length - 1]));
    return Math.max(...lasts.filter((last) => !Number.isNaN(last)));
  };
  const resolve = async (spec: TimeSpec | undefined): Promise<Micros | undefined> => {
    if (spec === undefined) return undefined;
    if (spec.kind === 'start') return resolveTime(spec, await firstOf(), 0);
    return resolveTime(spec, 0, spec.kind === 'end' ? lastOf() : 0);
  };

  const isPiped = hasStdin || groups.some((segments) => segments.some(({ form }) => form === 'stream'));
  /** what is to be heard of */
  let wanted: TimeRange = {};
  const noteOutside = async ({ from, to }: TimeRange): Promise<void> => {
    if (from === undefined && to === undefined) return;
    const first = await firstOf();
    if (Number.isNaN(first)) return;
    if ((to !== undefined && to <= first) || (from !== undefined && from > first && from > lastOf()))
      note(outsideOf(first, lastOf()));
  };

  return {
    groups,
    hasStdin,
    piped: isPiped,
    async range(from, to) {
      const start = await resolve(from);
      const end = await resolve(to);
      if (start !== undefined && end !== undefined && end <= start)
        throw new TapedeckError('E_USAGE', '--to is not after --from: nothing lies between them');
      wanted = { ...(start === undefined ? {} : { from: start }), ...(end === undefined ? {} : { to: end }) };
      if (!isPiped) await noteOutside(wanted);
      return wanted;
    },
    flows(range = {}, rooms) {
      const whole = range.from === undefined && range.to === undefined;
      const flows: LineFlow[] = groups.map((group) => {
        const flow = readSegments(group, range, rooms);
        const [{ form, path }] = group;
        return form === 'stream' && whole ? noticing(flow, () => note(`${path}: nothing came`)) : flow;
      });
      if (piped !== null) {
        // beside files it need not have anything there
        const flow = groups.length > 0 ? piped.flow : watchingRange(piped.flow, wanted, note);
        flows.push(whole ? flow : selectRange(flow, range.from, range.to));
      }
      return flows;
    },
  };
}

const outsideOf = (first: Micros, last: Micros): string =>
  `nothing lies in this range (tape: ${formatTime(first)} to ${formatTime(last)})`;

/** Passes a flow on, and notes it where nothing of it lies in a range. */
async function* watchingRange(flow: LineFlow, { from, to }: TimeRange, note: (text: string) => void): LineFlow {
  if (from === undefined && to === undefined) {
    yield* flow;
    return;
  }
  let first = Number.NaN;
  let last = Number.NaN;
  let ended = false;
  try {
    for await (const item of flow) {
      if (!('damage' in item)) {
        if (Number.isNaN(first)) first = firstTimeOf(item.bytes, item.from, item.to);
        const t = lastTimeOf(item.bytes, item.from, item.to);
        if (!Number.isNaN(t)) last = t;
      }
      yield item;
    }
    ended = true;
  } finally {
    // who has met the end of the range asks for nothing more
    if ((to !== undefined && first >= to) || (ended && from !== undefined && last < from)) note(outsideOf(first, last));
  }
}

/** A flow whose first time can be asked for before it is read. */
function peekable(flow: LineFlow): { flow: LineFlow; firstTime(): Promise<Micros> } {
  const items = flow[Symbol.asyncIterator]();
  let first: IteratorResult<LineBatch | Damage> | null = null;
  async function* rest(): LineFlow {
    try {
      if (first !== null && first.done !== true) yield first.value;
      else if (first?.done === true) return;
      for (;;) {
        const next = await items.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await items.return?.(undefined);
    }
  }
  return {
    flow: rest(),
    async firstTime() {
      first ??= await items.next();
      if (first.done === true || 'damage' in first.value) return Number.NaN;
      return firstTimeOf(first.value.bytes, first.value.from, first.value.to);
    },
  };
}
