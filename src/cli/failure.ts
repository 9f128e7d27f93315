/** How a command ends: 1 is a failure of what was asked, 2 a mistake in how it was asked, 130 an interrupt. */
export const exitCodes = { ok: 0, failed: 1, misused: 2, interrupted: 130 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What was asked cannot be done; the hint says what to do about it. */
export class CommandError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = "CommandError";
    this.hint = hint;
  }
}

/** The command line says something that cannot be meant. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
