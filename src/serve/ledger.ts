/** The ledger: an NDJSON file of everything an exchange sent, to compare recordings with, byte for byte. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Micros } from '../model/entry.js';
import { fromSystemError, type TapedeckError } from '../model/errors.js';

/** What happened to a client, in its own line: it came, or it went (`unsent`: bytes sent that the socket still held). */
export type ClientChange = { opened: { path: string } } | { closed: { code: number; reason: string; unsent?: number } };

export interface Ledger {
  /** `{"t":…,"client":1,"topic":"…","msg":…}`, `text` for `msg` where it is no JSON; topic null for answers; a lost message was recorded, not sent */
  message(t: Micros, client: number, topic: string | null, text: string, lost?: boolean): void;
  /** `{"t":…,"client":1,"opened":…}` or `…"closed":…` */
  change(t: Micros, client: number, change: ClientChange): void;
  /** writes what is left and closes the file. @throws {TapedeckError} when a write failed, now or before */
  close(): Promise<void>;
}

const FLUSH_EVERY_MS = 100;
/** Text held before a flush is not waited for. */
const FLUSH_AT_CHARS = 1 << 20;

/**
 * Opens a ledger for appending. Lines reach the file within 200 ms unless the disk is slower.
 * `onError` hears of the first failed write; nothing is written after it.
 * @throws {TapedeckError} when the file cannot be opened
 */
export async function openLedger(path: string, onError: (error: TapedeckError) => void): Promise<Ledger> {
  let file: FileHandle;
  try {
    file = await open(path, 'a');
  } catch (error) {
    throw fromSystemError(error, 'opening the ledger', { file: path });
  }
  let lines: string[] = [];
  let held = 0;
  let failure: TapedeckError | null = null;
  let writing: Promise<void> = Promise.resolve();

  const flush = (): void => {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    held = 0;
    writing = writing.then(async () => {
      if (failure !== null) return;
      try {
        await file.appendFile(text);
      } catch (error) {
        failure = fromSystemError(error, 'writing the ledger', { file: path });
        onError(failure);
      }
    });
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);

  const close = async (): Promise<void> => {
    clearInterval(timer);
    flush();
    await writing;
    await file.close().catch((error: unknown) => {
      failure ??= fromSystemError(error, 'closing the ledger', { file: path });
    });
    if (failure !== null) throw failure;
  };
  let closing: Promise<void> | undefined;

  const add = (line: string): void => {
    lines.push(line);
    held += line.length;
    if (held >= FLUSH_AT_CHARS) flush();
  };

  return {
    message(t, client, topic, text, lost = false) {
      const mark = lost ? ',"lost":true' : '';
      const name = topic === null ? 'null' : JSON.stringify(topic);
      // venues say objects, or words that are no JSON at all
      const said = text.startsWith('{') ? `"msg":${text}` : `"text":${JSON.stringify(text)}`;
      add(`{"t":${t},"client":${client},"topic":${name},${said}${mark}}\n`);
    },
    change: (t, client, change) => add(`{"t":${t},"client":${client},${JSON.stringify(change).slice(1)}\n`),
    close() {
      closing ??= close();
      return closing;
    },
  };
}
