/** Which build this is: 0 raw, 1 paranoid, 7 full (the default). Set by `use` in asconfig.json. */
declare const CHECK: i32;

/** Is this the watch build, which is CHECK 1 and tells the host of every access? */
declare const WATCH: bool;
