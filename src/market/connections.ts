/** The connections of a src as a checkpoint holds them. */
import type { SharedState } from './shared-stream.js';

/** Those that are open, and where they stand in their streams, by layout and variant. */
export interface Connections {
  /** those that brought a message */
  open: string[];
  /** those that brought none yet; missing where `open` holds them too */
  opening?: string[];
  streams: Record<string, SharedState>;
}

/** Whether a part of a checkpoint says so; the streams are still to be looked at. */
export function isConnections(value: unknown): value is Connections {
  if (typeof value !== 'object' || value === null || !('open' in value) || !('streams' in value)) return false;
  const { open, streams } = value;
  const opening = 'opening' in value ? value.opening : [];
  return areNames(open) && areNames(opening) && typeof streams === 'object';
}

const areNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
