/** Carries out a recorder's orders to its tapes, in a thread of its own; what cannot be written is held and tried again. */
import type { Micros, Source } from '../model/entry.js';
import { fromSystemError } from '../model/errors.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { tapeFolder } from './names.js';
import { LineKind, type Lines, type OpenTape, type Order, type Report, type TapeReport } from './orders.js';
import { recoverFolder } from './recover.js';
import { type Removed, Retention } from './retain.js';
import { createTapeWriter, type OpeningLine, type TapeWriter } from './writer.js';

const FIRST_RETRY_MS = 500;
/** so soon after there is space again it goes on: a busy market fills the queue in seconds */
const MOST_RETRY_MS = 5_000;

export interface TapeDesk {
  /** carries out orders and reports once, or again later when something comes of them */
  take(orders: readonly Order[]): void;
}

export interface TapeDeskOptions {
  report: (report: Report) => void;
  /** runs `act` after so many ms; what it returns forgets it */
  later?: (act: () => void, ms: number) => () => void;
}

type Work = Extract<Order, { lines: unknown } | { rotate: unknown }>;

/** A tape and what is on its way to it. */
interface Desk {
  tape: number;
  options: OpenTape;
  folder: string;
  src: Source;
  /** null while it cannot be written */
  writer: TapeWriter | null;
  /** the text of its newest header */
  header: string;
  /** what begins the next segment */
  opening: OpeningLine[];
  /** orders of which not all lines are with the system yet, oldest first */
  unsafe: Work[];
  /** orders that wait for a writer; the unsafe ones come before them */
  held: Work[];
  heldBytes: number;
  /** messages lost since the last report */
  lost: number;
  lostFrom: Micros;
  /** the newest line that is known to stand, and the newest entry: a seal has times of its own */
  stands: Micros;
  last: Micros;
  /** its writer gives the folder back */
  closing: Promise<unknown>;
  /** it is not tried again */
  refused: boolean;
  retryMs: number;
  forget: (() => void) | null;
  /** a retry is under way */
  retrying: Promise<void> | null;
}

export function createTapeDesk({ report, later = afterMs }: TapeDeskOptions): TapeDesk {
  const desks = new Map<number, Desk>();
  const retention = new Retention();
  let keepAt: Micros = 0;
  let done = 0;
  let reports: TapeReport[] = [];
  let removed: Removed[] = [];

  const tell = (desk: Desk, event?: NonNullable<TapeReport['event']>, error?: unknown): void => {
    const { tape, writer, heldBytes: held, lost, lostFrom } = desk;
    const entry: TapeReport = { tape, offset: writer?.offset ?? 0, held, lost, lostFrom };
    desk.lost = 0;
    if (event !== undefined) entry.event = event;
    if (error !== undefined) {
      const { code, message, place } = fromSystemError(error, 'writing a tape', { file: desk.folder });
      entry.fault = { code, message, place };
    }
    reports.push(entry);
  };

  const send = (): void => {
    report({ done, tapes: reports, removed });
    done = 0;
    reports = [];
    removed = [];
  };

  /** Opens a segment, the first of its folder's lock. */
  const open = (desk: Desk, lines: OpeningLine[], after: Micros | undefined): void => {
    const { out, src, level, flushMs, frameBytes, frameMicros } = desk.options;
    desk.opening = lines;
    desk.header = textOf(lines[0]);
    desk.writer = createTapeWriter({
      ...{ out, src, now: lines[0].t, opening: () => desk.opening },
      ...(level === undefined ? {} : { level }),
      ...(flushMs === undefined ? {} : { flushMs }),
      ...(frameBytes === undefined ? {} : { frameBytes }),
      ...(frameMicros === undefined ? {} : { frameMicros }),
      ...(after === undefined ? {} : { after }),
    });
    keepAt = 0;
  };

  /** The writer is done with; what it did not hand to the system is held. */
  const fail = (desk: Desk, error: unknown, resumable = true): void => {
    const { writer } = desk;
    if (writer !== null) {
      desk.stands = Math.max(desk.stands, writer.safe);
      desk.last = Math.max(desk.last, desk.stands);
      desk.closing = writer.abandon().catch(() => {});
    }
    desk.writer = null;
    desk.held.unshift(...desk.unsafe);
    desk.unsafe = [];
    desk.heldBytes = desk.held.reduce((sum, work) => sum + bytesOf(work), 0);
    desk.refused = !resumable || !canPass(error);
    if (desk.refused) {
      tell(desk, 'refused', error);
      return;
    }
    tell(desk, 'failed', error);
    desk.forget = later(() => void retry(desk), desk.retryMs);
    desk.retryMs = Math.min(MOST_RETRY_MS, desk.retryMs * 2);
  };

  /** Does one order with a writer. @throws what kept it from being written */
  const carryOut = (desk: Desk, writer: TapeWriter, work: Work): void => {
    if ('rotate' in work) {
      // after an outage there may be no room for a seal before it
      if (work.rotate[0].t <= writer.last + 2) return;
      desk.opening = work.rotate;
      desk.header = textOf(work.rotate[0]);
      writer.rotate(work.rotate[0].t);
      desk.unsafe = [];
      keepAt = 0;
      return;
    }
    if (work.lines !== null) {
      desk.unsafe.push(work);
      const lost = write(writer, work.lines, desk.stands);
      if (lost > 0) desk.lostFrom = desk.stands;
      desk.lost += lost;
    }
    writer.tick(work.now);
    while (desk.unsafe.length > 0 && lastOf(desk.unsafe[0]) <= writer.safe) desk.unsafe.shift();
  };

  /** Completes what stands, opens a new segment and writes what was held. @returns false when it failed again */
  const resume = async (desk: Desk): Promise<boolean> => {
    try {
      await desk.closing;
      const { last, segments } = await recoverFolder(desk.folder);
      if (!Number.isNaN(last)) {
        desk.last = Math.max(desk.last, last);
        // the two entries of a seal come right behind the last line
        desk.stands = Math.max(desk.stands, segments.at(-1)?.sealed === false ? last : last - 2);
      }
      while (desk.held.length > 0 && lastOf(desk.held[0]) <= desk.stands) desk.held.shift();
      const [first] = desk.held;
      if (first !== undefined && 'rotate' in first && first.rotate[0].t > desk.last) {
        desk.held.shift();
        open(desk, first.rotate, desk.last);
      } else {
        // as late as it can be; where lines follow too closely upon what stands, they give way
        const t = Math.max(desk.last + 1, (first === undefined ? 0 : firstOf(first)) - 1);
        open(desk, [{ line: restamped(desk.header, t), t }], desk.last);
      }
      const writer = desk.writer as TapeWriter | null;
      if (writer === null) return false;
      // all at once: nothing may come between
      const { held } = desk;
      desk.held = [];
      desk.heldBytes = 0;
      for (let work = held.shift(); work !== undefined; work = held.shift()) {
        try {
          carryOut(desk, writer, work);
        } catch (error) {
          // what is in `unsafe` comes before the rest
          desk.held = 'rotate' in work ? [work, ...held] : held;
          throw error;
        }
      }
      writer.flush();
      desk.unsafe = [];
      desk.retryMs = FIRST_RETRY_MS;
      tell(desk, 'resumed');
      return true;
    } catch (error) {
      fail(desk, error);
      return false;
    }
  };

  const retry = (desk: Desk): Promise<void> => {
    desk.forget = null;
    desk.retrying ??= resume(desk).then(() => {
      desk.retrying = null;
      send();
    });
    return desk.retrying;
  };

  /** Ends a tape: a last attempt where it failed, then what cannot be had is counted as lost. */
  const seal = async (desk: Desk): Promise<void> => {
    desk.forget?.();
    await desk.retrying;
    desk.forget?.();
    if (desk.writer === null && !desk.refused) await retry(desk);
    desk.forget?.();
    let fault: unknown;
    try {
      await desk.writer?.seal();
      if (desk.writer !== null) desk.unsafe = [];
    } catch (error) {
      fault = error;
      const { safe } = desk.writer as TapeWriter;
      desk.unsafe = desk.unsafe.filter((work) => lastOf(work) > safe);
      desk.lost += messagesAfter(desk.unsafe, safe);
    }
    desk.lost += messagesAfter(desk.held, desk.stands);
    desk.held = [];
    desk.heldBytes = 0;
    desk.writer = null;
    desks.delete(desk.tape);
    tell(desk, 'sealed', fault);
    send();
  };

  const begin = (tape: number, options: OpenTape): void => {
    const { out, src, lines } = options;
    const desk: Desk = {
      ...{ tape, options, src, folder: tapeFolder(out, src), writer: null, header: '', opening: lines },
      ...{ unsafe: [], held: [], heldBytes: 0, lost: 0, lostFrom: 0, stands: 0, last: options.after ?? 0 },
      ...{ closing: Promise.resolve(), refused: false, retryMs: FIRST_RETRY_MS, forget: null, retrying: null },
    };
    desks.set(tape, desk);
    try {
      open(desk, lines, options.after);
      tell(desk, 'opened');
    } catch (error) {
      // what cannot even begin is for people to put right
      fail(desk, error, false);
    }
  };

  const hold = (desk: Desk, work: Work): void => {
    if ('lines' in work && work.lines === null) return;
    if (desk.refused) {
      desk.lost += messagesAfter([work], 0);
      return;
    }
    desk.held.push(work);
    desk.heldBytes += bytesOf(work);
    tell(desk);
  };

  const takeOne = (order: Order): void => {
    if ('open' in order) {
      begin(order.tape, order.open);
      return;
    }
    if ('lines' in order && order.lines !== null) done += order.lines.bytes.length;
    const desk = desks.get(order.tape);
    if (desk === undefined) return;
    if ('seal' in order) {
      void seal(desk);
      return;
    }
    const { writer } = desk;
    if (writer === null) {
      hold(desk, order);
      return;
    }
    const before = writer.offset;
    try {
      carryOut(desk, writer, order);
      if (writer.offset !== before || desk.lost > 0) tell(desk);
    } catch (error) {
      if ('rotate' in order) desk.held.push(order);
      fail(desk, error);
    }
  };

  const retain = (now: Micros): void => {
    const kept = [...desks.values()].find(({ options }) => options.keep !== undefined)?.options.keep;
    if (kept === undefined || now < keepAt) return;
    keepAt = now + MICROS_PER_MINUTE;
    const folders = [...desks.values()].map(({ folder, src, writer }) => ({ folder, src, open: writer?.path ?? null }));
    removed.push(...retention.apply(folders, kept, now));
  };

  return {
    take(orders) {
      let now: Micros = 0;
      for (const order of orders) {
        takeOne(order);
        if ('now' in order) now = Math.max(now, order.now);
      }
      if (now > 0) retain(now);
      send();
    },
  };
}

/** Adds the lines that come after `stands`. @returns messages for whose times it is too late */
function write(writer: TapeWriter, { bytes, ends, times, kinds }: Lines, stands: Micros): number {
  let lost = 0;
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]) {
    const message = kinds[i] === LineKind.message;
    if (times[i] > writer.last)
      writer.write(bytes.subarray(from, ends[i]), times[i], { message, checkpoint: kinds[i] === LineKind.checkpoint });
    else if (message && times[i] > stands) lost++;
  }
  return lost;
}

function messagesAfter(works: readonly Work[], t: Micros): number {
  let count = 0;
  for (const work of works)
    if ('lines' in work && work.lines !== null) {
      const { times, kinds } = work.lines;
      for (let i = 0; i < times.length; i++) if (times[i] > t && kinds[i] === LineKind.message) count++;
    }
  return count;
}

/** Whether it may be otherwise later: a disk is full, read-only or gone. */
function canPass(error: unknown): boolean {
  const { code } = fromSystemError(error, 'writing a tape');
  return code === 'E_DISK_FULL' || code === 'E_PERMISSION' || code === 'E_IO' || code === 'E_NOT_FOUND';
}

const bytesOf = (work: Work): number =>
  'rotate' in work ? work.rotate.reduce((sum, { line }) => sum + line.length, 0) : (work.lines?.bytes.length ?? 0);

const firstOf = (work: Work): Micros => ('rotate' in work ? work.rotate[0].t : (work.lines?.times[0] ?? 0));
const lastOf = (work: Work): Micros =>
  'rotate' in work ? (work.rotate.at(-1)?.t ?? 0) : (work.lines?.times.at(-1) ?? 0);

const textOf = ({ line }: OpeningLine): string =>
  typeof line === 'string' ? line : Buffer.from(line).toString('utf8');

/** A line with another time: it comes first, and always has 16 digits. */
function restamped(line: string, t: Micros): string {
  const head = '{"t":';
  return `${head}${t}${line.slice(head.length + 16)}`;
}

function afterMs(act: () => void, ms: number): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}
