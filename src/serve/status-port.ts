/** A port that tells how a running command is: `/metrics` for Prometheus, `/health` for supervisors. */
import { type Answer, openPort, type Port } from './port.js';

export interface StatusPortOptions {
  host: string;
  /** 0 takes a free one */
  port: number;
  health: () => { ok: boolean; problems: string[] };
  metrics: () => { type: string; text: string };
}

/** Starts listening. @throws {TapedeckError} E_CONNECT when the port cannot be had */
export function openStatusPort({ host, port, health, metrics }: StatusPortOptions): Promise<Port> {
  return openPort({
    host,
    port,
    connect: () => said(404, 'there are no WebSockets here'),
    rest(method, path): Answer {
      if (method !== 'GET' && method !== 'HEAD') return said(405, 'only GET');
      const [place] = path.split('?');
      if (place === '/metrics') {
        const { type, text } = metrics();
        return { status: 200, body: text, type };
      }
      if (place !== '/health') return said(404, 'there are /metrics and /health');
      const { ok, problems } = health();
      return { status: ok ? 200 : 503, body: JSON.stringify({ status: ok ? 'ok' : 'failing', problems }) };
    },
  });
}

const said = (status: number, msg: string): Answer => ({ status, body: JSON.stringify({ msg }) });
