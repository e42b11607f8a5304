/** Colour by meaning, not by name: what is good, bad, doubtful, secondary or a heading. */
import { Chalk } from 'chalk';

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  doubtful(text: string): string;
  /** secondary */
  dim(text: string): string;
  /** headings, names */
  strong(text: string): string;
  buy(text: string): string;
  sell(text: string): string;
}

/** With `colour` false every function gives its text back. Pad before painting: escape codes have no width. */
export function createPaint(colour: boolean): Paint {
  const chalk = new Chalk({ level: colour ? 1 : 0 });
  return {
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    doubtful: (text) => chalk.yellow(text),
    dim: (text) => chalk.dim(text),
    strong: (text) => chalk.bold(text),
    buy: (text) => chalk.green(text),
    sell: (text) => chalk.red(text),
  };
}
