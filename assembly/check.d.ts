/** Which build this is: 0 raw, 1 paranoid, 7 full (the default). Set by `use` in asconfig.json. */
declare const CHECK: i32;
