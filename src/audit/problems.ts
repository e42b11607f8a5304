/** What an audit finds: stable codes, words for people, and where; many of one kind are counted, not listed. */
import type { Damage } from '../model/batch.js';
import type { ErrorCode, ErrorPlace } from '../model/errors.js';

/** Codes of damage and wrong lines are those of errors; the others say what does not fit together. */
export type ProblemCode =
  | Damage['damage']['code']
  | Extract<ErrorCode, 'E_HEADER' | 'E_VERSION' | 'E_VENUE'>
  | 'GAP' // messages are missing, or may be
  | 'ORDER' // times that do not increase
  | 'NOT_SEALED' // the recorder did not end the segment
  | 'SEAL' // entries, checksum, index or seek table say something else than the segment holds
  | 'CHECKPOINT' // a checkpoint is not the book that the messages make
  | 'CHECKSUM' // the venue states another checksum than the rebuilt book has
  | 'LEVEL' // a level of the rebuilt book is not that of the venue's books over REST
  | 'TOUCH' // best quotes are not those of the rebuilt book
  | 'CROSSED' // best bid not below best ask
  | 'NUMBER' // a number that cannot be held exactly
  | 'NO_SNAPSHOT' // the book was never known as a whole
  | 'NO_FLOW'; // trades happened, and none is there of the channel that counts

export interface Problem extends ErrorPlace {
  code: ProblemCode;
  message: string;
}

/** More of one code than this are only counted. */
const LISTED = 100;

export class Problems {
  readonly #listed: Problem[] = [];
  readonly #counts = new Map<ProblemCode, number>();

  add(code: ProblemCode, message: string, place: ErrorPlace = {}): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= LISTED) this.#listed.push({ code, message, ...place });
  }

  /** In the order found; one line per code at the end for those that were not listed. */
  list(): Problem[] {
    const more = [...this.#counts].filter(([, count]) => count > LISTED);
    return [
      ...this.#listed,
      ...more.map(([code, count]) => ({ code, message: `${count - LISTED} more of this kind` })),
    ];
  }
}

/** `GAP: … (file F, frame 3, line 12)`, as errors are told. */
export function describeProblem({ code, message, file, frame, line }: Problem): string {
  const parts: string[] = [];
  if (file !== undefined) parts.push(`file ${file}`);
  if (frame !== undefined && frame >= 0) parts.push(`frame ${frame}`);
  if (line !== undefined) parts.push(`line ${line}`);
  return `${code}: ${message}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}
