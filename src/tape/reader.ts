/** Reading tapes: files, folders and pipes as one flow of whole lines, with damage reported in its place. */
import fs from 'node:fs';
import { join } from 'node:path';
import type { LineFlow } from '../model/batch.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { interleave } from './interleave.js';
import { isSegmentName } from './names.js';
import { openMember, openSegment, type Segment } from './segment.js';
import { groupBySource, readSegments, type TimeRange } from './source.js';

export { noticing, readSegment, readStream } from './flow.js';
export { openSegment, type Segment, type SegmentIndex, type SegmentRange } from './segment.js';
export { groupBySource, readSegments, selectRange, type TimeRange } from './source.js';

/**
 * Opens every segment of the paths: files as they are, folders recursively (`*.ndjson.zst`, `*.ndjson`) in order of
 * name. A file of a folder that is no tape becomes a segment with a `fault`; one named itself is an error.
 * @throws {TapedeckError} E_NOT_FOUND (also a folder without segments), E_PERMISSION, E_NOT_A_TAPE
 */
export async function listSegments(paths: readonly string[]): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const path of paths) {
    const members = filesOf(path);
    if (members === null) segments.push(openSegment(path));
    else for (const member of members) segments.push(openMember(member));
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

/** The segment files below a folder; null when the path is no folder. */
function filesOf(path: string): string[] | null {
  try {
    if (!fs.statSync(path).isDirectory()) return null;
    const files: string[] = [];
    const entries = fs.readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const member = join(path, entry.name);
      if (entry.isDirectory()) files.push(...(filesOf(member) ?? []));
      else if (isSegmentName(entry.name)) files.push(member);
    }
    return files;
  } catch (error) {
    throw fromSystemError(error, 'opening a tape', { file: path });
  }
}
