/** Re-reads whole tapes and says what they prove: frames, lines, sequences, checkpoints, best quotes and seals. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { LineFlow } from '../model/batch.js';
import type { Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { groupBySource, listSegments, noticing, readSegment, readStream, type Segment } from '../tape/reader.js';
import { segmentItems, tailsOf } from '../tape/segment.js';
import { SILENT_STDIN } from '../tape/tape.js';
import { createSegmentCheck } from './segment-check.js';
import type { SourceReport } from './source-report.js';
import { createVerifier, type Verifier } from './verifier.js';

export type { Problem, ProblemCode } from './problems.js';
export type { SourceReport, StreamReport } from './source-report.js';

export interface VerifyOptions {
  /** files, folders, and `-` for `stdin` */
  paths: readonly string[];
  stdin: AsyncIterable<Uint8Array>;
  /** total bytes of the files, once it is known */
  total?(bytes: number): Promise<void> | void;
  /** bytes of files that were read since the last call */
  progress?(bytes: number, file: string): void;
  signal?: AbortSignal;
  /** what is odd and no finding */
  note?(text: string): void;
}

/**
 * Audits tapes, one report per src in order of name. Damage is a finding, not an error: what is readable before and
 * after it is used.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_NOT_A_TAPE (of a file named itself), E_IO (also when aborted)
 */
export async function verifyTapes(options: VerifyOptions): Promise<SourceReport[]> {
  const { paths, stdin } = options;
  const segments = await listSegments(
    paths.filter((path) => path !== '-'),
    options.note,
  );
  await options.total?.(segments.reduce((sum, { bytes }) => sum + bytes, 0));
  const verifier = createVerifier();
  for (const group of groupBySource(segments)) {
    for (const { segment, src } of inSessions(group)) {
      if (segment.form === 'stream') await takeFlow(verifier, readSegment(segment), options);
      else await takeSegment(verifier, segment, src, options);
    }
  }
  if (paths.includes('-'))
    await takeFlow(
      verifier,
      noticing(readStream(stdin, '-'), () => options.note?.(SILENT_STDIN)),
      options,
    );
  return verifier.finish();
}

/** Segments of one recorder stay together, also where two recorders ran at the same time. */
function inSessions(group: readonly Segment[]): { segment: Segment; src: Source | null }[] {
  const sessions = new Map<string, Segment[]>();
  for (const segment of group) {
    const recorder = recorderOf(segment);
    const session = sessions.get(recorder);
    if (session === undefined) sessions.set(recorder, [segment]);
    else session.push(segment);
  }
  return [...sessions.values()].flat().map((segment) => ({ segment, src: segment.src }));
}

function recorderOf(segment: Segment): string {
  try {
    return segment.form === 'stream' || segment.fault !== null ? '' : segment.header().tape.recorder;
  } catch {
    // what is wrong with the header is found when its line is read
    return '';
  }
}

async function takeSegment(
  verifier: Verifier,
  segment: Segment,
  src: Source | null,
  options: VerifyOptions,
): Promise<void> {
  const { path, sealed } = segment;
  const check = sealed ? createSegmentCheck(segment) : null;
  let position = 0;
  let ended = false;
  for (const item of segmentItems(segment)) {
    checkAborted(options.signal);
    if ('damage' in item) {
      verifier.damage(item.damage, src);
      check?.damaged();
      continue;
    }
    verifier.take(item);
    check?.take(item);
    ended = endsWithEnd(item.bytes, item.to);
    options.progress?.(Math.max(0, item.offset - position), path);
    position = Math.max(position, item.offset);
    await breathe();
  }
  options.progress?.(segment.bytes - position, path);
  for (const { message, frame } of check?.finish() ?? [])
    verifier.problem(src, 'SEAL', message, frame < 0 ? { file: path } : { file: path, frame });
  if (!sealed && segment.form === 'zstd' && segment.fault === null) notSealed(verifier, segment, src, ended);
}

function notSealed(verifier: Verifier, segment: Segment, src: Source | null, ended: boolean): void {
  const { path } = segment;
  if (ended) {
    verifier.problem(src, 'SEAL', 'the seek table at its end is missing or damaged; no entry is', { file: path });
    return;
  }
  const tails = tailsOf(path).length;
  const tail = tails === 0 ? 'it has no tail' : 'the lines of its tail were read too';
  const message = `not sealed: its recorder still runs, or was killed and what it had not flushed is lost; index, end entry and seek table are missing, ${tail}`;
  verifier.problem(src, 'NOT_SEALED', message, { file: path });
}

/** Whether the last line of the text is an `end` entry. */
function endsWithEnd(bytes: Buffer, to: number): boolean {
  const from = to < 2 ? 0 : bytes.lastIndexOf(0x0a, to - 2) + 1;
  return to - from < 4096 && bytes.toString('latin1', from, to).includes(',"end":{"entries":');
}

async function takeFlow(verifier: Verifier, flow: LineFlow, options: VerifyOptions): Promise<void> {
  for await (const item of flow) {
    checkAborted(options.signal);
    if ('damage' in item) verifier.damage(item.damage, null);
    else verifier.take(item);
  }
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TapedeckError('E_IO', 'while verifying: interrupted before the end');
}
