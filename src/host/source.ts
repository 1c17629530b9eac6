/**
 * Where bytes come from and go to. Everything below `migrate/` knows files only through these two
 * interfaces; `file.ts` implements them on Node.
 * @module
 */

export interface Source {
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Fills `target` from offset `ib`. Returns the bytes read; fewer than asked only at the end. */
  read(target: Uint8Array, ib: number): number;
  close(): void;
}

export interface Sink {
  readonly name: string;
  /** Writes all of `bytes` at offset `ib`, or throws. */
  write(bytes: Uint8Array, ib: number): void;
  /** Returns once everything written is on the medium. */
  sync(): void;
  close(): void;
}
