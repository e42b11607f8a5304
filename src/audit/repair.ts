/** Completes segments that a killed recorder left, in folders nobody writes to; what cannot be completed is told and left alone. */
import { dirname } from 'node:path';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { lockFolder } from '../tape/lock.js';
import { listSegments } from '../tape/reader.js';
import { type RecoveredSegment, recoverSegment } from '../tape/recover.js';
import { tailsOf } from '../tape/segment.js';
import type { Problem } from './problems.js';

/** A problem of a segment, whose file is known. */
export type RepairProblem = Omit<Problem, 'file'>;

/** What was done to one segment; the shape of `repair --format json`. */
export interface RepairReport {
  file: string;
  /** it ends with index, end entry and seek table, now or from the start */
  sealed: boolean;
  /** lines that stood in tails only, and now stand in the segment */
  lines: number;
  /** bytes of a line that was cut off while it was written: no entry, and given up */
  tornBytes: number;
  /** tails that were removed, since the segment holds their lines */
  tails: number;
  /** of its last entry; null where it holds none */
  last: Micros | null;
  /** why it was left as it is; empty where it was not */
  problems: RepairProblem[];
}

export interface Repaired {
  /** segments that were not whole, in order of path */
  reports: RepairReport[];
  /** those that were, and plain text, which has no seal */
  whole: number;
}

export interface RepairOptions {
  signal?: AbortSignal;
  /** hears of each segment looked at */
  done?: (bytes: number, file: string) => void;
  /** hears of files that were named twice */
  note?: (text: string) => void;
}

/**
 * Seals what is not sealed. Every folder is locked before the first file is touched, so that nothing is done where somebody records.
 * @throws {TapedeckError} E_EXISTS when a folder is locked; E_NOT_FOUND, E_NOT_A_TAPE (of a file named itself), E_PERMISSION, E_DISK_FULL, E_IO (also when aborted)
 */
export async function repairTapes(
  paths: readonly string[],
  { signal, done, note }: RepairOptions = {},
): Promise<Repaired> {
  const segments = await listSegments(paths, note);
  const files = new Map(segments.map(({ path, bytes, form }) => [path, { bytes, form }]));
  const folders = new Set([...files.keys()].map((file) => dirname(file)));
  const release: (() => void)[] = [];
  const repaired: Repaired = { reports: [], whole: 0 };
  try {
    for (const folder of folders) release.push(lockFolder(folder));
    for (const [file, { bytes, form }] of files) {
      if (signal?.aborted === true)
        throw new TapedeckError('E_IO', 'while repairing: interrupted; what was done stays', { file });
      if (form === 'stream' && bytes === 0)
        throw new TapedeckError('E_USAGE', 'repair works on files: a pipe has nothing to be sealed', { file });
      const report = await repair(file);
      if (report === null) repaired.whole++;
      else repaired.reports.push(report);
      done?.(bytes, file);
    }
  } finally {
    for (const unlock of release) unlock();
  }
  return repaired;
}

/** Null for a segment that needs nothing. */
async function repair(file: string): Promise<RepairReport | null> {
  const tails = tailsOf(file).length;
  const recovered = await recoverSegment(file);
  const removed = tails - tailsOf(file).length;
  if (recovered === null)
    return removed === 0
      ? null
      : { file, sealed: true, lines: 0, tornBytes: 0, tails: removed, last: null, problems: [] };
  const { sealed, lines, tornBytes, last } = recovered;
  const problems = sealed ? [] : problemsOf(recovered);
  return { file, sealed, lines, tornBytes, tails: removed, last: Number.isNaN(last) ? null : last, problems };
}

function problemsOf({ last, damage }: RecoveredSegment): RepairProblem[] {
  if (damage.length > 0)
    return damage.map(({ code, message, frame, line, bytes }) => {
      return { code, message: `${message} (${bytes} bytes)`, frame, line };
    });
  const message = Number.isNaN(last)
    ? 'it holds no entry'
    : 'it can be read, but its frames are none that a seal can follow';
  return [{ code: 'SEAL', message }];
}
