/** Certificates are checked: an exchange that cannot prove who it is gets neither a subscription nor a question answered. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { Connection } from '../../src/feed/connection.js';
import { createRest } from '../../src/feed/rest.js';
import { until } from './harness.js';

let folder: string;
let server: Server;
let place: string;
let asked = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tapedeck-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  // signed by nobody but itself
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...name, '-days', '2', '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    asked++;
    response.end('{}');
  });
  new WebSocketServer({ server }).on('connection', () => asked++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test('REST', async () => {
  const get = createRest({ signal: new AbortController().signal });
  await expect(get(`https://${place}/`)).rejects.toMatchObject({
    code: 'E_CONNECT',
    message: /self-signed certificate/,
  });
  expect(asked).toBe(0);
});

test('WebSockets', async () => {
  const failures: string[] = [];
  const never = (): never => {
    throw new Error('it was opened');
  };
  const connection = new Connection({
    plan: { path: '/', topics: [], subscribe: [], sendEveryMs: 0, silenceMs: null, lifetimeMs: null },
    url: `wss://${place}/`,
    nextId: () => 'k.1',
    events: {
      ...{ opened: never, sent: never, message: never, late: never, closed: never },
      failed: (_, why) => void failures.push(why),
    },
    now: () => 0,
    random: () => 0,
  });
  connection.tick(0);
  await until('it failed', () => failures.length > 0);
  connection.stop();
  expect(failures).toEqual([expect.stringMatching(/self-signed certificate/)]);
  expect(asked).toBe(0);
});
