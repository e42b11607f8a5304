/** What the terminal is and wants: colour or not, and how wide. */
import type { Writable } from 'node:stream';

export interface Surroundings {
  isTty: boolean;
  env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given */
  refused: boolean;
}

/** Colour only on a terminal that can show it, and only where nobody objects (`NO_COLOR`, `--no-color`, `TERM=dumb`). */
export function wantsColour({ isTty, env, refused }: Surroundings): boolean {
  return isTty && !refused && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** Columns of a terminal; 80 where the stream does not say or says nonsense. */
export function columnsOf(stream: { columns?: number | undefined }): number {
  const { columns } = stream;
  return columns !== undefined && columns >= 20 ? columns : 80;
}

/** Where talk goes, and whether it is wanted; `CommandIo` has this shape. */
export interface Talk {
  stderr: Writable;
  stderrIsTty: boolean;
  columns: number;
  quiet: boolean;
}
