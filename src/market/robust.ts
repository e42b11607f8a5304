/** Robust z: how far a value lies from a median, in a unit that outliers do not stretch. */

/** Makes a median distance from the median comparable to a standard deviation. */
export const NORMAL = 0.6745;

/** 0.6745 times its distance from the median, over the median distance from it. */
export function robustZ(value: number, median: number, deviation: number): number {
  // the quotient first: it is the same on any scale, to the last bit
  return NORMAL * ((value - median) / deviation);
}
