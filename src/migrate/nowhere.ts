/** A sink that forgets: for work whose result nobody keeps. @module */
import type { Sink, Source } from '../host/source.js';

export const nowhere = (): Sink & Source => ({
  name: 'nowhere',
  size: 0,
  read: () => 0,
  write() {},
  sync() {},
  close() {},
});
