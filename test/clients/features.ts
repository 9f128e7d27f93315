/** What the suite can ask of a client, each a column of docs/clients.md. */
export const features = [
  "produce",
  "gzip",
  "snappy",
  "lz4",
  "zstd",
  "manual assignment",
  "seek by time",
  "group",
  "admin",
  "idempotence",
  "restart",
] as const;

export type Feature = (typeof features)[number];
