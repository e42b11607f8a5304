/** The one error type of tapedeck: a stable code, what was being done, and where. */

/** Where a fault was met; every part is optional because not every fault has one. */
export interface ErrorPlace {
  file?: string;
  /** zero-based index of the zstd frame in the segment */
  frame?: number;
  /** one-based line number in the decompressed text */
  line?: number;
}

/** Stable error codes and what they mean; tapedeck(1) lists them, and scripts may match on them. */
export const ERROR_CODES = {
  E_USAGE: 'a wrong option or argument',
  E_NOT_FOUND: 'a file or folder that does not exist',
  E_PERMISSION: 'the system refused access',
  E_DISK_FULL: 'no space left',
  E_IO: 'any other failure of input or output, and what was interrupted',
  E_NOT_A_TAPE: 'neither zstd nor NDJSON entries',
  E_TRUNCATED: 'the file ends inside a frame',
  E_FRAME_CORRUPT: 'a frame does not decompress, or its checksum disagrees',
  E_LINE: 'a line that is no entry',
  E_HEADER: 'no usable tape header where one is needed',
  E_VERSION: 'a version of the format that this tool does not know',
  E_VENUE: 'an unknown venue',
  E_SYMBOL: 'an unknown symbol',
  E_IMPORT: 'input of another tool that cannot be read',
  E_CONNECT: 'a connection or REST request failed, or nothing came by it',
  E_CONFIG: 'a wrong config file, filter, fit or parameter of a detector',
  E_EXISTS: 'something stands where it would have to be overwritten',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * An expected failure. `message` says while doing what and what went wrong; `place` says where.
 * `cli.ts` turns it into one line on stderr and an exit status; no stack trace is shown.
 */
export class TapedeckError extends Error {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TapedeckError';
    this.code = code;
    this.place = place;
  }
}

/** One line for people: `E_CODE: message (file F, frame 3, line 12)`. */
export function describeError(error: TapedeckError): string {
  const { file, frame, line } = error.place;
  const parts: string[] = [];
  if (file !== undefined) parts.push(`file ${file}`);
  if (frame !== undefined) parts.push(`frame ${frame}`);
  if (line !== undefined) parts.push(`line ${line}`);
  return `${error.code}: ${error.message}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}

/** Wraps a Node system error (`ENOENT`, `EACCES`, `ENOSPC`, …) met while doing `doing`. */
export function fromSystemError(error: unknown, doing: string, place: ErrorPlace = {}): TapedeckError {
  if (error instanceof TapedeckError) return error;
  const errno = (error as NodeJS.ErrnoException | null)?.code;
  const detail = error instanceof Error ? error.message : String(error);
  if (errno === 'ENOENT')
    return new TapedeckError('E_NOT_FOUND', `while ${doing}: no such file or folder`, place, error);
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS')
    return new TapedeckError('E_PERMISSION', `while ${doing}: permission denied`, place, error);
  if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EFBIG')
    return new TapedeckError('E_DISK_FULL', `while ${doing}: no space left`, place, error);
  return new TapedeckError('E_IO', `while ${doing}: ${detail}`, place, error);
}
