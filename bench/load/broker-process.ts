import { readFileSync } from "node:fs";

/** Clock ticks of /proc on every Linux that there is. */
const ticksPerSecond = 100;

/** CPU time that a process has used so far, all its threads, in seconds; 0 where there is no /proc. */
export function cpuSeconds(pid: number | undefined): number {
  const fields = statFields(pid);
  // User and system time, fields 14 and 15.
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

/** Milliseconds since the process was begun. */
export function ageMs(pid: number | undefined): number {
  const startedTicks = Number(statFields(pid)[19] ?? 0);
  const uptimeSeconds = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Math.max(0, uptimeSeconds * 1000 - (startedTicks * 1000) / ticksPerSecond);
}

/** Memory that a process holds now, in bytes; 0 where there is no /proc. */
export function residentBytes(pid: number | undefined): number {
  return statusBytes(pid, "VmRSS");
}

/** The most memory that a process has held, in bytes. */
export function peakResidentBytes(pid: number | undefined): number {
  return statusBytes(pid, "VmHWM");
}

function statusBytes(pid: number | undefined, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Fields of /proc/PID/stat from the third on: the second, the name, may hold anything. */
function statFields(pid: number | undefined): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
