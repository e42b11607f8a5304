/** The properties of several connections, a few times each; see union-properties.ts. */
import { vi } from 'vitest';
import { describeUnion } from './union-properties.js';

vi.setConfig({ testTimeout: 120_000 });

describeUnion(8);
