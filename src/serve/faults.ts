/** Faults a served exchange can be told to make, so that recorders can be tested against them. */

export interface Controls {
  /** cuts one client's connection, or all of them, without a closing handshake (code 1006); what was sent still arrives */
  disconnect(client?: number): void;
  /** cuts the oldest connection of each path in the same way: of several side by side, each has its turn */
  cutOldest(): void;
  /** while on, new connections are refused (HTTP 503) */
  refuse(on: boolean): void;
  /** a text to everybody, such as a notice; the ledger has it as an answer */
  say(text: string): void;
  /** the next `count` messages of the topic reach nobody; the ledger has them, marked lost */
  dropNext(topic: string, count: number): void;
  /** while on, no market data is sent to anybody (marked lost); sockets stay open and requests are answered */
  silence(on: boolean): void;
  /** the next `times` REST requests are answered with this status */
  restStatus(code: number, times: number): void;
}

/** Faults that are due, as the server asks for them. */
export interface Faults {
  dropNext(topic: string, count: number): void;
  silence(on: boolean): void;
  refuse(on: boolean): void;
  restStatus(code: number, times: number): void;
  /** must a connection be refused? */
  readonly refuses: boolean;
  /** counts a message of the topic that somebody would get: must it be lost? */
  loses(topic: string): boolean;
  /** status to answer this REST request with, or null */
  takeRestStatus(): number | null;
}

export function createFaults(): Faults {
  const drops = new Map<string, number>();
  let silent = false;
  let refusing = false;
  let rest = { code: 0, times: 0 };
  return {
    dropNext: (topic, count) => void drops.set(topic, count),
    silence(on) {
      silent = on;
    },
    refuse(on) {
      refusing = on;
    },
    get refuses() {
      return refusing;
    },
    restStatus(code, times) {
      rest = { code, times };
    },
    loses(topic) {
      const left = drops.get(topic);
      if (left !== undefined) {
        if (left <= 1) drops.delete(topic);
        else drops.set(topic, left - 1);
        if (left > 0) return true;
      }
      return silent;
    },
    takeRestStatus() {
      if (rest.times <= 0) return null;
      rest.times--;
      return rest.code;
    },
  };
}
