/** Retention: which sealed segments of a recorder's own folders go, oldest first. */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import type { Micros, Source } from '../model/entry.js';
import { formatTimeForFile } from '../model/time.js';
import { openSegment } from './segment.js';

/** How much stays: by the age of a segment's last entry, or by the size of all segments together. */
export type Keep = { age: Micros } | { bytes: number };

export interface OwnFolder {
  folder: string;
  src: Source;
  /** the segment being written; null when there is none */
  open: string | null;
}

export interface Removed {
  path: string;
  bytes: number;
}

interface Candidate extends Removed {
  /** `t` of its last entry */
  last: Micros;
}

/** As long as what a segment's start is called. */
const STAMP = formatTimeForFile(0);

/** Remembers what it has seen sealed: a sealed segment does not change, and reading all of them each minute is no work to do. */
export class Retention {
  readonly #known = new Map<string, Candidate>();

  /**
   * Removes what is beyond `keep`. Only sealed segments named as this recorder names them, whose entries are of the folder's own
   * src, are ever removed; a file that cannot be read or removed stays and is met again the next time.
   */
  apply(folders: readonly OwnFolder[], keep: Keep, now: Micros): Removed[] {
    const found: Candidate[] = [];
    let total = 0;
    for (const { folder, src, open } of folders)
      for (const name of list(folder)) {
        const path = join(folder, name);
        if (!isNamedByUs(name, folder)) continue;
        if (path === open) {
          total += sizeOf(path);
          continue;
        }
        const candidate = this.#known.get(path) ?? sealedSegment(path, src);
        if (candidate === null) continue;
        this.#known.set(path, candidate);
        found.push(candidate);
        total += candidate.bytes;
      }
    found.sort((a, b) => a.last - b.last);
    const removed: Removed[] = [];
    for (const { path, bytes, last } of found) {
      if ('age' in keep ? last >= now - keep.age : total <= keep.bytes) break;
      try {
        fs.unlinkSync(path);
      } catch {
        continue;
      }
      this.#known.delete(path);
      total -= bytes;
      removed.push({ path, bytes });
    }
    return removed;
  }
}

function isNamedByUs(name: string, folder: string): boolean {
  const head = `${basename(folder)}-`;
  const tail = '.ndjson.zst';
  if (!name.startsWith(head) || !name.endsWith(tail)) return false;
  const stamp = name.slice(head.length, -tail.length);
  return stamp.replace(/\d/g, '0') === STAMP.replace(/\d/g, '0');
}

/** Null for what is not sealed, not of this src, or not to be read. */
function sealedSegment(path: string, src: Source): Candidate | null {
  try {
    if (!fs.lstatSync(path).isFile()) return null;
    const segment = openSegment(path);
    if (!segment.sealed || segment.src !== src) return null;
    return { path, bytes: sizeOf(path), last: segment.index().last };
  } catch {
    return null;
  }
}

function sizeOf(path: string): number {
  try {
    return fs.statSync(path).size;
  } catch {
    return 0;
  }
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
