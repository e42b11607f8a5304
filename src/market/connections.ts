/** The connections of a src as a checkpoint holds them. */
import type { SharedState } from './shared-stream.js';

/** Those that are open, and where they stand in their streams, by layout and variant. */
export interface Connections {
  open: string[];
  streams: Record<string, SharedState>;
}

/** Whether a part of a checkpoint says so; the streams are still to be looked at. */
export function isConnections(value: unknown): value is Connections {
  if (typeof value !== 'object' || value === null || !('open' in value) || !('streams' in value)) return false;
  const { open, streams } = value;
  return Array.isArray(open) && open.every((conn) => typeof conn === 'string') && typeof streams === 'object';
}
