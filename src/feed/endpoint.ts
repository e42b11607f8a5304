/** Where to connect: `--endpoint` and `--rest-endpoint` put another scheme, host and port in front of a venue's paths. */
import { TapedeckError } from '../model/errors.js';

/** `[VENUE=]URL` as typed; `venue` is null where it holds for all. */
export interface Endpoint {
  venue: string | null;
  /** scheme, host and port, without a slash at the end */
  origin: string;
}

const SCHEMES = { ws: ['ws:', 'wss:'], rest: ['http:', 'https:'] } as const;

export type EndpointKind = keyof typeof SCHEMES;

/**
 * Reads `[VENUE=]URL`.
 * @throws {TapedeckError} E_USAGE for another scheme, a path, or a name and password (they would end up on the tape)
 */
export function parseEndpoint(text: string, kind: EndpointKind): Endpoint {
  const named = /^([a-z0-9-]+)=(.*)$/.exec(text);
  const [venue, address] = named === null ? [null, text] : [named[1], named[2]];
  const wrong = (why: string): never => {
    throw new TapedeckError('E_USAGE', `'${text}' is not an endpoint: ${why}`);
  };
  const example = kind === 'ws' ? 'ws://127.0.0.1:8080' : 'http://127.0.0.1:8080';
  if (!URL.canParse(address)) return wrong(`give a URL such as ${example}`);
  const url = new URL(address);
  if (!(SCHEMES[kind] as readonly string[]).includes(url.protocol)) {
    return wrong(`its scheme must be ${SCHEMES[kind].map((scheme) => scheme.slice(0, -1)).join(' or ')}`);
  }
  if (url.username !== '' || url.password !== '') return wrong('a name and password do not belong here');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return wrong(`give scheme, host and port only, such as ${example}; each route keeps its own path`);
  }
  return { venue, origin: `${url.protocol}//${url.host}` };
}

/**
 * The address of a venue's route. Endpoints that name the venue win over those for all; of several, connections side by side take
 * one each, in the order given and from the first again.
 * @param host the venue's own, such as `wss://host`
 * @param path path and query
 * @param lane number of the connection among those side by side, from 0
 */
export function routeUrl(
  host: string,
  path: string,
  venue: string,
  endpoints: readonly Endpoint[],
  lane: number = 0,
): string {
  const fit = endpointsOf(venue, endpoints);
  return `${fit.length > 0 ? fit[lane % fit.length].origin : host}${path}`;
}

/**
 * Refuses endpoints of venues that are not recorded: the venue that was meant would be asked at its own address.
 * @throws {TapedeckError} E_USAGE
 */
export function checkEndpoints(endpoints: readonly Endpoint[], recorded: readonly string[]): void {
  for (const { venue, origin } of endpoints)
    if (venue !== null && !recorded.includes(venue))
      throw new TapedeckError(
        'E_USAGE',
        `'${venue}=${origin}' is an endpoint of a venue that is not recorded; what is recorded is ${recorded.join(', ')}`,
      );
}

/** The endpoints that hold for a venue. */
export function endpointsOf(venue: string, endpoints: readonly Endpoint[]): Endpoint[] {
  const own = endpoints.filter((endpoint) => endpoint.venue === venue);
  return own.length > 0 ? own : endpoints.filter((endpoint) => endpoint.venue === null);
}
