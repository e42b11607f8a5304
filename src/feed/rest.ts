/** REST requests: one GET with a time limit and a size limit, the body as received. */
import { TapedeckError } from '../model/errors.js';

export interface RestAnswer {
  url: string;
  status: number;
  /** the body's bytes (after content decoding) */
  body: Buffer;
  /** from `Retry-After`; null without one */
  retryAfterMs: number | null;
}

/** Does one GET. Answers of any status are returned; only their absence is an error. */
export type RestGet = (url: string) => Promise<RestAnswer>;

export interface RestOptions {
  timeoutMs: number;
  maxBytes: number;
  /** aborts requests under way */
  signal: AbortSignal;
}

/** exchangeInfo of a big venue is some MB; a snapshot well below one */
const DEFAULTS = { timeoutMs: 10_000, maxBytes: 64 * 1024 * 1024 };

/**
 * Makes the function that does requests.
 * @returns a function that throws TapedeckError E_CONNECT when there is no answer, or none within the limits
 */
export function createRest(options: Partial<RestOptions> & { signal: AbortSignal }): RestGet {
  const { timeoutMs, maxBytes, signal } = { ...DEFAULTS, ...options };
  return async (url) => {
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, limit]) });
      const body = await readBody(response, maxBytes);
      return { url, status: response.status, body, retryAfterMs: retryAfter(response.headers.get('retry-after')) };
    } catch (error) {
      if (error instanceof TapedeckError) throw error;
      const why = limit.aborted ? `no answer within ${timeoutMs / 1000} s` : causeOf(error);
      throw new TapedeckError('E_CONNECT', `while getting ${url}: ${why}`, {}, error);
    }
  };
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body !== null) {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new TapedeckError(
          'E_CONNECT',
          `while getting ${response.url}: the answer is larger than ${maxBytes} bytes`,
        );
      }
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks, size);
}

/** Seconds or an HTTP date, to ms from now. */
export function retryAfter(header: string | null, nowMs: number = Date.now()): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/** `fetch failed` says nothing; the system's reason is one or two causes below. */
function causeOf(error: unknown): string {
  let deepest: unknown = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (deepest instanceof AggregateError && deepest.errors.length > 0) deepest = deepest.errors[0];
  return deepest instanceof Error ? deepest.message : String(deepest);
}
