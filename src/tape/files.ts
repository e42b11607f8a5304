/** Reading files by position; system errors become errors that say which file of a tape it was. */
import fs from 'node:fs';
import { fromSystemError } from '../model/errors.js';

/** What a path is. @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO */
export function statOf(path: string): fs.Stats {
  try {
    return fs.statSync(path);
  } catch (error) {
    throw fromSystemError(error, 'opening a tape', { file: path });
  }
}

/** What a folder holds, in order of name. @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO */
export function listFolder(path: string): fs.Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw fromSystemError(error, 'opening a tape', { file: path });
  }
}

/** Opens a file for reading; the caller closes it. @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO */
export function openFile(path: string): number {
  try {
    return fs.openSync(path, 'r');
  } catch (error) {
    throw fromSystemError(error, 'opening a tape', { file: path });
  }
}

/** Reads up to `bytes` bytes at `position`; 0 at the end of the file. @throws {TapedeckError} E_IO */
export function readAt(fd: number, path: string, into: Buffer, position: number, bytes: number): number {
  try {
    return bytes <= 0 ? 0 : fs.readSync(fd, into, 0, bytes, position);
  } catch (error) {
    throw fromSystemError(error, 'reading a tape', { file: path });
  }
}

/** Exactly `bytes` bytes at `position`, or null when the file has not so many. @throws {TapedeckError} E_IO */
export function readExactly(fd: number, path: string, position: number, bytes: number): Buffer | null {
  if (position < 0) return null;
  const buffer = Buffer.allocUnsafeSlow(bytes);
  for (let filled = 0; filled < bytes; ) {
    const read = readAt(fd, path, buffer.subarray(filled), position + filled, bytes - filled);
    if (read === 0) return null;
    filled += read;
  }
  return buffer;
}
