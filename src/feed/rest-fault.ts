/** What an answer over REST says beside its status: some venues tell of failures with status 200. */
import type { RestFault, Venue } from '../venues/venue.js';
import type { RestAnswer } from './rest.js';

/** The failure that an answer of status 200 tells of; null where it tells of none. */
export function faultIn({ rest }: Venue, { status, body }: RestAnswer): RestFault | null {
  return status === 200 ? (rest.fault?.(parsed(body)) ?? null) : null;
}

/** Null where it is no JSON. */
export function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
