/** What a merge reads: the segments of each market by tape, and files of which nothing can be read. */
import type { Damage } from '../model/batch.js';
import type { Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { groupBySource, identityOf, listSegments, type Segment } from '../tape/reader.js';
import { segmentItems } from '../tape/segment.js';

type Unread = Damage['damage'];

/** One market on one tape. */
export interface MergePart {
  tape: string;
  segments: Segment[];
  /** files of the tape cannot be read: of what market, and of when, nobody can tell */
  lacks: boolean;
}

export interface MergeInput {
  /** by src; of each tape once */
  markets: Map<Source, MergePart[]>;
  /** what is wrong with files that were left out */
  unread: Unread[];
}

/**
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_NOT_A_TAPE (of a file named itself), E_HEADER (a pipe, or no tape of a recorder),
 * E_USAGE (a file that two of the tapes have: it would count as received twice)
 */
export async function openMergeInput(tapes: readonly string[]): Promise<MergeInput> {
  const markets: MergeInput['markets'] = new Map();
  const unread: Unread[] = [];
  /** of each file, how it was named */
  const known = new Map<string, string>();
  for (const tape of tapes) {
    const before = unread.length;
    const parts: MergePart[] = [];
    const listed = await listSegments([tape]);
    for (const { path } of listed) checkOnce(path, known);
    for (const group of groupBySource(listed)) {
      const segments = readable(group, unread);
      if (segments.length > 0) parts.push({ tape, segments, lacks: false });
    }
    for (const part of parts) {
      part.lacks = unread.length > before;
      const { src } = part.segments[0];
      if (src === null) continue;
      const known = markets.get(src);
      if (known === undefined) markets.set(src, [part]);
      else known.push(part);
    }
  }
  return { markets, unread };
}

function checkOnce(path: string, known: Map<string, string>): void {
  const id = identityOf(path);
  if (id === null) return;
  const before = known.get(id);
  if (before !== undefined)
    throw new TapedeckError(
      'E_USAGE',
      `while merging: two of the tapes have this file${before === path ? '' : `, the other as ${before}`}`,
      { file: path },
    );
  known.set(id, path);
}

/** The segments from the first one whose header can be read: what stands before a header has no scale. */
function readable(group: readonly Segment[], unread: Unread[]): Segment[] {
  const segments = [...group];
  while (segments.length > 0 && !hasHeader(segments[0])) {
    const [{ path, form }] = segments;
    const damage = form === 'stream' ? [] : leadingDamage(segments[0]);
    if (damage.length === 0)
      throw new TapedeckError('E_HEADER', 'while merging: it does not begin with a tape header', { file: path });
    unread.push(...damage);
    segments.shift();
  }
  return segments;
}

function hasHeader(segment: Segment): boolean {
  if (segment.src === null) return false;
  try {
    segment.header();
    return true;
  } catch (error) {
    if (error instanceof TapedeckError && error.code === 'E_HEADER') return false;
    throw error;
  }
}

/** What is lost before the first line that can be read. */
function leadingDamage(segment: Segment): Unread[] {
  const damage: Unread[] = [];
  for (const item of segmentItems(segment)) {
    if (!('damage' in item)) break;
    damage.push(item.damage);
  }
  return damage;
}
