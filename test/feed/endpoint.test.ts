/** Endpoints as typed, and the addresses they lead to. */
import { expect, test } from 'vitest';
import { parseEndpoint, routeUrl } from '../../src/feed/endpoint.js';

test.each([
  ['ws://127.0.0.1:9001', 'ws', { venue: null, origin: 'ws://127.0.0.1:9001' }],
  ['wss://host.example/', 'ws', { venue: null, origin: 'wss://host.example' }],
  ['binance-spot=http://[::1]:80', 'rest', { venue: 'binance-spot', origin: 'http://[::1]' }],
] as const)('%s', (text, kind, parsed) => {
  expect(parseEndpoint(text, kind)).toEqual(parsed);
});

test.each([
  ['http://127.0.0.1', 'ws', /scheme must be ws or wss/],
  ['ws://127.0.0.1', 'rest', /scheme must be http or https/],
  ['127.0.0.1:9001', 'ws', /such as ws:/],
  ['ws://127.0.0.1/public', 'ws', /scheme, host and port only/],
  ['ws://127.0.0.1?a=1', 'ws', /scheme, host and port only/],
  ['ws://me:secret@127.0.0.1', 'ws', /name and password/],
  ['', 'ws', /such as ws:/],
] as const)('refuses %s', (text, kind, message) => {
  expect(() => parseEndpoint(text, kind)).toThrow(
    expect.objectContaining({ code: 'E_USAGE', message: expect.stringMatching(message) }),
  );
});

test('each route keeps its path, and the endpoint of the venue wins', () => {
  const endpoints = [parseEndpoint('binance-usdm=ws://a:1', 'ws'), parseEndpoint('ws://b:2', 'ws')];
  expect(routeUrl('wss://host', '/public/stream', 'binance-usdm', endpoints)).toBe('ws://a:1/public/stream');
  expect(routeUrl('wss://host', '/stream', 'binance-spot', endpoints)).toBe('ws://b:2/stream');
  expect(routeUrl('wss://host', '/stream', 'binance-spot', [])).toBe('wss://host/stream');
});

test('connections side by side take the endpoints in turn, and those of the venue before those for all', () => {
  const endpoints = ['ws://a:1', 'binance-usdm=ws://b:2', 'binance-usdm=ws://c:3'].map((text) =>
    parseEndpoint(text, 'ws'),
  );
  const urls = (venue: string): string[] =>
    [0, 1, 2].map((lane) => routeUrl('wss://host', '/s', venue, endpoints, lane));
  expect(urls('binance-usdm')).toEqual(['ws://b:2/s', 'ws://c:3/s', 'ws://b:2/s']);
  expect(urls('okx-swap')).toEqual(['ws://a:1/s', 'ws://a:1/s', 'ws://a:1/s']);
});
