/** SHA-256 for manifests and proofs. @module */
import { createHash } from 'node:crypto';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** 32 bytes. The hasher is spent. */
  digest(): Uint8Array;
}

export function sha256(): Hasher {
  const hash = createHash('sha256');
  return {
    update(bytes) {
      hash.update(bytes);
    },
    digest: () => hash.digest(),
  };
}
