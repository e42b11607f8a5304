// What every peer sums while it works: the top of the book after each update, signed volume over 5 s, best prices.

const WINDOW = 5_000_000;

/** Counts and float sums; floats, because the peers hold floats. */
export class Work {
  sums = { depth: 0, levels: 0, flow: 0, touches: 0, topBid: 0, topAsk: 0, rolling: 0, bbo: 0 };
  #window = [];
  #oldest = 0;
  #rolling = 0;

  /** A book update was applied: sums of the best ten sizes of each side. */
  top(levels, bid, ask) {
    this.sums.depth++;
    this.sums.levels += levels;
    this.sums.topBid += bid;
    this.sums.topAsk += ask;
  }

  /** An aggressor traded at `t` µs; `signed` is negative for a seller. */
  trade(t, signed) {
    this.sums.flow++;
    this.#window.push([t, signed]);
    this.#rolling += signed;
    while (this.#window[this.#oldest][0] <= t - WINDOW) this.#rolling -= this.#window[this.#oldest++][1];
    if (this.#oldest > 100_000) {
      this.#window = this.#window.slice(this.#oldest);
      this.#oldest = 0;
    }
    this.sums.rolling += this.#rolling;
  }

  touch(bid, ask) {
    this.sums.touches++;
    this.sums.bbo += bid + ask;
  }

  print() {
    process.stdout.write(`${JSON.stringify({ sums: this.sums })}\n`);
  }
}
