/** Small square matrices, row by row in a Float64Array: linear equations, and the principal component of a covariance. */

/** Below this share of the largest element a pivot is none. */
const SINGULAR = 1e-12;
/** Sweeps of rotations; a dozen levels take about six. */
const MOST_SWEEPS = 64;

/** Solves a x = b for an n × n matrix, by elimination with pivots; null where a has no inverse. Both are used up. */
export function solve(a: Float64Array, b: Float64Array): Float64Array | null {
  const n = b.length;
  const least = SINGULAR * a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(a[row * n + column]) > Math.abs(a[pivot * n + column])) pivot = row;
    if (!(Math.abs(a[pivot * n + column]) > least)) return null;
    for (let k = 0; k < n; k++) swap(a, column * n + k, pivot * n + k);
    swap(b, column, pivot);
    for (let row = 0; row < n; row++) {
      const times = a[row * n + column] / a[column * n + column];
      if (row === column || times === 0) continue;
      for (let k = 0; k < n; k++) a[row * n + k] -= times * a[column * n + k];
      b[row] -= times * b[column];
    }
  }
  return b.map((value, i) => value / a[i * n + i]);
}

function swap(values: Float64Array, i: number, j: number): void {
  const held = values[i];
  values[i] = values[j];
  values[j] = held;
}

export interface Component {
  /** of length 1 */
  vector: Float64Array;
  /** its share of the whole variance */
  share: number;
}

/** The eigenvector of the largest eigenvalue of a symmetric n × n matrix, by Jacobi's rotations; null for a matrix of zeros. */
export function principalOf(covariance: Float64Array, n: number): Component | null {
  const a = covariance.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += a[i * n + i];
  if (!(trace > 0)) return null;
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, n) > SINGULAR * trace; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i * n + i] > a[best * n + best]) best = i;
  return {
    vector: Float64Array.from({ length: n }, (_, k) => vectors[k * n + best]),
    share: a[best * n + best] / trace,
  };
}

function offDiagonal(a: Float64Array, n: number): number {
  let most = 0;
  for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) most = Math.max(most, Math.abs(a[p * n + q]));
  return most;
}

/** Turns axes p and q so that their element becomes zero; `vectors` keeps the new axes as columns. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const between = a[p * n + q];
  if (between === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * between);
  const tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(tan * tan + 1);
  const sin = tan * cos;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, cos, sin);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, cos, sin);
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q, cos, sin);
}

function turn(m: Float64Array, i: number, j: number, cos: number, sin: number): void {
  const [x, y] = [m[i], m[j]];
  m[i] = cos * x - sin * y;
  m[j] = sin * x + cos * y;
}
