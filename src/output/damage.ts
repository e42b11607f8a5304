/** How damage of a tape is told to people. */
import type { Damage } from '../model/batch.js';
import { escapeControl } from './text.js';

/** One line: `E_FRAME_CORRUPT: checksum disagrees (file F, frame 3, line 12, 1024 bytes lost)`. */
export function describeDamage({ code, file, frame, line, bytes, message }: Damage['damage']): string {
  const place = [`file ${file}`, ...(frame >= 0 ? [`frame ${frame}`] : []), `line ${line}`, `${bytes} bytes lost`];
  return escapeControl(`${code}: ${message} (${place.join(', ')})`);
}
