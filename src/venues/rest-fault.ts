/** Failures that a venue tells of in a body with status 200, by their codes. */
import { wordOf } from './fields.js';
import type { RestFault } from './venue.js';

/** Codes by what they mean; all others but that of success are `other`. */
export interface FaultCodes {
  success: number;
  tooMany: readonly number[];
  busy: readonly number[];
  symbol: readonly number[];
}

/** What a code and its text mean; a code may be a number in quotes, and a body without one says nothing of a failure. */
export function faultOf(codes: FaultCodes, code: unknown, text: unknown): RestFault | null {
  if (code === undefined || Number(code) === codes.success) return null;
  const kind = (['tooMany', 'busy', 'symbol'] as const).find((one) => codes[one].includes(Number(code)));
  return { kind: kind ?? 'other', text: `${wordOf(code)} ${wordOf(text ?? '')}`.trim() };
}
