import { runBroker } from "./run-broker.ts";

await runBroker({ args: process.argv.slice(2), program: "npm start --" });
