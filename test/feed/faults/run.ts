/** One fault, or many in a row, on one recording, and the judgement. */
import { expect } from 'vitest';
import type { Fault } from './cases.js';
import { judge } from './judge.js';
import { createFaultRig, type FaultRigOptions } from './rig.js';

export async function runFault(fault: Fault, options: FaultRigOptions): Promise<void> {
  const rig = await createFaultRig({ ...options, ...(fault.server === undefined ? {} : { server: fault.server }) });
  try {
    await rig.recovered();
    await fault.make(rig);
    await rig.recovered();
    const { gaps, lost } = await judge(rig, fault.found);
    if (fault.costs) expect({ gaps: gaps.length > 0, lost: lost > 0 }).toEqual({ gaps: true, lost: true });
    else {
      expect(lost).toBe(0);
      if (fault.reordered !== true) expect(gaps).toEqual([]);
    }
  } finally {
    await rig.close();
  }
}

/** So many faults in a row, now and then one before the last is over. */
export async function runMixed(faults: readonly Fault[], count: number, options: FaultRigOptions): Promise<void> {
  const rig = await createFaultRig(options);
  const made: string[] = [];
  try {
    await rig.recovered();
    for (let n = 0; n < count; n++) {
      const fault = rig.random.pick(faults);
      made.push(fault.name);
      await fault.make(rig);
      if (rig.random.chance(0.5)) await rig.recovered();
      else await rig.heard(10 + rig.random.below(50));
    }
    await rig.recovered();
    await judge(
      rig,
      faults.filter(({ name }) => made.includes(name)).flatMap(({ found = [] }) => found),
    );
  } catch (error) {
    throw new Error(`after ${made.join(', ')} (seed ${options.seed})`, { cause: error });
  } finally {
    await rig.close();
  }
}
