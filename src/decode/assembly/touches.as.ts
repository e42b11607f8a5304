/** A run of best quotes, which are most of all messages: the same loop as in `touch-run.ts`, without the checks. */
import { EVENTS, RUN } from './memory';

const TOUCH: f64 = 4;

/** The low 32 bits of a scaled integer. */
@inline
function low(address: u32): u32 {
  return <u32>(<i64>load<f64>(address));
}

/** What `TouchRun.take` promises, for the records of the memory; what it gathers stands at RUN. @returns the record behind the run */
export function touchRun(first: u32, count: u32, after: f64, before: f64, emitted: f64, word: u32): u32 {
  let o = EVENTS + (first << 7);
  const end = EVENTS + (count << 7);
  const origin = load<f64>(o, 120);
  let t = after;
  let newest = emitted;
  let h = word;
  while (o < end) {
    const next = load<f64>(o, 24);
    if (load<f64>(o) !== TOUCH || load<f64>(o, 120) !== origin || !(next > t && next < before)) break;
    t = next;
    const pushed = load<f64>(o, 32);
    if (pushed > newest) newest = pushed;
    h = h * 923521 + (low(o + 80) * 29791 + low(o + 88) * 961 + low(o + 96) * 31 + low(o + 104));
    o += 128;
  }
  store<f64>(RUN, t);
  store<f64>(RUN, newest, 8);
  store<u32>(RUN, h, 16);
  return (o - EVENTS) >> 7;
}
