/** The JSON Schema of what `scan --format json` prints: a signal, or with `--checksum` the sums of a src. */

import { detectors } from '../signals/registry.js';
import { type Schema, signalSchemas } from '../signals/schema.js';
import type { Sums } from './checksum.js';

const count = { type: 'integer', minimum: 0 };
const SUMS: Readonly<Record<keyof Sums, Schema>> = {
  src: { type: 'string' },
  messages: count,
  trades: count,
  depth: count,
  levels: count,
  touches: count,
  digest: { type: 'string' },
};

/** Of one line. */
export function lineSchema(): Schema {
  const at = (name: string): string => `#/$defs/${name}`;
  const schemas = signalSchemas(detectors, at);
  const sums = { type: 'object', properties: SUMS, required: Object.keys(SUMS), additionalProperties: false };
  const checksum = {
    ...{ type: 'object', description: 'last lines, with --checksum', properties: { checksum: sums } },
    ...{ required: ['checksum'], additionalProperties: false },
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'a line of tapedeck scan --format json',
    oneOf: [{ $ref: at('signal') }, { $ref: at('checksum') }],
    $defs: { signal: schemas.signal, checksum, ...schemas.detectors },
  };
}
