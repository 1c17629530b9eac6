/** Clone proves what arrived: a block that changed on the way is found even when it is well-formed. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Core } from '../../src/core/core.js';
import { openSource } from '../../src/host/file.js';
import { cloneStore } from '../../src/migrate/clone.js';
import { Ndb } from '../../src/ndb/ndb.js';
import { blockWireSize } from '../../src/ndb/write/maps.js';
import { MemoryFile } from '../memory-file.js';
import { PACKAGED_STORES } from '../stores.js';

const STORE = `${PACKAGED_STORES}/enron.pst`;

/** A medium on which, once all is written and synced, `change` happens. */
class FalseMedium extends MemoryFile {
  constructor(readonly change: (bytes: Uint8Array) => void) {
    super('false.pst');
  }
  override sync(): void {
    super.sync();
    if (this.syncs.length === 2) this.change(this.bytes);
  }
}

function clone(change: (bytes: Uint8Array, ndb: Ndb) => void): void {
  const source = openSource(STORE);
  try {
    cloneStore(source, new FalseMedium((bytes) => change(bytes, Ndb.open(new MemoryFile('seen', bytes), Core.load()))));
  } finally {
    source.close();
  }
}

describe.skipIf(crc32 === undefined)('a clone on a medium that', () => {
  it('keeps what is written, arrives', () => {
    expect(() => clone(() => {})).not.toThrow();
  });

  it('changes a byte is refused: wrong CRC', () => {
    expect(() =>
      clone((bytes, { bbt }) => {
        bytes[bbt.ib(500)]! ^= 1;
      }),
    ).toThrow(/CRC/);
  });

  it('changes a byte and its CRC with it is refused: not the block that was copied', () => {
    expect(() =>
      clone((bytes, { bbt }) => {
        const [ib, cb] = [bbt.ib(500), bbt.cb(500)];
        bytes[ib]! ^= 1;
        const sum = ~crc32(bytes.subarray(ib, ib + cb), 0xffffffff) >>> 0;
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(ib + blockWireSize(cb) - 12, sum, true);
      }),
    ).toThrow(/did not arrive as it was/);
  });
});
