// The core with planted crimes: everything the core exports, and the switch.

export * from '../index';
export { plant } from './plant';
