/** Reading tapes: files, folders and pipes as one flow of whole lines, with damage reported in its place. */
import fs from 'node:fs';
import { join } from 'node:path';
import type { LineFlow } from '../model/batch.js';
import { TapedeckError } from '../model/errors.js';
import { listFolder, statOf } from './files.js';
import { interleave } from './interleave.js';
import { isSegmentName } from './names.js';
import { openMember, openSegment, type Segment } from './segment.js';
import { groupBySource, readSegments, type TimeRange } from './source.js';

export { noticing, readSegment, readStream } from './flow.js';
export { openSegment, type Segment, type SegmentIndex, type SegmentRange } from './segment.js';
export { groupBySource, readSegments, selectRange, type TimeRange } from './source.js';

/**
 * Opens every segment of the paths: files as they are, folders recursively (`*.ndjson.zst`, `*.ndjson`) in order of
 * name. A file of a folder that is no tape or cannot be opened becomes a segment with a `fault`; one named itself is an error.
 * A file that was named before, by whatever path, is left out.
 * @param note hears of such files
 * @throws {TapedeckError} E_NOT_FOUND (also a folder without segments), E_PERMISSION, E_NOT_A_TAPE
 */
export async function listSegments(
  paths: readonly string[],
  note: (text: string) => void = () => {},
): Promise<Segment[]> {
  const segments: Segment[] = [];
  /** by device and inode */
  const known = new Map<string, string>();
  for (const path of paths) {
    const members = filesOf(path);
    const again: string[] = [];
    for (const file of members ?? [path]) {
      const id = identityOf(file);
      const before = id === null ? undefined : known.get(id);
      if (before !== undefined) {
        again.push(before === file ? `${file}: named before` : `${file}: the same file as ${before}`);
        continue;
      }
      if (id !== null) known.set(id, file);
      segments.push(members === null ? openSegment(file) : openMember(file));
    }
    // a folder may hold thousands
    if (again.length > 0)
      note(again.length === 1 ? `${again[0]}; read once` : `${again[0]}, and so ${again.length - 1} more; read once`);
    if (members?.length === 0)
      throw new TapedeckError('E_NOT_FOUND', 'while opening a tape: the folder holds no *.ndjson.zst and no *.ndjson', {
        file: path,
      });
  }
  return segments;
}

/**
 * Reads every tape of the paths: the segments of each src one after the other, several srcs merged by time.
 * @param range half open: `from` as `replay --from` (header, last checkpoint, every line after it), entries before `to`
 * @throws {TapedeckError} as listSegments
 */
export async function* readTape(paths: readonly string[], range: TimeRange = {}): LineFlow {
  const tapes = groupBySource(await listSegments(paths));
  yield* interleave(tapes.map((segments) => readSegments(segments, range)));
}

/** Says which file a path leads to; null where that is for opening it to find out. */
export function identityOf(path: string): string | null {
  try {
    const { dev, ino } = fs.statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}

/** The segment files below a folder, and folders there that cannot be listed; null when the path is no folder. */
function filesOf(path: string): string[] | null {
  if (!statOf(path).isDirectory()) return null;
  return listFolder(path).flatMap((entry) => {
    const member = join(path, entry.name);
    if (!entry.isDirectory()) return isSegmentName(entry.name) ? member : [];
    try {
      return filesOf(member) ?? [];
    } catch (error) {
      if (error instanceof TapedeckError) return member;
      throw error;
    }
  });
}
