/** Names of the detectors whose signals scenarios declare; `sim` knows no detector but by name. */

/** Those of which every scenario declares every signal. */
export const STANDING: readonly string[] = [
  ...['book-imbalance', 'tape-imbalance', 'delta', 'cvd-divergence', 'sweep', 'block', 'void', 'absorption'],
  ...['footprint', 'liquidation-cascade', 'skew-fade'],
];

/** Those that are known by their definition only: what is declared of them counts as soon as they are there. */
export const COMING: readonly string[] = ['ofi', 'iceberg', 'pull', 'ignition', 'void-run'];
