/** A WebSocket client for tests: it keeps what it hears, and waits for things to happen instead of for time to pass. */
import { gunzipSync } from 'node:zlib';
import { type ClientOptions, WebSocket } from 'ws';

export interface TestClient {
  socket: WebSocket;
  /** texts as received, unpacked where they were packed */
  heard: string[];
  send(text: string): void;
  /** resolves when the condition holds, looked at after each message and at the close; rejects where it was left unmet */
  until(condition: () => boolean): Promise<void>;
  /** resolves with code and reason when the connection is gone */
  closed: Promise<{ code: number; reason: string }>;
}

export function openClient(url: string, options: ClientOptions = {}): Promise<TestClient> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options);
    const heard: string[] = [];
    const waiting = new Set<(lost?: Error) => void>();
    const closed = new Promise<{ code: number; reason: string }>((tell) => {
      socket.on('close', (code, reason) => {
        tell({ code, reason: reason.toString() });
        const lost = new Error(`closed with ${code} '${reason}' after ${heard.length} messages`);
        for (const look of waiting) look(lost);
      });
    });
    socket.on('message', (data: Buffer, isBinary) => {
      heard.push((isBinary ? gunzipSync(data) : data).toString());
      for (const look of waiting) look();
    });
    socket.on('error', reject);
    socket.on('open', () =>
      resolve({
        socket,
        heard,
        closed,
        send: (text) => socket.send(text),
        until: (condition) =>
          new Promise((done, fail) => {
            const look = (lost?: Error): void => {
              if (condition()) done();
              else if (lost !== undefined) fail(lost);
              else return;
              waiting.delete(look);
            };
            waiting.add(look);
            look();
          }),
      }),
    );
  });
}
