import { describeClient } from "./client-suite.ts";
import { prepareJava } from "./java-client.ts";

describeClient({ name: "Java", language: "Java", client: prepareJava() });
