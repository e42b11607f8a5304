/** The properties of several connections, a few times each; see union-properties.ts. */
import { describeUnion } from './union-properties.js';

describeUnion(8);
