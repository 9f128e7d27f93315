import { brokerConfigs } from "./broker-configs.ts";
import { parseProperties } from "./properties.ts";

/** One config as somebody wrote it, and where. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** For messages: `server.properties line 3`, `--log.dirs`, `MILLRACE_LOG_DIRS`. */
  readonly origin: string;
}

/** The command line, taken apart. */
export interface Arguments {
  readonly settings: readonly Setting[];
  readonly files: readonly string[];
  readonly wantsHelp: boolean;
}

/** Takes `--name=value`, `--name value`, `--config FILE` and `--help`. */
export function readArguments(args: readonly string[], problems: string[]): Arguments {
  const settings: Setting[] = [];
  const files: string[] = [];
  let wantsHelp = false;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--help" || argument === "-h") {
      wantsHelp = true;
      continue;
    }
    const flag = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (!flag?.[1]) {
      problems.push(
        `Cannot use the argument "${argument}": flags are --name=value, a properties file is --config FILE`,
      );
      continue;
    }
    const value = flag[2] ?? takeValue(args, index);
    if (value === undefined) {
      problems.push(`Cannot use the flag "--${flag[1]}": it has no value`);
      continue;
    }
    if (flag[2] === undefined) index++;
    if (flag[1] === "config") files.push(value);
    else settings.push({ name: flag[1], value: value.trim(), origin: `--${flag[1]}` });
  }
  return { settings, files, wantsHelp };
}

/** Takes a properties file's settings. */
export function readPropertiesFile(
  path: string,
  readFile: (path: string) => string,
  problems: string[],
): readonly Setting[] {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    problems.push(`Cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
  const parsed = parseProperties(text);
  problems.push(...parsed.problems.map((problem) => `${problem} (${path})`));
  return parsed.properties.map(({ key, value, line }) => ({
    name: key,
    value,
    origin: `${path} line ${line}`,
  }));
}

/**
 * Takes the variables behind `MILLRACE_`: the config's name in capitals, `_` for each dot, and no second
 * MILLRACE for Millrace's own configs. An empty variable counts as unset.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): readonly Setting[] {
  const names = new Map<string, string>();
  for (const name of brokerConfigs.keys()) {
    names.set(variableOf(name.replace(/^millrace\./, "")), name);
    names.set(variableOf(name), name);
  }
  return Object.entries(environment)
    .filter(
      ([variable, value]) => variable.startsWith("MILLRACE_") && !!value?.trim() && !isServiceLink(variable),
    )
    .map(([variable, value = ""]) => {
      const unknown = variable.slice("MILLRACE_".length).toLowerCase().replaceAll("_", ".");
      return { name: names.get(variable) ?? unknown, value: value.trim(), origin: variable };
    });
}

/** The environment variable of a config. */
export function variableOf(name: string): string {
  return `MILLRACE_${name.toUpperCase().replaceAll(".", "_")}`;
}

/** Kubernetes tells every pod of a service named "millrace" where it is, by variables of its own. */
function isServiceLink(variable: string): boolean {
  return /^MILLRACE_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/.test(variable);
}

function takeValue(args: readonly string[], index: number): string | undefined {
  const next = args[index + 1];
  return next === undefined || next.startsWith("--") ? undefined : next;
}
