/** The seek table: its bytes as the zstd seekable format gives them, and what is not taken for one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSeekTable, encodeSeekTable, FOOTER_BYTES, seekTableBytes } from '../../src/tape/seek-table.js';

test('known bytes, with and without checksums', () => {
  expect(encodeSeekTable([{ compressedBytes: 0x0102, textBytes: 0x030405 }]).toString('hex')).toBe(
    '5e2a4d1811000000' + '0201000005040300' + '0100000000b1ea928f',
  );
  expect(encodeSeekTable([{ compressedBytes: 1, textBytes: 2, checksum: 0xdeadbeef }]).toString('hex')).toBe(
    '5e2a4d1815000000' + '0100000002000000efbeadde' + '0100000080b1ea928f',
  );
});

test('property: round trip', () => {
  const size = fc.nat({ max: 0xffffffff });
  const frame = fc.record({ compressedBytes: size, textBytes: size });
  const checked = fc.record({ compressedBytes: size, textBytes: size, checksum: size });
  fc.assert(
    fc.property(fc.oneof(fc.array(frame), fc.array(checked, { minLength: 1 })), (frames) => {
      const table = encodeSeekTable(frames);
      const decoded = decodeSeekTable(table);
      if (frames.length > 0) expect(decoded).toEqual(frames);
      expect(seekTableBytes(table.subarray(table.length - FOOTER_BYTES))).toBe(table.length);
    }),
  );
});

test('what is cut or changed is no table', () => {
  const table = encodeSeekTable([{ compressedBytes: 5, textBytes: 9 }]);
  for (let cut = 1; cut < table.length; cut++) expect(decodeSeekTable(table.subarray(cut))).toBeNull();
  for (const at of [0, 4, table.length - 1, table.length - 9, table.length - 5]) {
    const changed = Buffer.from(table);
    changed[at] ^= 0x04;
    expect(decodeSeekTable(changed)).toBeNull();
  }
});
