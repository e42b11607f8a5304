/** What streams of records are made of. */
import { Kind } from '../model/event.js';

export type StreamKind = 'book' | 'trade' | 'touch' | 'beside';

/** Whether records of this kind come as a stream that can be doubled or have a hole; what else there is changes nothing. */
export function isStream(kind: number): boolean {
  switch (kind) {
    case Kind.trade:
    case Kind.depth:
    case Kind.snapshot:
    case Kind.touch:
    case Kind.liquidation:
    case Kind.derivative:
    case Kind.invalid:
      return true;
    default:
      return false;
  }
}

export function streamKind(kind: number): StreamKind {
  if (kind === Kind.depth || kind === Kind.snapshot) return 'book';
  if (kind === Kind.trade) return 'trade';
  return kind === Kind.touch ? 'touch' : 'beside';
}
